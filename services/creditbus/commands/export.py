"""``creditbus export``: public permits and penalties, and a department's orders, as files that `import` reads again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.bus.rules import rules_in_force
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.catalogue.import_columns import load_import_columns
from creditbus.clickhouse.client import ClickHouse
from creditbus.client.exporting import COLUMNS, headers_of, row_of, write_csv, write_xlsx
from creditbus.client.orderfiles import HEADERS, order_row, unanswered
from creditbus.client.orderfiles import KIND as ORDERS
from creditbus.commands.connecting import running
from creditbus.commands.printing import terminal
from creditbus.core.records import BEIJING
from creditbus.core.rules import Rules
from creditbus.core.subscribers import families_of
from creditbus.lab.exporting import read_answers, read_orders, read_records

console = terminal()
_KINDS = (*COLUMNS, ORDERS)
_WRITERS = {".csv": write_csv, ".xlsx": write_xlsx}


def register(app: typer.Typer) -> None:
    """Add `export` to app."""
    app.command("export")(export)


def export(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(_KINDS)} 种类")],
    file: Annotated[Path, typer.Argument(help="File to write, .csv or .xlsx 文件")],
    department: Annotated[str, typer.Option(help=f"Of {ORDERS}: whose orders. 指令的实施单位代码。")] = "",
    of_list: Annotated[str, typer.Option("--list", help=f"Of {ORDERS}: of this list alone. 仅限该名单。")] = "",
) -> None:
    """Write what of organisations is published today, or the orders that a department has not answered.

    导出双公示公开数据，或某单位尚未反馈的惩戒措施指令：填写后可直接导入。"""
    write = _WRITERS.get(file.suffix.lower())
    if write is None or kind not in _KINDS:
        console.print(f"[red]✗[/] choose {' or '.join(_KINDS)} and a file ending in .csv or .xlsx 种类或文件名不对")
        raise typer.Exit(2)
    places = running()
    rules, day = rules_in_force(places.brokers), datetime.now(BEIJING).date()
    families = families_of(department, day, rules)
    if kind == ORDERS and not families or of_list and of_list not in rules.lists:
        console.print(
            "[red]✗[/] --department: a subscriber of the edition in force (creditbus catalogue list subscribers); "
            "--list: one of its lists 请填写目录中的措施实施单位和名单代码"
        )
        raise typer.Exit(2)
    with closing(ClickHouse(places.clickhouse_url)) as clickhouse:
        if kind == ORDERS:
            count = write(file, HEADERS, order_rows(clickhouse, department, families, of_list, rules))
        else:
            header = headers_of(kind, load_import_columns())
            count = write(file, header, published_rows(clickhouse, kind, day, rules))
    console.print(f"[green]✓[/] {escape(str(file))}: {count:,} rows 行", highlight=False)


def order_rows(
    clickhouse: ClickHouse, department: str, families: Mapping[str, bool], of_list: str, rules: Rules
) -> Iterator[Sequence[str]]:
    """The rows of orders whose last message a department has not answered. Raises BusError."""
    table, answers = load_import_columns(), read_answers(clickhouse, department)
    for order in unanswered(read_orders(clickhouse, families, of_list), department, answers):
        yield order_row(order, department, rules, table)


def published_rows(clickhouse: ClickHouse, kind: str, day: date, rules: Rules) -> Iterator[list[str]]:
    """The rows of a kind that are published on a day. Raises BusError."""
    table = load_import_columns()
    for record in read_records(clickhouse, body_reader(SchemaSet.load()), kind):
        row = row_of(record, day, rules, table)
        if row is not None:
            yield row
