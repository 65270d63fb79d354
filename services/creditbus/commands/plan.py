"""``creditbus plan``: the 144 rows of the plan, and what serves each."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from creditbus.catalogue.plan import PlanRow, load_plan, plan_as_markdown
from creditbus.commands.printing import WholeTable, terminal

console = terminal()
_COLOURS = {"works": "green", "open": "yellow", "outside": "dim"}


def register(app: typer.Typer) -> None:
    """Add `plan` to app."""
    app.command("plan")(plan)


def plan(
    number: Annotated[int | None, typer.Argument(help="A row, 1 to 144 行号")] = None,
    state: Annotated[str | None, typer.Option("--state", help="works, open or outside 状态")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The text of docs/plan.md 输出文档")] = False,
) -> None:
    """What the plan names and what serves it here. 行动计划对照表。"""
    rows = load_plan()
    if markdown:
        typer.echo(plan_as_markdown(rows), nl=False)
        return
    chosen = [row for row in rows if number in (None, row.row) and state in (None, row.state)]
    if not chosen:
        console.print("[red]✗[/] no such row: rows are 1 to 144, states works, open, outside 没有该行")
        raise typer.Exit(1)
    console.print(_table(chosen))
    counts: Counter[str] = Counter(row.state for row in chosen)
    console.print(", ".join(f"{counts[name]} {name}" for name in _COLOURS))


def _table(rows: list[PlanRow]) -> Table:
    table = WholeTable(title="行动计划 The plan")
    for column in ("no. 行", "§", "名称", "state 状态", "served by 对应", "note 说明"):
        table.add_column(column)
    for row in rows:
        shown = f"[{_COLOURS[row.state]}]{row.state}[/]"
        note = " ".join(filter(None, (row.note_zh, row.note_en)))
        table.add_row(str(row.row), row.section, escape(row.zh), shown, escape(", ".join(row.by)), escape(note))
    return table
