"""What an operator can set of intake."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """Settings of intake."""

    intake_slot: int = Field(0, ge=0, description="number of this process among those of its group; one process a slot")
    intake_batch_messages: int = Field(8_000, ge=1, le=100_000, description="most messages in one transaction")
    intake_records: Literal["credit.records", "credit.records.local"] = Field(
        "credit.records", description="topic of the records; credit.records.local on the node of a region"
    )
    intake_batch_seconds: float = Field(0.05, ge=0, le=5, description="how long from one batch to the next")
