"""The lab's ClickHouse: the embedded engine behind its HTTP front, as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import creditbus
from creditbus.lab.process import BEHIND, Process, answers_http

CLICKHOUSE = "clickhouse"


def clickhouse_process(folder: Path, port: int, host: str = "127.0.0.1") -> Process:
    """What to run. folder: where the engine keeps its data; made when missing, for this user alone."""
    address = f"http://{host}:{port}"
    return Process(
        name=CLICKHOUSE,
        argv=(sys.executable, "-m", "creditbus.clickhouse.front"),
        env={
            "CREDITBUS_CLICKHOUSE_FRONT_PORT": str(port),
            "CREDITBUS_CLICKHOUSE_FRONT_DATA": str(folder),
            **python_environment(),
        },
        prepare=lambda: make_folders(folder),
        is_ready=lambda: answers_http(f"{address}/ping"),
        port=port,
        address=address,
        niceness=BEHIND,
    )


def python_environment() -> dict[str, str]:
    """What every Python process of the stack gets: this very package, and memory that does not grow by threads."""
    source_root = str(Path(creditbus.__path__[0]).parent)
    return {"PYTHONPATH": source_root, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


def make_folders(*folders: Path) -> None:
    """Make folders for secrets and personal data: for this user alone."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
