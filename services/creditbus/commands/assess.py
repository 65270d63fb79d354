"""``creditbus assess``: how departments report, as table, bulletin (通报) or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from creditbus.bus.rules import present_edition
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.catalogue.editions import catalogue_from, compile_rules
from creditbus.catalogue.models import Catalogue
from creditbus.clickhouse.client import ClickHouse
from creditbus.commands.connecting import running
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.core.assessment import NO_SUPERVISION, Assessment, Indicator, Tally, score_of
from creditbus.core.records import BEIJING
from creditbus.lab.assessment import read_assessment

console = terminal()
_COLUMNS = (
    "归集 received",
    "入库 accepted",
    "迟报 late",
    "及时率 timely",
    "合规率 compliant",
    "覆盖率 coverage",
    "两书同达 noticed",
    "修复规范 repairs",
    "按期撤回 withdrawals",
    "得分 score",
)
_SUPERVISION_COLUMNS = ("督办 tickets", "逾期 overdue", "抽查 sampled", "瞒报 concealed")
_SHARES = ("timely", "compliant", "coverage", "noticed", "regular_repairs", "withdrawals")
_LEVELS = {"REGION": "自治区 region", "LEAGUE": "盟市 leagues", "COUNTY": "旗县 counties"}
_PERIOD_DAYS = 30
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day; the last thirty by default 日期")]


def register(app: typer.Typer) -> None:
    """Add `assess` to app."""
    app.command("assess")(run_assess)


def run_assess(
    since: Day = None,
    until: Day = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the bulletin. 输出通报。")] = False,
) -> None:
    """How departments report: in time, sound, complete; by department, league and level. 报送考核与通报。"""
    last = until.date() if until else datetime.now(BEIJING).date()
    first = since.date() if since else last - timedelta(days=_PERIOD_DAYS - 1)
    places = running()
    edition = present_edition(places.brokers)
    catalogue = catalogue_from(edition.text)
    with closing(ClickHouse(places.clickhouse_url)) as clickhouse:
        found = read_assessment(clickhouse, compile_rules(edition), first, last, body_reader(SchemaSet.load()))
    if as_json:
        print_json(as_document(found, catalogue))
    elif markdown:
        typer.echo(bulletin_of(found, catalogue, first, last), nl=False)
    else:
        for section in sections_of(found, catalogue):
            console.print(_table(*section))


def indicators_of(catalogue: Catalogue) -> list[Indicator]:
    """The indicators as values."""
    return [
        Indicator(
            code=row.code, kind=row.kind, weight=row.weight, metric=row.metric, floor=row.floor, cap=row.cap
        )
        for row in catalogue.indicators
    ]  # fmt: skip


def sections_of(found: Assessment, catalogue: Catalogue) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """(title, columns, rows) of departments from best to worst, of leagues, of levels, of supervision."""
    indicators = indicators_of(catalogue)
    departments = {row.code: row.zh for row in catalogue.departments}
    regions = {row.code: row.zh for row in catalogue.regions}
    scores = {code: score_of(tally, indicators) for code, tally in found.departments.items()}
    order = sorted(scores, key=lambda code: (scores[code] is None, -(scores[code] or 0), code))
    ranked = {code: found.departments[code] for code in order}
    yield "成员单位 Departments", _COLUMNS, _rows(ranked, departments, indicators)
    yield "盟市 Leagues and cities", _COLUMNS, _rows(dict(sorted(found.leagues.items())), regions, indicators)
    yield "层级 Levels", _COLUMNS, _rows(found.levels, _LEVELS, indicators)
    supervised = _supervised_rows(ranked, departments)
    if supervised:
        yield "督办与抽查 Supervision", _SUPERVISION_COLUMNS, supervised


def bulletin_of(found: Assessment, catalogue: Catalogue, since: date, until: date) -> str:
    """The periodic bulletin (通报) as Markdown."""
    lines = [f"# 公共信用信息报送通报 Bulletin {since} – {until}"]
    for title, columns, rows in sections_of(found, catalogue):
        lines += ["", f"## {title}", "", _line(["名称 name", *columns]), _line(["---"] * (len(columns) + 1))]
        lines += map(_line, rows)
    silent = [row.zh for row in catalogue.departments if not _sent(found.departments.get(row.code))]
    unmeasured = [row.zh for row in catalogue.indicators if not row.metric]
    lines += ["", "## 本期未报送 Nothing sent", "", "、".join(silent) or "无 none"]
    lines += ["", f"未计入得分（须在平台外核查）not measured here: {'、'.join(unmeasured)}"]
    return "\n".join(lines) + "\n"


def as_document(found: Assessment, catalogue: Catalogue) -> dict[str, Any]:
    """The report as JSON."""
    indicators = indicators_of(catalogue)
    parts = {"departments": found.departments, "leagues": found.leagues, "levels": found.levels}
    return {name: {code: _document(one, indicators) for code, one in part.items()} for name, part in parts.items()}


def _document(tally: Tally, indicators: Sequence[Indicator]) -> dict[str, Any]:
    counts = {"received": tally.received, "accepted": tally.accepted, "rejected": tally.rejected, "late": tally.late}
    supervised = asdict(tally.supervised)
    return {**counts, "supervision": supervised, "shares": tally.shares(), "score": score_of(tally, indicators)}


def _sent(tally: Tally | None) -> bool:
    return tally is not None and tally.received > 0


def _rows(tallies: Mapping[str, Tally], names: Mapping[str, str], indicators: Sequence[Indicator]) -> list[list[str]]:
    found = []
    for code, tally in tallies.items():
        shares, score = tally.shares(), score_of(tally, indicators)
        told = [f"{shares[name]:.1%}" if name in shares else "–" for name in _SHARES]
        counts = [f"{one:,}" for one in (tally.received, tally.accepted, tally.late)]
        found.append([names.get(code, code or "–"), *counts, *told, "–" if score is None else f"{score:.1f}"])
    return found


def _supervised_rows(tallies: Mapping[str, Tally], names: Mapping[str, str]) -> list[list[str]]:
    """Of the departments that were told to mend something or were checked."""
    chosen = {code: tally.supervised for code, tally in tallies.items() if tally.supervised != NO_SUPERVISION}
    return [
        [names.get(code, code), *(f"{one:,}" for one in (row.tickets, row.overdue, row.sampled, row.concealed))]
        for code, row in chosen.items()
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = WholeTable(title=title)
    for column in ("名称 name", *columns):
        table.add_column(column, justify="left" if column.startswith("名称") else "right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
