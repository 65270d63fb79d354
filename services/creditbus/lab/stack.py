"""What the lab runs, in order: Kafka, registry, ClickHouse, the deploy steps, the services."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from creditbus.lab.artifacts import Artifacts
from creditbus.lab.clickhouse import CLICKHOUSE, clickhouse_process, make_folders, python_environment
from creditbus.lab.errors import SettingsError
from creditbus.lab.java import Jvm
from creditbus.lab.kafka import KafkaNode, kafka_process
from creditbus.lab.process import BEHIND, Process, answers_http
from creditbus.lab.registry import RegistryNode, registry_process
from creditbus.lab.settings import LabSettings
from creditbus.lab.supervisor import DEPLOY, Task

HOST = "127.0.0.1"
SERVICES = ("gateway", "intake", "clock", "breaker", "dossier", "warehouse", "lookup", "console", "monitor")
# what can be left out; Kafka and the registry always run
PARTS = (CLICKHOUSE, *SERVICES)
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
    folder: Path
    secrets: Path
    vault: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployStep:
    """One thing to do once Kafka, registry and ClickHouse answer, before services start. Repeating it is harmless.

    needs: parts without which the step is left out ("clickhouse").
    """

    en: str
    zh: str
    run: Callable[[LabAddresses], None]
    needs: tuple[str, ...] = ()


def addresses(settings: LabSettings) -> LabAddresses:
    """The addresses that follow from the settings."""
    return LabAddresses(
        brokers=f"{HOST}:{settings.kafka_port}",
        registry_url=RegistryNode(port=settings.registry_port, brokers="").url,
        clickhouse_url=f"http://{HOST}:{settings.clickhouse_port}",
        gateway_url=f"http://{HOST}:{settings.gateway_port}",
        lookup_url=f"http://{HOST}:{settings.lookup_port}",
        console_url=f"http://{HOST}:{settings.console_port}",
        folder=settings.folder,
        secrets=settings.folder / "secrets",
        vault=settings.folder / "services" / "intake" / "vault.sqlite",
    )


def choose_parts(names: Sequence[str] | None) -> tuple[str, ...]:
    """Parts to run, in the stack's order; None means all. Raises SettingsError for a name that there is not."""
    if names is None:
        return PARTS
    if unknown := [name for name in names if name not in PARTS]:
        raise SettingsError(
            en=f"There is no service {', '.join(unknown)}. Choose from: {', '.join(PARTS)}",
            zh=f"没有名为 {'、'.join(unknown)} 的服务。可选：{'、'.join(PARTS)}",
        )
    wanted = {*names, *([CLICKHOUSE] if NEED_CLICKHOUSE.intersection(names) else [])}
    return tuple(part for part in PARTS if part in wanted)


def ports(settings: LabSettings, parts: Sequence[str]) -> dict[str, int]:
    """Every port that has to be free before the start, by the name in its setting."""
    return {name: settings.port_of(name) for name in ("kafka", "controller", "registry", *parts)}


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
    return (
        kafka_process(kafka, artifacts),
        registry_process(registry, artifacts),
        *(
            clickhouse_process(settings.folder / CLICKHOUSE, settings.clickhouse_port)
            if part == CLICKHOUSE
            else _service(part, settings, places)
            for part in PARTS
            if part in parts
        ),
    )


def deploy_after(parts: Sequence[str]) -> tuple[str, ...]:
    """What has to be ready before the deploy steps."""
    return ("kafka", "registry", *([CLICKHOUSE] if CLICKHOUSE in parts else []))


def deploy_tasks(settings: LabSettings, steps: Sequence[DeployStep], parts: Sequence[str]) -> tuple[Task, ...]:
    """The deploy steps whose needs are among the parts, bound to this lab."""
    places = addresses(settings)
    return tuple(
        Task(en=step.en, zh=step.zh, run=partial(step.run, places)) for step in steps if set(step.needs) <= set(parts)
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
        "CREDITBUS_VAULT": str(places.vault),
        "CREDITBUS_HTTP_PORT": str(settings.port_of(name)),
        **python_environment(),
    }


def _service(name: str, settings: LabSettings, places: LabAddresses) -> Process:
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
