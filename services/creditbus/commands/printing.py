"""What a command prints for programs: one JSON document on standard output, and nothing else there."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from creditbus.core.records import BEIJING

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs. 输出 JSON，供程序读取。")]


def iso_time(at_ms: int) -> str:
    """A time of the log (milliseconds since 1970) as ISO 8601, in China's time."""
    return datetime.fromtimestamp(at_ms / 1000, BEIJING).isoformat(timespec="milliseconds")


def print_json(document: Any) -> None:
    """Print a document of plain values: texts, numbers, truth values, lists and dicts."""
    print(json.dumps(document, ensure_ascii=False, indent=2))
