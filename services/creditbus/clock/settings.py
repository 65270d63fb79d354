"""What an operator can set of the clock."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class ClockSettings(ServiceSettings):
    """Settings of the clock."""

    clock_interval_seconds: int = Field(60, ge=1, le=600, description="seconds between two ticks")
