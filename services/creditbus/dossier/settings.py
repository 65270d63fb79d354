"""What an operator can set of the dossier."""

from __future__ import annotations

from pydantic import Field

from creditbus.bus.settings import ServiceSettings


class DossierSettings(ServiceSettings):
    """Settings of the dossier."""

    dossier_slot: int = Field(0, ge=0, description="number of this process in its group; one process a slot")
    dossier_batch_messages: int = Field(8_000, ge=1, le=100_000, description="most messages in one transaction")
    dossier_batch_seconds: float = Field(0.05, ge=0, le=5, description="how long from one batch to the next")
