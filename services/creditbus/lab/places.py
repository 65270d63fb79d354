"""Where the bus is that a command asks: this machine's lab, or what the environment names instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from creditbus.core.settings import Settings
from creditbus.lab.settings import Region, load_settings
from creditbus.lab.stack import LabAddresses, addresses


class BusSettings(Settings):
    """Of a bus that is no lab of this machine; each from the environment variable CREDITBUS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_", frozen=True, extra="ignore")

    brokers: str | None = Field(None, description="Kafka brokers, host:port, separated by commas; the lab's by default")
    registry_url: str | None = Field(None, description="base of the registry's API; the lab's by default")
    clickhouse_url: str | None = Field(None, description="ClickHouse's HTTP address; the lab's by default")
    gateway_url: str | None = Field(None, description="gateway; the lab's by default")
    lookup_url: str | None = Field(None, description="look-up API; the lab's by default")
    console_url: str | None = Field(None, description="web pages; the lab's by default")
    notifier_url: str | None = Field(None, description="health of the notifier; the lab's by default")
    secrets: Path | None = Field(None, description="folder with the secret files; the lab's by default")
    vault: str | None = Field(None, description="the key vault: a file, or postgresql://…; the lab's by default")
    hub_brokers: str | None = Field(
        None, description="brokers of the hub: this bus is a region's node, and its hub does what it does not"
    )
    merges: Annotated[tuple[Region, ...] | None, NoDecode] = Field(
        None, description="names of the regions whose records this hub merges, separated by commas"
    )

    @field_validator("merges", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


def bus_places() -> LabAddresses:
    """Where everything is. Raises SettingsError for a wrong setting."""
    named = {name: value for name, value in BusSettings().model_dump().items() if value is not None}
    return replace(addresses(load_settings()), **named)
