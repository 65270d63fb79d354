"""Keeping parts few: look-ups slow down with their number.

Measured on the lab's engine: 20 parts cost ten times one, and a subject's file takes half the time when each of its
five tables is one part instead of four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creditbus.clickhouse.client import DATABASE, ClickHouse


@dataclass(frozen=True, slots=True)
class Tidiness:
    """When a table is merged into one part: merging writes all of it anew."""

    most_parts: int
    """A table with more parts than this, however large it is."""
    small_bytes: int
    """A table up to this size, as soon as it has two."""


def merge_crowded_tables(clickhouse: ClickHouse, tables: Sequence[str], tidiness: Tidiness) -> list[str]:
    """Merge each of these tables that has too many parts. Returns which."""
    rows = clickhouse.query(
        "SELECT table FROM system.parts WHERE database = {database:String} AND active "
        "GROUP BY table HAVING count() > {most:UInt32} OR (count() > 1 AND sum(bytes_on_disk) <= {small:UInt64}) "
        "ORDER BY table",
        {"database": DATABASE, "most": tidiness.most_parts, "small": tidiness.small_bytes},
    )
    crowded = [row["table"] for row in rows if row["table"] in tables]
    for table in crowded:
        clickhouse.command(f"OPTIMIZE TABLE {DATABASE}.{table} FINAL")
    return crowded
