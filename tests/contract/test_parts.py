"""Tables are merged into one part: small ones at once, large ones when they have many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.parts import Tidiness, merge_crowded_tables

pytestmark = pytest.mark.integration
SMALL = 1 << 20


@pytest.fixture
def client(clickhouse_url: str) -> Iterator[ClickHouse]:
    client = ClickHouse(clickhouse_url)
    client.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    client.command(f"CREATE DATABASE {DATABASE}")
    yield client
    client.close()


def _table(client: ClickHouse, name: str, parts: int, row_bytes: int = 10) -> None:
    client.command(f"CREATE TABLE {DATABASE}.{name} (id UInt64, text String) ENGINE = ReplacingMergeTree ORDER BY id")
    client.command(f"SYSTEM STOP MERGES {DATABASE}.{name}")  # the engine's own
    for part in range(parts):
        client.command(f"INSERT INTO {DATABASE}.{name} SELECT {part}, randomString({row_bytes})")
    client.command(f"SYSTEM START MERGES {DATABASE}.{name}")


def _parts(client: ClickHouse, name: str) -> int:
    sql = "SELECT count() AS parts FROM system.parts WHERE database = {db:String} AND table = {name:String} AND active"
    return int(client.query(sql, {"db": DATABASE, "name": name})[0]["parts"])


def test_a_small_table_becomes_one_part_as_soon_as_it_has_two(client: ClickHouse) -> None:
    _table(client, "small", parts=2)
    assert merge_crowded_tables(client, ["small"], Tidiness(12, SMALL)) == ["small"]
    assert _parts(client, "small") == 1
    assert merge_crowded_tables(client, ["small"], Tidiness(12, SMALL)) == []


@pytest.mark.parametrize(("parts", "merged"), [(3, []), (4, ["large"])])
def test_a_large_table_is_merged_when_it_has_many_parts(client: ClickHouse, parts: int, merged: list[str]) -> None:
    _table(client, "large", parts, row_bytes=SMALL)
    assert merge_crowded_tables(client, ["large"], Tidiness(3, SMALL)) == merged


def test_tables_of_others_are_left_alone(client: ClickHouse) -> None:
    _table(client, "theirs", parts=2)
    assert merge_crowded_tables(client, ["ours"], Tidiness(12, SMALL)) == []
