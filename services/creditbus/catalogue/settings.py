"""Settings of the catalogue."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.settings import Settings


class CatalogueSettings(Settings):
    """Each from the environment variable CREDITBUS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_", frozen=True, extra="ignore")

    supplements: Path | None = Field(
        None, description="folder with the regions' supplements to the catalogue, one YAML file each; none by default"
    )
