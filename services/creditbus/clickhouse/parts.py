"""Keeping parts few: look-ups slow down with their number (measured: 20 parts cost ten times one)."""

from __future__ import annotations

from collections.abc import Sequence

from creditbus.clickhouse.client import DATABASE, ClickHouse


def merge_crowded_tables(clickhouse: ClickHouse, tables: Sequence[str], most_parts: int) -> None:
    """Merge each of these tables that has more than ``most_parts`` parts."""
    sql = (
        "SELECT table, count() AS parts FROM system.parts "
        "WHERE database = {database:String} AND active GROUP BY table HAVING parts > {most:UInt32}"
    )
    for row in clickhouse.query(sql, {"database": DATABASE, "most": most_parts}):
        if row["table"] in tables:
            clickhouse.command(f"OPTIMIZE TABLE {DATABASE}.{row['table']} FINAL")
