"""Rows of two-publicity files → events or faults."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.import_columns import ImportColumns, load_import_columns
from creditbus.client.importing.columns import KINDS, Layout, find_header, lay_out
from creditbus.client.importing.files import TableFile
from creditbus.client.importing.row import code_of
from creditbus.client.importing.rows import Context, Imported, to_event
from creditbus.core.forms import compile_reader
from creditbus.core.outcome import Fault, Ok, Reason, Reject

DATA = Path(__file__).parents[2] / "data"
TABLE = load_import_columns()
CONTEXT = Context(
    sender="150100-scjg",
    item="C03-PENALTY",
    authority="111500000115123431",
    region="150100",
    instruments={"中华人民共和国食品安全法": "SPAQF", "中华人民共和国行政处罚法": "XZCFF", "XZCFF": "XZCFF"},
    reported_at="2026-11-23T09:30:00+08:00",
    fictitious=False,
)
PENALTY = {
    "行政相对人名称": "示例有限公司",
    "行政相对人类别": "02",
    "统一社会信用代码": "91150102MA0N123408",
    "行政处罚决定书文号": "呼市监罚字〔2026〕第1号",
    "违法行为类型": "虚假宣传",
    "违法事实": "发布虚假广告",
    "处罚依据": "《中华人民共和国行政处罚法》第九条",
    "处罚类别": "罚款",
    "处罚内容": "罚款一万元",
    "罚款金额（万元）": "1",
    "处罚决定日期": "2026-11-20",
}


def layout_of(headers: list[str], kind: str | None = None) -> Layout:
    layout = lay_out(headers, TABLE, kind)
    assert isinstance(layout, Layout)
    return layout


def read_penalty(**changes: str) -> Imported | tuple[Fault, ...]:
    row = {**PENALTY, **changes}
    outcome = to_event(list(row.values()), layout_of(list(row)), TABLE, CONTEXT)
    return outcome.value if isinstance(outcome, Ok) else outcome.faults


def test_rows_of_an_initial_load_say_so_and_others_say_nothing() -> None:
    layout, cells = layout_of(list(PENALTY)), list(PENALTY.values())
    loaded = to_event(cells, layout, TABLE, replace(CONTEXT, load_id="first"))
    assert isinstance(loaded, Ok)
    assert loaded.value.body["load_id"] == "first"
    assert "load_id" not in body_of()


def body_of(**changes: str) -> dict[str, object]:
    found = read_penalty(**changes)
    assert isinstance(found, Imported)
    return dict(found.body)


def facts_of(**changes: str) -> dict[str, object]:
    facts = body_of(**changes)["facts"]
    assert isinstance(facts, dict)
    return facts


def reasons_of(**changes: str) -> list[Reason]:
    found = read_penalty(**changes)
    assert isinstance(found, tuple)
    return [fault.code for fault in found]


def events_of(path: Path) -> Iterator[Ok[Imported] | Reject]:
    lines = list(TableFile(path).lines())
    header = find_header([line.cells for line in lines], TABLE)
    assert header is not None
    layout = layout_of(list(lines[header].cells))
    return (to_event(line.cells, layout, TABLE, CONTEXT) for line in lines[header + 1 :])


def test_a_permit_row_becomes_a_permit_event() -> None:
    first = next(events_of(DATA / "permits-gb18030.csv"))
    assert isinstance(first, Ok)
    body = first.value.body
    assert body["kind"] == "Permit"
    assert body["fictitious"] is True
    assert body["subject"] == {
        "kind": "LEGAL_PERSON",
        "name": "内蒙古包钢钢联股份有限公司（虚构事项）",
        "identifiers": [{"scheme": "USCC", "value": "91150000701463622D"}],
    }
    assert body["document"] == {
        "number": "呼市监许准字[2026]第1号",
        "title": "准予行政许可决定书",
        "item_number": "",
        "decided_on": "2026-11-16",
        "served_on": None,
        "url": None,
    }
    assert body["facts"] == {
        "category": "01",
        "certificate_name": "食品经营许可证",
        "certificate_number": "JY11501000000001",
        "content": "热食类食品销售（单位食堂）",
        "valid_from": "2026-11-16",
        "valid_until": "2031-11-15",
        "state": "VALID",
    }


def test_a_penalty_row_becomes_a_penalty_event_with_amounts_in_fen() -> None:
    first = next(events_of(DATA / "penalties-gb18030.csv"))
    assert isinstance(first, Ok)
    assert first.value.body["bases"] == [{"instrument": "SPAQF", "article": "第一百二十四条第一款第（五）项"}]
    assert first.value.body["facts"] == {
        "procedure": "GENERAL",
        "violation": "经营超过保质期的食品",
        "facts": "经营超过保质期的食品3件，货值 86 元",
        "penalty_types": ["FINE", "CONFISCATION"],
        "content": "罚款五千元，没收违法所得 86 元",
        "fine_fen": 500_000,
        "confiscated_fen": 8_600,
        "licence": None,
        "severity": "GENERAL",
        "is_final": True,
        "final_on": None,
        "publish_until": "2027-02-10",
        "repair_notice_on": None,
    }


@pytest.mark.parametrize("pair", [("permits-utf8.csv", "permits-gb18030.csv"),
                                  ("penalties-utf8.csv", "penalties-gb18030.csv")])  # fmt: skip
def test_encoding_and_separator_change_nothing(pair: tuple[str, str]) -> None:
    assert list(events_of(DATA / pair[0])) == list(events_of(DATA / pair[1]))


def test_every_event_of_the_samples_fits_its_schema() -> None:
    readers = {kind: compile_reader(SchemaSet.load().events[kind].definition) for kind in KINDS}
    for path in DATA.glob("p*.csv"):
        for outcome in events_of(path):
            if isinstance(outcome, Ok):
                faults: list[Fault] = []
                body = dict(outcome.value.body)
                readers[str(body.pop("kind"))](body, "", faults)
                assert faults == []


def test_a_natural_person_is_named_by_the_citizen_number_alone() -> None:
    persons = [one for one in events_of(DATA / "penalties-utf8.csv") if isinstance(one, Ok)]
    subject = persons[2].value.body["subject"]
    assert subject == {
        "kind": "NATURAL_PERSON",
        "name": "示例人",
        "identifiers": [{"scheme": "CITIZEN", "value": "15010519900101000X"}],
    }


def test_all_faults_of_a_row_are_named_by_the_headers_of_the_file() -> None:
    last = list(events_of(DATA / "penalties-utf8.csv"))[-1]
    assert isinstance(last, Reject)
    assert {(fault.code, fault.field) for fault in last.faults} == {
        (Reason.MISSING_DOCUMENT_NUMBER, "CF_WSH"),
        (Reason.BAD_AMOUNT, "CF_NR_FK"),
        (Reason.IMPOSSIBLE_DATE, "CF_JDRQ"),
    }


def test_importing_a_row_twice_gives_the_same_event_id() -> None:
    assert body_of()["event_id"] == body_of()["event_id"]


def test_the_spelling_of_a_document_number_does_not_change_the_event_id() -> None:
    assert body_of()["event_id"] == body_of(行政处罚决定书文号="呼市监罚字 [２０２６] 第1号")["event_id"]


def test_another_subject_item_or_document_gives_another_event_id() -> None:
    ids = {
        body_of(**changes)["event_id"]
        for changes in ({}, {"统一社会信用代码": "9133"}, {"事项序号": "2"}, {"行政处罚决定书文号": "x"})
    }
    assert len(ids) == 4


def test_an_amount_is_read_in_the_unit_of_its_header() -> None:
    row = {**PENALTY, "没收金额（元）": "12.50"}
    outcome = to_event(list(row.values()), layout_of(list(row)), TABLE, CONTEXT)
    assert isinstance(outcome, Ok)
    facts = outcome.value.body["facts"]
    assert isinstance(facts, dict)
    assert (facts["fine_fen"], facts["confiscated_fen"]) == (1_000_000, 1_250)


def test_nothing_said_about_finality_means_not_final() -> None:
    assert facts_of()["is_final"] is False
    assert facts_of(确定日期="2026-11-22")["is_final"] is True
    assert facts_of(是否已确定="未确定")["is_final"] is False


def test_several_penalty_types_stand_in_one_cell() -> None:
    assert facts_of(处罚类别="警告、罚款,没收违法所得")["penalty_types"] == ["WARNING", "FINE", "CONFISCATION"]
    assert reasons_of(处罚类别="警告、口头教训") == [Reason.UNKNOWN_CODE]


def test_a_basis_outside_the_catalogue_is_a_fault() -> None:
    assert reasons_of(处罚依据="《某某暂行办法》第三条") == [Reason.UNKNOWN_BASIS]
    assert body_of(处罚依据="《行政处罚法》第九条")["bases"] == [{"instrument": "XZCFF", "article": "第九条"}]


def test_an_unquoted_separator_spoils_the_row_and_is_told() -> None:
    outcome = to_event([*PENALTY.values(), "moved"], layout_of(list(PENALTY)), TABLE, CONTEXT)
    assert isinstance(outcome, Reject)
    assert [fault.code for fault in outcome.faults] == [Reason.UNKNOWN_FIELD]


def test_a_passport_does_not_name_a_subject_yet() -> None:
    changes = {"行政相对人类别": "01", "统一社会信用代码": "", "证件类型": "护照", "证件号码": "E12345678"}
    assert reasons_of(**changes) == [Reason.UNKNOWN_CODE]


def test_a_correction_carries_its_revision() -> None:
    assert body_of(版本号="2")["revision"] == 2
    assert reasons_of(版本号="0") == [Reason.BAD_REVISION]


def test_longer_words_win_over_the_words_inside_them() -> None:
    assert code_of("无效（注销）", TABLE.values["state"]) == "INVALID"
    assert code_of("非法人组织", TABLE.values["subject_kind"]) == "LEGAL_PERSON"


def test_the_kind_follows_from_the_columns() -> None:
    assert layout_of(["XK_XDR_MC", "XK_WSH", "XK_NR", "XK_JDRQ"]).kind == "Permit"
    assert layout_of(list(PENALTY)).kind == "Penalty"


def test_two_columns_of_one_meaning_are_refused_by_name() -> None:
    assert lay_out(["行政相对人名称", "企业名称"], TABLE) == "企业名称"


def test_columns_that_are_not_sent_are_told_apart_from_unknown_ones() -> None:
    assert layout_of([*PENALTY, "法定代表人身份证号", "错误/errors", "行号/line", "心情"]).unknown == ("心情",)


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "01", "2026-02-30", "长期", "-1", "１２", "《", "《》第条", "1e9", "9" * 40, "是", "\x00", "²"]
    ),
    st.sampled_from(list(PENALTY.values())),
)
HEADERS = st.lists(
    st.sampled_from(sorted(TABLE.by_header)), unique_by=lambda header: TABLE.by_header[header], min_size=1
)


@given(headers=HEADERS, cells=st.lists(CELLS, max_size=50), kind=st.sampled_from(KINDS))
def test_any_row_ends_as_an_event_or_as_faults(headers: list[str], cells: list[str], kind: str) -> None:
    outcome = to_event(cells, layout_of(headers, kind), TABLE, CONTEXT)
    assert isinstance(outcome, Ok) or outcome.faults


@given(changed=st.dictionaries(st.sampled_from(sorted(PENALTY)), CELLS))
def test_what_is_taken_for_an_event_fits_the_schema(changed: dict[str, str]) -> None:
    found = read_penalty(**changed)
    if isinstance(found, Imported):
        faults: list[Fault] = []
        READ_PENALTY({name: value for name, value in found.body.items() if name != "kind"}, "", faults)
        assert faults == []


READ_PENALTY = compile_reader(SchemaSet.load().events["Penalty"].definition)


def test_no_header_of_the_table_is_used_twice() -> None:
    assert isinstance(TABLE, ImportColumns)
    assert not TABLE.ignored & TABLE.by_header.keys()


def test_the_samples_are_marked_fictitious() -> None:
    for path in DATA.glob("p*-utf8.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert {row["虚构"] for row in csv.DictReader(file)} == {"是"}
