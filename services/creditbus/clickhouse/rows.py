"""Where the warehouse's rows go: one insert is one part, and carries its position with it.

The rename of the part is the only commit: rows, position and projection appear together or not at all. Identity is
the table's key, so rows that are written twice are seen once (FINAL).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from creditbus.clickhouse.avro_container import container
from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.ddl import TableSpec
from creditbus.core.ports import PositionedRow


class ClickHouseRows:
    """core.ports.RowSink on a ClickHouse server or the front."""

    def __init__(self, clickhouse: ClickHouse, tables: Mapping[str, TableSpec]) -> None:
        self._clickhouse = clickhouse
        self._tables = tables

    def positions(self, table: str, src: str) -> dict[int, int]:
        """See RowSink."""
        # names are those of our own tables; the log's name is bound by the server
        sql = f"SELECT kpart, max(koff) AS newest FROM {DATABASE}.{table} WHERE src = {{src:String}} GROUP BY kpart"  # noqa: S608
        return {int(row["kpart"]): int(row["newest"]) for row in self._clickhouse.query(sql, {"src": src})}

    def flush(self, table: str, rows: Sequence[PositionedRow]) -> None:
        """See RowSink. Tables have no partitions of their own, so that one block is one part (ddl.py)."""
        spec = self._tables[table]
        self._clickhouse.insert_avro(table, spec.columns, container(spec.schema, rows))


class MemoryRows:
    """The sink in memory, for tests: rows by their place in the log."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[tuple[int, int], bytes]] = {}

    def positions(self, table: str, src: str) -> dict[int, int]:
        """See RowSink."""
        newest: dict[int, int] = {}
        for partition, offset in self._rows.get((table, src), {}):
            newest[partition] = max(offset, newest.get(partition, -1))
        return newest

    def flush(self, table: str, rows: Sequence[PositionedRow]) -> None:
        """See RowSink."""
        for row in rows:
            self._rows.setdefault((table, row.src), {})[row.partition, row.offset] = row.payload

    def count(self, table: str, src: str) -> int:
        """How many rows the table shows for that log."""
        return len(self._rows.get((table, src), {}))
