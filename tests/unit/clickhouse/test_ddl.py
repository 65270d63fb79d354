"""Statements of the warehouse's tables."""

from __future__ import annotations

import pytest

from creditbus.clickhouse.ddl import Variant, delete_sql


@pytest.mark.parametrize(("cluster", "clause"), [(None, "records DELETE"), ("hub", "records ON CLUSTER 'hub' DELETE")])
def test_rows_are_deleted_on_every_server_of_a_cluster(cluster: str | None, clause: str) -> None:
    assert clause in delete_sql("records", "1", Variant(cluster=cluster))
