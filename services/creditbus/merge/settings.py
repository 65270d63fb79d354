"""What an operator can set of merge."""

from __future__ import annotations

import re

from pydantic import Field

from creditbus.bus.settings import ServiceSettings

REGION = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""What names of regions look like."""


class MergeSettings(ServiceSettings):
    """Settings of merge."""

    merge_region: str = Field(
        pattern=f"^{REGION.pattern}$",
        description="name of the region whose records are merged: what the mirror puts before the name of their topic",
    )
    merge_slot: int = Field(0, ge=0, description="number of this process among those of its region; one process a slot")
    merge_batch_messages: int = Field(5_000, ge=1, le=100_000, description="most messages in one transaction")
    merge_batch_seconds: float = Field(0.05, ge=0, le=5, description="how long from one batch to the next")
    merge_remembered_days: int = Field(
        7, ge=1, le=366, description="days for which a record is known again when the mirror brings it twice"
    )
