"""Deleting the rows of what is kept no longer (保存期限): the dossier says so in ``changes``, by the id of the event.

A table's resume point is its newest position, so the newest row of each log stays until another comes behind it; no
look-up shows a record meanwhile. Rows that a restart writes again are deleted again: the word of the dossier stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.ddl import Variant, delete_sql

_ABOUT = ("listings", "orders", "alerts", "changes")
"""Tables that tell of a record under its id; ``records`` goes last, since the others are found by it."""
_ID = re.compile(r"[0-9a-f]{16,64}")
_NEWEST = f"(SELECT src, kpart, max(koff) FROM {DATABASE}.{{table}} GROUP BY src, kpart)"  # noqa: S608 - own names


def delete_kept_no_longer(clickhouse: ClickHouse, variant: Variant, most: int = 500) -> int:
    """Delete the rows of some facts whose time is over; how many records that were. Raises BusError."""
    rows = clickhouse.query(
        f"SELECT record_id, event_key FROM {DATABASE}.records WHERE event_key IN "  # noqa: S608 - no value stands in the text
        f"(SELECT event_key FROM {DATABASE}.changes WHERE outcome = 'DELETED' AND event_key IS NOT NULL) "
        f"AND (src, kpart, koff) NOT IN {_NEWEST.format(table='records')} LIMIT {{most:UInt32}}",
        {"most": most},
    )
    records, events = _ids(row["record_id"] for row in rows), _ids(row["event_key"] for row in rows)
    if not records:
        return 0
    for table in _ABOUT:
        kept = " AND outcome != 'DELETED'" if table == "changes" else ""
        _delete(clickhouse, variant, table, f"record_id IN ({records}){kept}")
    _delete(clickhouse, variant, "records", f"event_key IN ({events})")
    return len({row["record_id"] for row in rows})


def _delete(clickhouse: ClickHouse, variant: Variant, table: str, where: str) -> None:
    newest = _NEWEST.format(table=table)
    clickhouse.command(delete_sql(table, f"{where} AND (src, kpart, koff) NOT IN {newest}", variant))


def _ids(values: Iterable[object]) -> str:
    """Ids as literals; they are hashes, and anything else is left alone."""
    found = sorted({str(one) for one in values if _ID.fullmatch(str(one))})
    return ", ".join(f"'{one}'" for one in found)
