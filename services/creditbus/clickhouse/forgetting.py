"""Deleting the rows of persons that were forgotten: parts are rewritten without them, nothing is only hidden."""

from __future__ import annotations

from collections.abc import Mapping

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.ddl import TableSpec, Variant, delete_sql

FORGOTTEN = "forgotten"
KEPT = frozenset({FORGOTTEN, "access"})
"""Who looked at a person stays on the ledger: it holds whoever looked to account, and its key leads to nobody."""
_OF_THEM = f"subject_key IN (SELECT subject_key FROM {DATABASE}.{FORGOTTEN})"  # noqa: S608 - our own names


def forgotten_subjects(clickhouse: ClickHouse) -> set[str]:
    """Everybody whose rows are deleted, and stay so."""
    rows = clickhouse.query(f"SELECT DISTINCT subject_key FROM {DATABASE}.{FORGOTTEN}")  # noqa: S608
    return {str(row["subject_key"]) for row in rows}


def delete_forgotten(clickhouse: ClickHouse, tables: Mapping[str, TableSpec], variant: Variant) -> int:
    """Delete what is left of them; returns how many rows that were. It returns when they are gone from the disk."""
    deleted = 0
    for name, spec in tables.items():
        if name in KEPT or "subject_key" not in spec.columns:
            continue
        (found,) = clickhouse.query(f"SELECT count() AS rows FROM {DATABASE}.{name} WHERE {_OF_THEM}")  # noqa: S608
        if found["rows"]:
            clickhouse.command(delete_sql(name, _OF_THEM, variant))
            deleted += int(found["rows"])
    return deleted
