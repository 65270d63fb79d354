"""What the user of the lab can set: folder, ports, memory. Environment variables with the prefix CREDITBUS_LAB_."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pydantic
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from creditbus.lab.errors import SettingsError
from creditbus.merge.settings import REGION

PREFIX = "CREDITBUS_LAB_"

Port = Annotated[int, Field(ge=1024, le=65535)]
Region = Annotated[str, Field(pattern=f"^({REGION.pattern})?$")]


class LabSettings(BaseSettings):
    """Settings of the lab; each is CREDITBUS_LAB_ and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True)

    data: Path = Path(".lab")
    """Folder of everything that the lab keeps: topics, tables, local state, logs."""
    maven_url: str | None = None
    """Mirror from which Java artifacts are downloaded; default: Maven's central repository."""

    merges: Region = ""
    """At the hub: name of the region whose records it merges into its own. None by default."""
    region: Region = ""
    """Makes this lab the node of the region of that name: gateway, intake, warehouse, look-up, and a mirror."""
    hub: Path | None = None
    """Of a region's node: data folder of the hub's lab on this machine, for addresses, secrets and the vault."""

    kafka_port: Port = 19092
    """Kafka, for clients."""
    controller_port: Port = 19093
    """Kafka's controller."""
    registry_port: Port = 18081
    """Schema registry."""
    clickhouse_port: Port = 18123
    """ClickHouse, HTTP."""
    gateway_port: Port = 18080
    """Gateway: where departments send events."""
    lookup_port: Port = 18090
    """Look-up API."""
    console_port: Port = 18000
    """Web pages."""
    intake_port: Port = 19101
    """Health and metrics of intake."""
    dossier_port: Port = 19102
    """Health and metrics of dossier."""
    warehouse_port: Port = 19103
    """Health and metrics of warehouse."""
    clock_port: Port = 19104
    """Health and metrics of clock."""
    breaker_port: Port = 19106
    """Health and metrics of breaker."""
    notifier_port: Port = 19109
    """Health and metrics of notifier."""
    monitor_port: Port = 19105
    """Health and metrics of monitor."""
    merge_port: Port = 19107
    """Health and metrics of merge."""
    mirror_port: Port = 19108
    """The mirror, for its own tasks."""

    kafka_heap_mb: int = Field(default=512, ge=256)
    """Kafka's Java heap, MiB."""
    registry_heap_mb: int = Field(default=192, ge=128)
    """The registry's Java heap, MiB."""
    mirror_heap_mb: int = Field(default=256, ge=128)
    """MirrorMaker's Java heap, MiB."""
    record_startup: bool = True
    """Write JVM start-up caches at the first orderly stop: 25 s once, then Kafka and registry start twice as fast."""

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.data.expanduser().absolute()

    def port_of(self, name: str) -> int:
        """The port of a process of the stack."""
        return int(getattr(self, f"{name}_port"))


def load_settings(environment: Mapping[str, str] | None = None) -> LabSettings:
    """Settings from the environment; raises SettingsError that names the variable and what would be right."""
    variables = os.environ if environment is None else environment
    known = {f"{PREFIX}{name.upper()}" for name in LabSettings.model_fields}
    for name in sorted(variables):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            likely = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.8) or sorted(known)
            raise SettingsError(
                en=f"{name} is not a setting of the lab. Remove it, or use: {', '.join(likely)}",
                zh=f"{name} 不是 lab 的设置项。请删除，或改用：{'、'.join(likely)}",
            )
    given = {name[len(PREFIX) :].lower(): value for name, value in variables.items() if name.upper().startswith(PREFIX)}
    try:
        settings = LabSettings.model_validate(given)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}"
        raise SettingsError(
            en=f"{name} is {first['input']!r}: {first['msg']}. Set a right value or remove it",
            zh=f"{name} 的值 {first['input']!r} 无效：{first['msg']}。请改正或删除",
        ) from error
    refuse_double_ports(settings)
    if bool(settings.region) != (settings.hub is not None):
        raise SettingsError(
            en="CREDITBUS_LAB_REGION and CREDITBUS_LAB_HUB belong together: set both for the node of a region, or none",
            zh="CREDITBUS_LAB_REGION 与 CREDITBUS_LAB_HUB 须同时设置（盟市节点），或都不设置",
        )
    return settings


def refuse_double_ports(settings: LabSettings) -> None:
    """Raise SettingsError when two parts have the same port."""
    owners: dict[int, str] = {}
    for field in (field for field in LabSettings.model_fields if field.endswith("_port")):
        port = int(getattr(settings, field))
        if port in owners:
            both = f"{PREFIX}{owners[port].upper()}", f"{PREFIX}{field.upper()}"
            raise SettingsError(
                en=f"{both[0]} and {both[1]} are both {port}. Give one of them another port",
                zh=f"{both[0]} 与 {both[1]} 的端口同为 {port}。请为其中之一另设端口",
            )
        owners[port] = field
