"""What an operator can set of the notifier."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """Settings of the notifier."""

    notifier_timeout_seconds: float = Field(15.0, gt=0, le=60, description="how long an endpoint may take to answer")
    notifier_longest_pause_seconds: float = Field(
        300.0, gt=0, le=3_600, description="longest time between two attempts to send a message"
    )
