"""What an operator can set of the breaker."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class BreakerSettings(ServiceSettings):
    """Settings of the breaker."""

    breaker_look_seconds: float = Field(0.5, gt=0, le=10, description="how often new listings are counted")
