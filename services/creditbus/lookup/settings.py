"""What an operator can set of the look-up."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class LookupSettings(ServiceSettings):
    """Settings of the look-up."""

    clickhouse_url: str = Field("http://127.0.0.1:18123", description="ClickHouse's HTTP address")
    lookup_page_size: int = Field(50, ge=1, le=500, description="most rows of one page")
