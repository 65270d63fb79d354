"""The deploy steps of the lab: topics, schemas, secrets, the edition in force. Each may be repeated at any time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.bus.editions import Activation, activate_edition, publish_edition, read_editions
from creditbus.bus.registry import Registry
from creditbus.bus.rules import present_edition
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import differences, ensure_topics, load_topics, schemas_of
from creditbus.catalogue.editions import catalogue_from, edition_of
from creditbus.catalogue.loader import load
from creditbus.clock.log import TickLog
from creditbus.clock.steps import ticks_due
from creditbus.core.settings import Settings
from creditbus.dossier.steps import ENGINE
from creditbus.lab.secrets import ensure_secrets
from creditbus.lab.stack import DeployStep, LabAddresses

_MINUTE_MS = 60_000
_RELEASE = ("lab",)
"""Who approves the catalogue that a release of the program brings."""
_ROLES = ("producer", "subscriber", "officer")
"""Of each department in the lab; production gives each key the roles that its holder has."""


def deploy_steps() -> Sequence[DeployStep]:
    """What has to be done once Kafka, the registry and ClickHouse answer, in this order."""
    return (
        DeployStep(en="create topics", zh="创建主题", run=_topics, at_region=True),
        DeployStep(en="register schemas", zh="登记模式", run=_schemas),
        DeployStep(en="put the catalogue in force", zh="启用目录版本", run=_edition),
        DeployStep(en="create secrets", zh="生成密钥", run=ensure_keys),
        DeployStep(en="start the clock", zh="写入首个时钟节拍", run=_first_tick),
    )


class DeploySettings(Settings):
    """What a cluster of brokers is told of the topics."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_", frozen=True, extra="ignore")

    replication: int = Field(0, ge=0, description="replicas of each topic; 0: three, or as many as there are brokers")


def unlike_the_file(places: LabAddresses) -> Iterator[str]:
    """One line for each setting of a topic that is there and that `deploy` would have made otherwise."""
    return differences(places.brokers, load_topics(regions=places.merges), DeploySettings().replication)


def _topics(places: LabAddresses) -> None:
    ensure_topics(places.brokers, load_topics(regions=places.merges), DeploySettings().replication)


def _schemas(places: LabAddresses) -> None:
    registry = Registry(places.registry_url)
    registry.require_full_compatibility()
    for _ in registry.push(schemas_of(load_topics(), SchemaSet.load())):
        pass
    registry.close()


def _edition(places: LabAddresses) -> None:
    """The release's own catalogue, unless two officers have put another one in force (`creditbus rules`)."""
    edition, known = edition_of(load()), read_editions(places.brokers).in_force
    if known is not None and (known.approved_by != _RELEASE or (known.hash, known.engine) == (edition.hash, ENGINE)):
        return
    registry = Registry(places.registry_url)
    name = publish_edition(places.brokers, edition.text)
    activation = Activation(hash=name, engine=ENGINE, at_ms=int(time.time() * 1000), approved_by=_RELEASE)
    activate_edition(places.brokers, registry, SchemaSet.load(), activation)
    registry.close()


def ensure_keys(places: LabAddresses) -> None:
    """A key for every department of the edition in force, and of the program's own catalogue, which scenarios play."""
    in_force = catalogue_from(present_edition(places.brokers).text)
    holders = {row.code: _ROLES for row in (*load().departments, *in_force.departments)}
    ensure_secrets(places.secrets, {**holders, "console": ("officer", "operator")})


def _first_tick(places: LabAddresses) -> None:
    """A partition without any tick gets its first one, so that no record is applied outside time."""
    registry = Registry(places.registry_url)
    log = TickLog(places.brokers, registry, SchemaSet.load())
    known = log.last_ticks()
    for partition in log.partitions():
        if partition not in known:
            for tick in ticks_due(None, int(time.time() * 1000), _MINUTE_MS):
                log.write(partition, tick)
    log.flush()
    registry.close()
