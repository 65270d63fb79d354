"""The sinks keep their contract; the real one refuses a damaged row together with its insert, and survives kill -9."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders import access_payload
from contract.rows import TABLE, Make, RowSinkContract
from creditbus.bus.schemas import SchemaSet
from creditbus.clickhouse.client import ClickHouse, QueryError
from creditbus.clickhouse.ddl import Variant, create_table_sql, drop_table_sql
from creditbus.clickhouse.rows import ClickHouseRows, MemoryRows
from creditbus.core.errors import BusError, ReconnectError, RetryLaterError
from creditbus.core.ports import PositionedRow, RowSink
from creditbus.lab.clickhouse import clickhouse_process
from creditbus.lab.process import running
from creditbus.warehouse.app import create_tables, tables_to_fill
from creditbus.warehouse.tables import table_specs
from waiting import wait_until


@pytest.fixture
def row() -> Make:
    def make(src: str, offset: int, partition: int = 0) -> PositionedRow:
        return PositionedRow(src, partition, offset, access_payload(f"{src}-{partition}-{offset}"))

    return make


def real_sink(client: ClickHouse) -> ClickHouseRows:
    schemas = SchemaSet.load()
    create_tables(client, schemas)
    return ClickHouseRows(client, table_specs(schemas))


def count(client: ClickHouse, src: str) -> int:
    sql = f"SELECT count() AS n FROM creditbus.{TABLE} FINAL WHERE src = {{src:String}}"
    return int(client.query(sql, {"src": src})[0]["n"])


class TestMemoryRows(RowSinkContract):
    @pytest.fixture
    def sink(self) -> MemoryRows:
        return MemoryRows()

    def shown(self, sink: RowSink, src: str) -> int:
        assert isinstance(sink, MemoryRows)
        return sink.count(TABLE, src)


@pytest.mark.integration
class TestClickHouseRows(RowSinkContract):
    @pytest.fixture
    def client(self, clickhouse_url: str) -> Iterator[ClickHouse]:
        client = ClickHouse(clickhouse_url)
        client.command("DROP DATABASE IF EXISTS creditbus")
        yield client
        client.close()

    @pytest.fixture
    def sink(self, client: ClickHouse) -> ClickHouseRows:
        return real_sink(client)

    def shown(self, sink: RowSink, src: str) -> int:
        assert isinstance(sink, ClickHouseRows)
        return count(sink._clickhouse, src)

    @pytest.mark.parametrize("damage", [b"", b"\x02", b"\xff" * 12])
    def test_a_damaged_row_refuses_the_insert_as_a_whole(
        self, sink: RowSink, row: Make, src: str, damage: bytes
    ) -> None:
        with pytest.raises(QueryError):
            sink.flush(TABLE, [row(src, 1), PositionedRow(src, 0, 2, damage), row(src, 3)])
        assert sink.positions(TABLE, src) == {}

    def test_a_table_of_an_earlier_release_gets_the_columns_that_it_lacks(
        self, sink: RowSink, client: ClickHouse, row: Make, src: str
    ) -> None:
        sink.flush(TABLE, [row(src, 1)])
        client.command(f"ALTER TABLE creditbus.{TABLE} DROP COLUMN result")
        create_tables(client, SchemaSet.load())
        sink.flush(TABLE, [row(src, 2)])
        assert count(client, src) == 2

    def test_a_table_that_an_earlier_release_keyed_in_another_way_is_made_anew_and_told_of(
        self, sink: RowSink, client: ClickHouse, row: Make, src: str
    ) -> None:
        specs = table_specs(SchemaSet.load())
        assert tables_to_fill(client, specs) == set()
        client.command(drop_table_sql(TABLE, Variant()))
        client.command(create_table_sql(replace(specs[TABLE], order_by=("access_id", "at")), Variant()))
        sink.flush(TABLE, [row(src, 1)])
        assert tables_to_fill(client, specs) == {TABLE}
        create_tables(client, SchemaSet.load())
        assert count(client, src) == 0
        assert tables_to_fill(client, specs) == set()

    def test_tables_that_exist_are_left_alone(self, sink: RowSink, client: ClickHouse, row: Make, src: str) -> None:
        sink.flush(TABLE, [row(src, 1)])
        create_tables(client, SchemaSet.load())
        assert count(client, src) == 1


@pytest.mark.integration
def test_an_engine_killed_in_mid_insert_shows_whole_inserts_only(
    tmp_path: Path, free_port: Callable[[], int], row: Make
) -> None:
    """After a restart the newest position stands for everything before it: no insert is there in part."""
    engine = clickhouse_process(tmp_path / "data", free_port())
    size, src = 500, "killed"
    with running(engine, tmp_path / "front.log") as process:
        client = ClickHouse(engine.address)
        sink = real_sink(client)

        killed = threading.Event()
        refused: list[BusError] = []

        def insert_until_killed() -> None:
            number = 0
            while not killed.wait(0):
                try:
                    sink.flush(TABLE, [row(src, number * size + place) for place in range(size)])
                    number += 1
                except (RetryLaterError, ReconnectError):  # a slow machine: the same rows again, as the warehouse does
                    killed.wait(0.1)
                except BusError as error:
                    refused.append(error)
                    return

        inserting = threading.Thread(target=insert_until_killed)
        inserting.start()
        wait_until("three inserts", lambda: bool(refused) or sink.positions(TABLE, src).get(0, 0) >= 3 * size)
        assert refused == []
        process.kill()
        killed.set()
        inserting.join()
        client.close()
    with running(engine, tmp_path / "front.log"):
        client = ClickHouse(engine.address)
        sink = real_sink(client)
        newest = sink.positions(TABLE, src)[0]
        assert (newest + 1) % size == 0
        assert count(client, src) == newest + 1
        client.close()
