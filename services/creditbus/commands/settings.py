"""``creditbus settings``: every environment variable that the program reads, as its settings declare it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from rich.markup import escape

from creditbus.breaker.settings import BreakerSettings
from creditbus.bus.registry import RegistrySecurity
from creditbus.bus.security import HubKafkaSecurity, KafkaSecurity
from creditbus.bus.settings import ServiceSettings
from creditbus.bus.vaultserver import VaultSecurity
from creditbus.catalogue.settings import CatalogueSettings
from creditbus.clickhouse.client import ClickHouseSecurity
from creditbus.clickhouse.front.settings import FrontSettings
from creditbus.clock.settings import ClockSettings
from creditbus.commands.printing import WholeTable, id_column, terminal
from creditbus.console.settings import ConsoleSettings
from creditbus.dossier.settings import DossierSettings
from creditbus.gateway.settings import GatewaySettings
from creditbus.intake.settings import IntakeSettings
from creditbus.lab.deployment import DeploySettings
from creditbus.lab.places import BusSettings
from creditbus.lab.settings import LabSettings
from creditbus.lookup.settings import LookupSettings
from creditbus.merge.settings import MergeSettings
from creditbus.monitor.settings import MonitorSettings
from creditbus.notifier.settings import NotifierSettings
from creditbus.security import ServerSecurity
from creditbus.warehouse.settings import WarehouseSettings

console = terminal()


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable."""

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the bus is told."""

    zh: str
    en: str
    variables: tuple[Variable, ...]


_MODELS: Sequence[tuple[str, str, type[BaseSettings]]] = (
    ("各服务", "every service", ServiceSettings),
    ("各服务与命令：Kafka", "every client of Kafka", KafkaSecurity),
    ("盟市节点的镜像：全区中心的 Kafka", "a region's mirror: Kafka of the hub", HubKafkaSecurity),
    ("各服务与命令：模式注册中心", "every client of the registry", RegistrySecurity),
    ("各服务与命令：ClickHouse", "every client of ClickHouse", ClickHouseSecurity),
    ("各服务与命令：密钥库服务器", "every client of the vault's server", VaultSecurity),
    ("各服务与命令：目录", "whoever reads the catalogue's files", CatalogueSettings),
    ("部署", "deploy", DeploySettings),
    ("网关、查询、网页：证书", "certificate of gateway, lookup and console", ServerSecurity),
    ("报送网关", "gateway", GatewaySettings),
    ("受理", "intake", IntakeSettings),
    ("档案", "dossier", DossierSettings),
    ("时钟", "clock", ClockSettings),
    ("熔断", "breaker", BreakerSettings),
    ("数仓写入", "warehouse", WarehouseSettings),
    ("查询", "lookup", LookupSettings),
    ("网页", "console", ConsoleSettings),
    ("网络回调", "notifier", NotifierSettings),
    ("监测", "monitor", MonitorSettings),
    ("盟市数据汇入", "merge", MergeSettings),
    ("内嵌 ClickHouse", "ClickHouse's front", FrontSettings),
    ("本机运行环境", "the lab", LabSettings),
    ("命令：总线所在", "commands that ask a bus", BusSettings),
)
_COMMANDS = Part(
    "命令行",
    "commands",
    (
        Variable("CREDITBUS_API_KEY", "the lab's", "key of the officer who approves something"),
        Variable("CREDITBUS_LANG", "the locale's", "language of the lab's messages: zh or en"),
        Variable("CREDITBUS_CACHE", "~/.cache/creditbus", "folder of what the lab has downloaded"),
        Variable("CREDITBUS_NATIVE", "on", "off reads and writes Avro in Python, though the compiled codec is there"),
    ),
)
"""What is read without a model, by commands and before there are any settings."""


def register(app: typer.Typer) -> None:
    """Add `settings` to app."""
    app.command("settings")(settings)


def settings(
    word: Annotated[str, typer.Argument(help="Only those with this in name, part or meaning 关键词")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="The text of docs/settings.md 输出文档")] = False,
) -> None:
    """Every environment variable: its default, and what it is for. 环境变量一览。"""
    if markdown:
        typer.echo(settings_as_markdown(), nl=False)
        return
    columns = "part 部分", id_column("variable 变量"), "default 默认", "meaning 含义"
    table = WholeTable(*columns, title="环境变量 Environment variables")
    for part in parts():
        for one in part.variables:
            if word.lower() in f"{part.zh} {part.en} {one.name} {one.meaning}".lower():
                table.add_row(f"{part.zh} {part.en}", one.name, escape(one.default), escape(one.meaning))
    if not table.row_count:
        console.print(f"[red]✗[/] no variable has {escape(word)} in it; leave the word out 没有匹配的变量")
        raise typer.Exit(1)
    console.print(table)


def parts() -> list[Part]:
    """Every part with the variables that are its own."""
    return [*(_part(zh, en, model) for zh, en, model in _MODELS), _COMMANDS]


def _part(zh: str, en: str, model: type[BaseSettings]) -> Part:
    prefix = str(model.model_config.get("env_prefix", ""))
    is_a_service = issubclass(model, ServiceSettings) and model is not ServiceSettings
    shared = ServiceSettings.model_fields if is_a_service else ()
    own = {name: field for name, field in model.model_fields.items() if name not in shared}
    return Part(zh, en, tuple(_variable(f"{prefix}{name.upper()}", field) for name, field in own.items()))


def settings_as_markdown() -> str:
    """The text of docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every environment variable, as `creditbus settings` shows them. A wrong value is told by the name of its",
        "variable, and nothing starts with it. Passwords stand in files, which a variable names.",
    ]
    for part in parts():
        lines += ["", f"## {part.zh} {part.en}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.default or '–'} | {one.meaning} |" for one in part.variables]
    return "\n".join(lines) + "\n"


def _variable(name: str, field: FieldInfo) -> Variable:
    return Variable(name, _default_of(field), " ".join((field.description or "").split()))


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, tuple):
        return json.dumps(default)  # as it would be given
    return "" if default is None else str(default)
