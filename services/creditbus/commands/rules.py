"""``creditbus rules``: what a change of the rules would do, and how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.commands.connecting import connected
from creditbus.commands.editions import add_to
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.core.receipt import Receipt
from creditbus.lab.backtest import Group, Report, backtest

_DIMENSIONS = {"region": "盟市", "trade": "行业门类", "size": "注册资本", "department": "认定单位"}


def register(app: typer.Typer) -> None:
    """Add the group to app."""
    group = typer.Typer(help="Rule sets: try a change, and make it. 规则集的试算与启用。", no_args_is_help=True)
    group.command("backtest")(run_backtest)
    add_to(group)
    app.add_typer(group, name="rules")


def run_backtest(
    before: Annotated[Path, typer.Argument(help="Folder of a catalogue, such as the one in force 现行目录文件夹")],
    after: Annotated[Path, typer.Argument(help="Folder of the catalogue to try 拟用目录文件夹")],
    as_json: AsJson = False,
) -> None:
    """Decide the whole log under both, and tell who changes grade or list, and where. 以两套规则重算日志并比较。"""
    console = terminal(stderr=as_json)
    rule_sets = (compile_rules(edition_of(load(before))), compile_rules(edition_of(load(after))))
    with connected() as (places, registry), console.status("deciding the log twice 重算日志 …") as status:

        def told(_topic: str, count: int) -> None:
            status.update(f"{count:,} messages 条消息 …")

        report = backtest(places.brokers, registry, rule_sets, told)
    if as_json:
        print_json(as_document(report))
    else:
        _show(console, report)


def as_document(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "subjects": report.subjects,
        "better": report.all.better,
        "worse": report.all.worse,
        "grades": {f"{old} → {new}": count for (old, new), count in sorted(report.grades.items())},
        "groups": {
            name: {value: _as_values(report, group) for value, group in sorted(groups.items())}
            for name, groups in report.groups.items()
        },
        "listed": dict(report.listed),
        "delisted": dict(report.delisted),
        "samples": [{"before": old.as_json(), "after": new.as_json()} for old, new in report.moved],
    }


def _as_values(report: Report, group: Group) -> dict[str, float | None]:
    numbers = {"scored": group.scored, "better": group.better, "worse": group.worse}
    return {**numbers, "disparity": report.disparity(group)}


def _show(console: Console, report: Report) -> None:
    changed = f"{report.all.better:,} better 变好, {report.all.worse:,} worse 变差"
    console.print(f"{report.subjects:,} subjects 主体: {changed}", highlight=False)
    grades = WholeTable("grade before 原等级", "after 新等级", "subjects 主体数")
    for (before, after), count in sorted(report.grades.items()):
        grades.add_row(before, after, f"{count:,}")
    console.print(grades)
    for name, groups in report.groups.items():
        table = WholeTable(
            f"{name} {_DIMENSIONS[name]}", "scored 评价数", "better 变好", "worse 变差", "disparity 差异倍数"
        )
        for value, group in sorted(groups.items()):
            times = report.disparity(group)
            shown = "–" if times is None else f"{times:.2f}"
            table.add_row(value, f"{group.scored:,}", f"{group.better:,}", f"{group.worse:,}", shown)
        console.print(table)
    for what, counts in (("onto 列入", report.listed), ("off 移出", report.delisted)):
        for code, count in sorted(counts.items()):
            console.print(f"{what} {code}: {count:,}", highlight=False)
    for old, new in report.moved:
        console.print(f"{new.subject_key}: {old.score} {old.grade} → {new.score} {new.grade}", highlight=False)
        for document, points in _differences(old, new):
            console.print(f"   {escape(document)}: {points}", highlight=False)


def _differences(old: Receipt, new: Receipt) -> list[tuple[str, str]]:
    before = {line.record_id: line for line in old.lines}
    after = {line.record_id: line for line in new.lines}
    found = []
    for record_id in dict.fromkeys((*before, *after)):
        line, was = after.get(record_id), before.get(record_id)
        points = (was.points if was else 0, line.points if line else 0)
        if points[0] != points[1]:
            shown = line or was
            assert shown is not None
            found.append((shown.document_number, f"{points[0]:+} → {points[1]:+}"))
    return found[:6]
