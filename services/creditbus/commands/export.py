"""``creditbus export``: the public permits and penalties as files, in the formats that departments use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.import_columns import load_import_columns
from creditbus.catalogue.loader import load
from creditbus.clickhouse.client import ClickHouse
from creditbus.client.exporting import COLUMNS, headers_of, row_of, write_csv, write_xlsx
from creditbus.core.errors import BusError
from creditbus.core.records import BEIJING
from creditbus.lab.exporting import read_records
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import addresses

console = Console()
_WRITERS = {".csv": write_csv, ".xlsx": write_xlsx}


def register(app: typer.Typer) -> None:
    """Add `export` to app."""
    app.command("export")(export)


def export(
    kind: Annotated[str, typer.Argument(help=f"{' or '.join(COLUMNS)} 种类")],
    file: Annotated[Path, typer.Argument(help="File to write, .csv or .xlsx 文件")],
) -> None:
    """Write what of organisations is published today, in the two-publicity format. 导出双公示公开数据。"""
    write = _WRITERS.get(file.suffix.lower())
    if write is None or kind not in COLUMNS:
        console.print(f"[red]✗[/] choose {' or '.join(COLUMNS)} and a file ending in .csv or .xlsx 种类或文件名不对")
        raise typer.Exit(2)
    clickhouse = ClickHouse(addresses(load_settings()).clickhouse_url)
    try:
        header = headers_of(kind, load_import_columns())
        count = write(file, header, published_rows(clickhouse, kind, datetime.now(BEIJING).date()))
    except BusError as error:
        console.print(f"[red]✗[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(2) from error
    finally:
        clickhouse.close()
    console.print(f"[green]✓[/] {escape(str(file))}: {count:,} rows 行", highlight=False)


def published_rows(clickhouse: ClickHouse, kind: str, day: date) -> Iterator[list[str]]:
    """The rows of a kind that are published on a day. Raises BusError."""
    rules, table = compile_rules(edition_of(load())), load_import_columns()
    for record in read_records(clickhouse, body_reader(SchemaSet.load()), kind):
        row = row_of(record, day, rules, table)
        if row is not None:
            yield row
