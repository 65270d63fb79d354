"""What an operator can set of the monitor."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class MonitorSettings(ServiceSettings):
    """Settings of the monitor."""

    monitor_window_seconds: int = Field(60, ge=1, le=86_400, description="length of a tumbling window of counts")
    monitor_group: str = Field(
        "creditbus-monitor", min_length=1, description="consumer group; monitors of one group share the departments"
    )
