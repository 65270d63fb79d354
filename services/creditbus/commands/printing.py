"""How commands print: tables that cut nothing short for people, one JSON document on standard output for programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Column, Table

from creditbus.core.records import BEIJING

_WIDE = 160
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs. 输出 JSON，供程序读取。")]


def iso_time(at_ms: int) -> str:
    """A time of the log (milliseconds since 1970) as ISO 8601, in China's time."""
    return datetime.fromtimestamp(at_ms / 1000, BEIJING).isoformat(timespec="milliseconds")


def minute(at_ms: int) -> str:
    """A time of the log for people, in China's time."""
    return f"{datetime.fromtimestamp(at_ms / 1000, BEIJING):%Y-%m-%d %H:%M}"


def picked(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """These fields of a message, for a document."""
    return {name: row[name] for name in names}


def id_column(header: str) -> Column:
    """A column of ids, each in one line even where others have to fold for it."""
    return Column(header, no_wrap=True, overflow="fold")


def terminal(*, stderr: bool = False) -> Console:
    """Where a command prints. Into a file or another program lines are wide, unless COLUMNS says how wide."""
    console = Console(stderr=stderr)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, width=shutil.get_terminal_size((_WIDE, 25)).columns)


class WholeTable(Table):
    """A table whose values go on in the next line where they do not fit: an id that is cut short cannot be copied."""

    def add_column(self, header: RenderableType = "", footer: RenderableType = "", **look: Any) -> None:
        """As of any table, folded."""
        super().add_column(header, footer, **{"overflow": "fold", **look})

    def add_row(self, *cells: RenderableType | None, **look: Any) -> None:
        """As of any table, which makes the columns that are missing without asking."""
        while len(self.columns) < len(cells):
            self.add_column()
        super().add_row(*cells, **look)


def print_json(document: Any) -> None:
    """Print a document of plain values: texts, numbers, truth values, lists and dicts."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def counted(counts: Mapping[str, int]) -> str:
    """Amounts by name, in the order of the names."""
    return ", ".join(f"{name} {amount:,}" for name, amount in sorted(counts.items())) or "–"
