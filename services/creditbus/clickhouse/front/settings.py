"""What an operator can set of the front."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.settings import Settings


class FrontSettings(Settings):
    """Settings of the front; each from CREDITBUS_CLICKHOUSE_FRONT_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_CLICKHOUSE_FRONT_", frozen=True, extra="forbid")

    port: int = Field(18123, ge=0, le=65535, description="port on loopback; 0 = any free one")
    data: Path = Field(Path(".lab/clickhouse"), description="folder of the engine's data")
    threads: int = Field(4, ge=1, le=64, description="queries that run at once")
    queue: int = Field(32, ge=0, le=10_000, description="queries that may wait for a thread; beyond it: 503")
    wait_seconds: float = Field(10, ge=0, le=600, description="how long a query waits for a thread before 503")
    largest_body_bytes: int = Field(256 << 20, ge=1 << 10, description="largest request body")
