"""The catalogue's commands: what a code is, who refers to it, what differs between two catalogues."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.loader import DATA, code_lists_of, load, problems_of
from creditbus.catalogue.models import Item
from creditbus.catalogue.themes import THEMES, rows_of
from creditbus.cli import build
from creditbus.commands.formats import format_of

app = build(["catalogue"])


@pytest.fixture
def run() -> CliRunner:
    return CliRunner(env={"COLUMNS": "200"})


def test_a_code_is_explained_with_the_rows_that_rest_on_it(run: CliRunner) -> None:
    told = run.invoke(app, ["catalogue", "explain", "FS2017-7"])
    assert told.exit_code == 0
    assert "← lists L01" in told.output
    assert run.invoke(app, ["catalogue", "explain", "NO-SUCH-CODE"]).exit_code == 1


def test_a_changed_row_is_told_field_by_field_and_one_that_came_or_went_as_a_whole(
    run: CliRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    assert "the same" in run.invoke(app, ["catalogue", "diff", str(folder)]).output
    lists = (folder / "lists.yaml").read_text(encoding="utf-8")
    (folder / "lists.yaml").write_text(lists.replace("term_months: 24, steps: []", "term_months: 23, steps: []"))
    terms = (folder / "terms.yaml").read_text(encoding="utf-8").splitlines()
    (folder / "terms.yaml").write_text("\n".join(line for line in terms if "LIFT-150000" not in line))
    told = run.invoke(app, ["catalogue", "diff", str(folder)]).output
    (changed,) = [line for line in told.splitlines() if "term_months" in line]
    assert [cell.strip() for cell in changed.strip("│").split("│")] == ["lists", "L01", "term_months", "23", "24"]
    assert "LIFT-150000" in told


@pytest.mark.parametrize("item", load().items, ids=lambda row: row.code)
def test_every_item_has_a_data_format_with_the_values_that_it_takes(run: CliRunner, item: Item) -> None:
    told = run.invoke(app, ["catalogue", "format", item.code])
    assert told.exit_code == 0
    for kind in item.kinds:
        assert kind in told.output
        rows = {row[0]: row[2] for row in format_of(item, kind, code_lists_of(load()), SchemaSet.load())}
        assert {name: rows[f"facts.{name}"] for name in item.takes} == {
            name: ", ".join(values) for name, values in item.takes.items()
        }


def test_an_item_that_there_is_not_is_told_of(run: CliRunner) -> None:
    assert "there is no item F99" in run.invoke(app, ["catalogue", "format", "F99"]).output


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"subjects": ("LEGAL_PERSON", "NATURAL_PERSON")}, "exchanged about organisations only"),
        ({"sharing": "public"}, "financial credit information is not published"),
        ({"providers": ()}, "name the domains that send it"),
    ],
)
def test_financial_credit_information_is_of_organisations_and_not_published(
    values: dict[str, object], told: str
) -> None:
    catalogue = load()
    items = [row.model_copy(update=values) if row.code == "F01-FRAUD" else row for row in catalogue.items]
    wrong = list(problems_of(catalogue.model_copy(update={"items": tuple(items)})))
    assert [told in one for one in wrong] == [True], wrong


NAMES = """
C01-REGISTRATION C02-ENFORCEMENT C03-PERMIT C05-ABNORMAL C06-LISTS C07-CONTRACT C08-COMMITMENT C09-RATING
C10-COMPLIANCE C11-HONOR C12-VOLUNTARY 失信被执行人 重大税收违法失信主体 拖欠农民工工资失信联合惩戒对象
市场监督管理严重违法失信名单 海关严重失信企业 统计严重失信企业 建筑市场主体“黑名单”
知识产权严重违法失信主体 经营异常名录 纳税（缴费）信用 海关企业信用 企业环境信用 餐饮服务量化分级（动态）
药品安全信用 企业质量信用 TRANSPORT LABOUR 和谐劳动关系单位 诚信医院 道德模范 M01-LICENCE M02-PRACTICE
M03-OFFICE M04-CONSUMPTION M05-EXIT M06-SCHOOL M07-FUNDS M08-HONOURS M09-BENEFITS M10-SUPERVISION
M11-PROCUREMENT M12-PUBLICITY M13-REPORTS M14-LENDING P36-SERIOUS P58-GENERAL P2019-SERIOUS 异议处理期限
信用修复受理期限 信用修复办理期限 自然人不良信息 查询日志 宗教信仰 疾病和病史 纳税数额 交通安全违法 信访
自然人简易程序行政处罚 报送及时率 数据合规率 瞒报率 异议按期办结率 康巴什区 152600 乌拉盖管理区管委会
"""
"""Rows of domain.md 2.7, 3.1, 3.3, 3.5, 4.1, 5 and 7."""


@pytest.mark.parametrize("name", NAMES.split())
def test_every_list_rating_measure_and_limit_is_found_by_code_or_name(run: CliRunner, name: str) -> None:
    told = run.invoke(app, ["catalogue", "show", name])
    assert told.exit_code == 0
    assert "mark" in told.output


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("自治区工商行政管理局", "150000-scjg"),
        ("工商", "150000-scjg"),
        ("地税", "150000-swj"),
        ("安监", "150000-yjglt"),
        ("环保", "150000-sthj"),
        ("银监", "150000-jrj"),
        ("卫计", "150000-wjw"),
    ],
)
def test_a_department_of_2014_leads_to_the_one_of_today(run: CliRunner, former: str, today: str) -> None:
    assert f"departments: {today}" in run.invoke(app, ["catalogue", "show", former]).output


def test_the_page_has_every_row_and_links_what_refers_to_it(run: CliRunner) -> None:
    page = run.invoke(app, ["catalogue", "page"]).output
    catalogue = load()
    for theme in THEMES:
        for code, _ in rows_of(catalogue, theme):
            assert f'<tr id="{code}">' in page
    assert '<a href="#FS2017-7">FS2017-7</a>' in page
    assert "<script" not in page


WRONG = [
    ("items.yaml", "providers: [judicial]", "providers: [nobody]", "items: C02-ENFORCEMENT: providers: nobody is not"),
    ("honours.yaml", "basis: [SSZSGL]", "basis: [NOLAW]", "honours: TAX_A: basis: NOLAW is not"),
    (
        "former_departments.yaml",
        "successors: [150000-sthj]",
        "successors: [x]",
        "F-HBT: successors: x is not",
    ),
    ("kept_out.yaml", "values: [SIMPLIFIED]", "values: [QUICK]", "kept_out: KO-SIMPLE-PERSON: values: QUICK is not"),
    ("restricted.yaml", "allowed_by: [CONSENT]", "allowed_by: []", "allowed_by is empty; name the instrument"),
    ("lists.yaml", "severe: false", "severe: false, scope: REGIONAL", "a regional list rests on a regional regulation"),
]


@pytest.mark.parametrize(("file", "before", "after", "told"), WRONG)
def test_wrong_data_is_told_with_file_row_field_and_remedy(
    run: CliRunner, tmp_path: Path, file: str, before: str, after: str, told: str
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    result = run.invoke(app, ["catalogue", "check", "--folder", str(folder)])
    assert result.exit_code == 1
    assert told in result.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("M09", "measures: M09-BENEFITS"),
        ("I03", "incentives: I03-TRADING"),
        ("C05", "items: C05-ABNORMAL"),
        ("HOUSING_FRAUD", "code_lists: Finding.category"),
    ],
)
def test_rows_are_found_by_the_number_of_the_national_catalogue_and_codes_by_themselves(
    run: CliRunner, asked: str, told: str
) -> None:
    assert told in run.invoke(app, ["catalogue", "show", asked]).output


def test_a_folder_and_the_edition_in_force_are_two_catalogues(run: CliRunner, tmp_path: Path) -> None:
    told = run.invoke(app, ["catalogue", "show", "L01", "--folder", str(tmp_path), "--in-force"])
    assert told.exit_code == 1
    assert "leave one out" in told.output
