"""What an operator can set of the warehouse."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class WarehouseSettings(ServiceSettings):
    """Settings of the warehouse."""

    clickhouse_url: str = Field("http://127.0.0.1:18123", description="ClickHouse's HTTP address")
    clickhouse_cluster: str | None = Field(None, description="name of the ClickHouse cluster; none for a single server")
    warehouse_batch_messages: int = Field(20_000, ge=1, le=500_000, description="most messages in one batch")
    warehouse_batch_seconds: float = Field(0.2, ge=0.01, le=10, description="how long a batch waits for more messages")
    warehouse_access_seconds: float = Field(1, ge=0, le=60, description="least time between two inserts of accesses")
    warehouse_tidy_seconds: float = Field(10, ge=1, description="seconds between two looks for tables with many parts")
    warehouse_most_parts: int = Field(12, ge=2, description="parts of a table above which it is merged while idle")
    warehouse_small_table_mib: int = Field(
        64, ge=0, description="tables up to this size are merged into one part while idle: look-ups take half the time"
    )
