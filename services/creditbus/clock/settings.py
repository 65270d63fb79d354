"""What an operator can set of the clock."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class ClockSettings(ServiceSettings):
    """Settings of the clock."""

    clock_interval_seconds: int = Field(60, ge=1, le=600, description="seconds between two ticks")
    clock_longest_chain_hours: int = Field(
        0,
        ge=0,
        description="a longer standstill waits for an approved jump; 0: a chain of ticks leads over any",
    )
