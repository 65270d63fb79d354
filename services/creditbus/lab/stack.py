"""What the lab runs, in order: Kafka, registry, ClickHouse, the deploy steps, the services."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from creditbus.core.topics import LOCAL_RECORDS
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.clickhouse import CLICKHOUSE, clickhouse_process, make_folders, python_environment
from creditbus.lab.errors import SettingsError
from creditbus.lab.hub import hub_of
from creditbus.lab.java import Jvm
from creditbus.lab.kafka import KafkaNode, kafka_process
from creditbus.lab.mirror import MIRROR, Mirroring, MirrorNode, mirror_process
from creditbus.lab.process import BEHIND, Process, answers_http
from creditbus.lab.registry import RegistryNode, registry_process
from creditbus.lab.settings import LabSettings
from creditbus.lab.supervisor import DEPLOY, Task

HOST = "127.0.0.1"
SERVICES = ("gateway", "intake", "clock", "breaker", "dossier", "warehouse", "lookup", "console", "notifier", "monitor")
MERGE = "merge"
# what can be left out; Kafka always runs, and at the hub the registry
PARTS = (CLICKHOUSE, *SERVICES, MERGE)
REGION_PARTS = (CLICKHOUSE, "gateway", "intake", "warehouse", "lookup", MIRROR)
MAY_LAG = frozenset({"warehouse", "monitor"})
NEED_CLICKHOUSE = frozenset({"warehouse", "lookup", "console"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabAddresses:
    """Where everything in the lab is; what a deploy step gets."""

    brokers: str
    registry_url: str
    clickhouse_url: str
    gateway_url: str
    lookup_url: str
    console_url: str
    notifier_url: str
    """Its health."""
    folder: Path
    secrets: Path
    vault: str
    hub_brokers: str = ""
    """Of a region's node: those of its hub."""
    merges: tuple[str, ...] = ()
    """Regions whose records the hub merges."""

    @property
    def is_region(self) -> bool:
        """Whether this is a region's node."""
        return bool(self.hub_brokers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployStep:
    """One thing to do once Kafka, registry and ClickHouse answer, before services start. Repeating it is harmless.

    needs: parts without which the step is left out ("clickhouse"). at_region: whether the node of a region does it too;
    what it does not do comes from its hub.
    """

    en: str
    zh: str
    run: Callable[[LabAddresses], None]
    needs: tuple[str, ...] = ()
    at_region: bool = False

    def is_for(self, places: LabAddresses) -> bool:
        """Whether it is done there."""
        return self.at_region or not places.is_region


def addresses(settings: LabSettings) -> LabAddresses:
    """The addresses that follow from the settings; registry, secrets and vault of a region's node are its hub's."""
    hub = hub_of(settings)
    home = hub.folder if hub is not None else settings.folder
    return LabAddresses(
        brokers=f"{HOST}:{settings.kafka_port}",
        registry_url=hub.registry_url if hub else RegistryNode(port=settings.registry_port, brokers="").url,
        clickhouse_url=f"http://{HOST}:{settings.clickhouse_port}",
        gateway_url=f"http://{HOST}:{settings.gateway_port}",
        lookup_url=f"http://{HOST}:{settings.lookup_port}",
        console_url=f"http://{HOST}:{settings.console_port}",
        notifier_url=f"http://{HOST}:{settings.port_of('notifier')}",
        folder=settings.folder,
        secrets=home / "secrets",
        vault=str(home / "services" / "intake" / "vault.sqlite"),
        hub_brokers=hub.brokers if hub else "",
        merges=(settings.merges,) if settings.merges else (),
    )


def parts_of(settings: LabSettings) -> tuple[str, ...]:
    """What can run in this lab, in the stack's order."""
    if settings.region:
        return REGION_PARTS
    return PARTS if settings.merges else tuple(part for part in PARTS if part != MERGE)


def choose_parts(names: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Parts to run, in the order of those that can; None means all. Raises SettingsError for a name that is none."""
    if names is None:
        return tuple(known)
    if unknown := [name for name in names if name not in known]:
        raise SettingsError(
            en=f"There is no service {', '.join(unknown)}. Choose from: {', '.join(known)}",
            zh=f"没有名为 {'、'.join(unknown)} 的服务。可选：{'、'.join(known)}",
        )
    wanted = {*names, *([CLICKHOUSE] if NEED_CLICKHOUSE.intersection(names) else [])}
    return tuple(part for part in known if part in wanted)


def ports(settings: LabSettings, parts: Sequence[str]) -> dict[str, int]:
    """Every port that has to be free before the start, by the name in its setting."""
    return {name: settings.port_of(name) for name in ("kafka", "controller", *_registry(settings), *parts)}


def _registry(settings: LabSettings) -> tuple[str, ...]:
    return () if settings.region else ("registry",)


def processes(settings: LabSettings, artifacts: Artifacts, parts: Sequence[str]) -> tuple[Process, ...]:
    """The stack as data, in the order of the table."""
    places = addresses(settings)
    kafka = KafkaNode(
        folder=settings.folder / "kafka",
        port=settings.kafka_port,
        controller_port=settings.controller_port,
        jvm=Jvm(max_heap_mb=settings.kafka_heap_mb, min_heap_mb=256, record_startup=settings.record_startup),
    )
    registry = RegistryNode(
        port=settings.registry_port,
        brokers=places.brokers,
        jvm=Jvm(max_heap_mb=settings.registry_heap_mb, min_heap_mb=64, record_startup=settings.record_startup),
    )
    made = {
        "kafka": lambda: kafka_process(kafka, artifacts),
        "registry": lambda: registry_process(registry, artifacts),
        CLICKHOUSE: lambda: clickhouse_process(settings.folder / CLICKHOUSE, settings.clickhouse_port),
        MIRROR: lambda: mirror_process(mirror_node(settings, places), artifacts),
    }
    running = ("kafka", *_registry(settings), *(part for part in parts_of(settings) if part in parts))
    return tuple(made[part]() if part in made else service_process(part, settings, places) for part in running)


def deploy_after(parts: Sequence[str], settings: LabSettings) -> tuple[str, ...]:
    """What has to be ready before the deploy steps."""
    return ("kafka", *_registry(settings), *([CLICKHOUSE] if CLICKHOUSE in parts else []))


def deploy_tasks(settings: LabSettings, steps: Sequence[DeployStep], parts: Sequence[str]) -> tuple[Task, ...]:
    """The deploy steps of this lab whose needs are among the parts, bound to it."""
    places = addresses(settings)
    return tuple(
        Task(en=step.en, zh=step.zh, run=partial(step.run, places))
        for step in steps
        if set(step.needs) <= set(parts) and step.is_for(places)
    )


def mirror_node(settings: LabSettings, places: LabAddresses) -> MirrorNode:
    """The mirror between a region's node and its hub."""
    return MirrorNode(
        mirroring=Mirroring(
            region=settings.region,
            brokers=places.brokers,
            hub_brokers=places.hub_brokers,
            listener=f"http://{HOST}:{settings.mirror_port}",
        ),
        folder=settings.folder / MIRROR,
        port=settings.mirror_port,
        jvm=Jvm(max_heap_mb=settings.mirror_heap_mb, min_heap_mb=64, record_startup=settings.record_startup),
    )


def environment(name: str, settings: LabSettings, places: LabAddresses) -> dict[str, str]:
    """The settings that every service understands."""
    return {
        "CREDITBUS_BROKERS": places.brokers,
        "CREDITBUS_REGISTRY_URL": places.registry_url,
        "CREDITBUS_CLICKHOUSE_URL": places.clickhouse_url,
        "CREDITBUS_GATEWAY_URL": places.gateway_url,
        "CREDITBUS_LOOKUP_URL": places.lookup_url,
        "CREDITBUS_DATA": str(settings.folder / "services" / name),
        "CREDITBUS_SECRETS": str(places.secrets),
        "CREDITBUS_VAULT": places.vault,
        "CREDITBUS_HTTP_PORT": str(settings.port_of(name)),
        **(_of_region(name, settings) if settings.region else {}),
        **({"CREDITBUS_MERGE_REGION": settings.merges} if name == MERGE else {}),
        **python_environment(),
    }


def _of_region(name: str, settings: LabSettings) -> dict[str, str]:
    """What a service at a region's node is told besides: where its records go, and to do without the hub's registry."""
    return {
        "CREDITBUS_INTAKE_RECORDS": LOCAL_RECORDS,
        "CREDITBUS_GATEWAY_TAKES_APPROVALS": "false",
        "CREDITBUS_SCHEMA_CACHE": str(settings.folder / "services" / name / "schemas.jsonl"),
    }


def service_process(name: str, settings: LabSettings, places: LabAddresses) -> Process:
    """A service as the lab runs it."""
    port = settings.port_of(name)
    url = f"http://{HOST}:{port}"
    return Process(
        name=name,
        argv=(sys.executable, "-m", f"creditbus.{name}"),
        env=environment(name, settings, places),
        prepare=lambda: make_folders(settings.folder / "services" / name, places.secrets),
        is_ready=lambda: answers_http(f"{url}/health/ready"),
        depends_on=(DEPLOY,),
        port=port,
        address=url,
        niceness=BEHIND if name in MAY_LAG else 0,
    )
