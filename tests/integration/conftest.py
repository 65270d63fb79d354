"""What tests of the warehouse share: a warehouse that is empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditbus.bus.schemas import SchemaSet
from creditbus.clickhouse.client import ClickHouse
from creditbus.warehouse.app import create_tables


@pytest.fixture
def clickhouse(clickhouse_url: str) -> Iterator[ClickHouse]:
    """A client of an engine that has every table, and no rows."""
    client = ClickHouse(clickhouse_url)
    client.command("DROP DATABASE IF EXISTS creditbus")
    create_tables(client, SchemaSet.load())
    yield client
    client.close()
