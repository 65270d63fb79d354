"""What an operator can set of the gateway."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Settings of the gateway."""

    lookup_url: str = Field("http://127.0.0.1:18090", description="look-up API, named in receipts")
    gateway_takes_approvals: bool = Field(
        True, description="whether officers approve here; not at a region's node, where nobody would hear of it"
    )
    gateway_max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="largest request body")
    gateway_max_event_bytes: int = Field(256 * 1024, ge=1024, le=512 * 1024, description="largest event, encoded")
    gateway_max_events: int = Field(1_000, ge=1, le=10_000, description="most events in one request")
    gateway_in_flight_messages: int = Field(20_000, ge=1, description="most events waiting for the brokers; then 429")
    gateway_in_flight_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="most bytes waiting for the brokers")
    gateway_compression: Literal["lz4", "zstd", "none"] = Field("lz4", description="compression of what goes to Kafka")
    gateway_delivery_seconds: float = Field(
        15.0, ge=1, le=120, description="how long the brokers may take; then the status is UNKNOWN"
    )
