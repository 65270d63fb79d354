"""A row's ``shown`` is what its columns say, for every value, in tables of this release and of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avro_values import values_of
from creditbus.bus.avro import encode
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.ddl import SHOWN, TableSpec, Variant, create_table_sql
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.lookup.steps import shown
from creditbus.warehouse.app import create_tables
from creditbus.warehouse.tables import table_specs
from waiting import wait_until

pytestmark = pytest.mark.integration
SPECS = table_specs(SchemaSet.load())
LOOKED_UP = sorted(name for name, spec in SPECS.items() if spec.is_looked_up)
EPOCH = date(1970, 1, 1)
DAYS = st.integers((date(1900, 1, 1) - EPOCH).days, (date(2299, 12, 31) - EPOCH).days)
MILLISECONDS = st.integers(0, 10_000_000_000_000)


@pytest.fixture
def client(clickhouse_url: str) -> Iterator[ClickHouse]:
    client = ClickHouse(clickhouse_url)
    client.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    create_tables(client, SchemaSet.load())
    yield client
    client.close()


def rows_of(spec: TableSpec) -> st.SearchStrategy[dict[str, Any]]:
    """Values that the table's columns can hold."""

    def strategy(field: dict[str, Any]) -> st.SearchStrategy[Any]:
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        logical = {kind.get("logicalType") for kind in kinds if isinstance(kind, dict)}
        plain = DAYS if "date" in logical else MILLISECONDS if "timestamp-millis" in logical else None
        if plain is None:
            return values_of(field["type"])
        return st.one_of(st.none(), plain) if "null" in kinds else plain

    return st.fixed_dictionaries({field["name"]: strategy(field) for field in spec.schema["fields"]})


def written(client: ClickHouse, spec: TableSpec, rows: list[dict[str, Any]], src: str = "log") -> None:
    schema = Schema(spec.name, spec.schema)
    placed = [PositionedRow(src, 0, number, encode(schema, row)) for number, row in enumerate(rows)]
    ClickHouseRows(client, {spec.name: spec}).flush(spec.name, placed)


def both(client: ClickHouse, table: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row's columns as readers see them, and its ``shown``."""
    sql = f"SELECT *, {SHOWN} FROM {DATABASE}.{table}"
    found = []
    for row in client.query(sql, binary=[name for name in ("body", "sealed") if name in SPECS[table].columns]):
        told = msgspec.json.decode(row.pop(SHOWN))
        found.append((shown(row), told))
    return found


@pytest.mark.parametrize("table", LOOKED_UP)
def test_shown_is_what_the_columns_say(client: ClickHouse, table: str) -> None:
    @settings(max_examples=4, deadline=None)
    @given(st.lists(rows_of(SPECS[table]), min_size=1, max_size=20))
    def check(rows: list[dict[str, Any]]) -> None:
        written(client, SPECS[table], rows)
        found = both(client, table)
        assert found
        for columns, told in found:
            assert told == columns
            assert list(told) == list(columns), "answers keep their order"

    check()


@pytest.mark.parametrize("table", LOOKED_UP)
def test_rows_of_an_earlier_release_get_what_the_record_type_has_got_since(client: ClickHouse, table: str) -> None:
    spec = SPECS[table]
    fields = [field for field in spec.schema["fields"] if field["name"] not in {"fictitious", "region"}]
    assert len(fields) < len(spec.schema["fields"])
    earlier = replace(spec, schema={**spec.schema, "fields": fields})

    @settings(max_examples=1, deadline=None)
    @given(rows_of(spec))
    def check(row: dict[str, Any]) -> None:
        for made in (earlier, replace(earlier, is_looked_up=False)):
            client.command(f"DROP TABLE {DATABASE}.{table} SYNC")
            client.command(create_table_sql(made, Variant()))
            written(client, made, [row])
            create_tables(client, SchemaSet.load())
            wait_until("the row is written anew", lambda: all(told == columns for columns, told in both(client, table)))
            assert len(both(client, table)) == 1

    check()
