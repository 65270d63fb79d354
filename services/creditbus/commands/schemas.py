"""``creditbus schemas``: the Avro contract checked, registered, shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from creditbus.bus.registry import Registry
from creditbus.bus.schemas import HISTORY, Schema, SchemaSet, contract_folder
from creditbus.bus.topics import load_topics, schemas_of
from creditbus.commands.contract_rules import problems_of_contract, unfrozen
from creditbus.commands.printing import WholeTable, terminal
from creditbus.lab.places import bus_places

console = terminal()

RegistryUrl = Annotated[str | None, typer.Option("--registry", metavar="URL", help="Schema registry 模式注册表")]


def register(app: typer.Typer) -> None:
    """Add `schemas check`, `push`, `show` and `freeze` to app."""
    group = typer.Typer(help="The Avro contract: check, register, show. 数据契约。", no_args_is_help=True)
    group.command("check")(check)
    group.command("push")(push)
    group.command("show")(show)
    group.command("freeze")(freeze)
    app.add_typer(group, name="schemas")


def check(registry: RegistryUrl = None) -> None:
    """Texts, defaults, examples and topics; with --registry also compatibility. 检查契约。"""
    schemas = SchemaSet.load()
    problems = list(problems_of_contract(schemas, load_topics()))
    if registry is not None:
        problems += _refused(registry, schemas)
    for problem in problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False)
    count = len(schemas.events) + len(schemas.records) + len(schemas.common)
    console.print(f"{count} types, {len(problems)} problems. {count} 个类型，{len(problems)} 个问题。")
    raise typer.Exit(1 if problems else 0)


def push(registry: RegistryUrl = None) -> None:
    """Register what is not registered yet; by default in the lab's registry. 登记模式。"""
    client = Registry(registry or bus_places().registry_url)
    new = 0
    try:
        client.require_full_compatibility()
        for pushed in client.push(schemas_of(load_topics(), SchemaSet.load())):
            new += pushed.is_new
            if pushed.is_new:
                console.print(f"[green]+[/] {pushed.subject} ({pushed.schema_id})", highlight=False)
    finally:
        client.close()
    console.print(f"{new} newly registered. 新登记 {new} 个。")


def show(kind: Annotated[str | None, typer.Argument(help="A type, such as Penalty 类型名")] = None) -> None:
    """All types, or the fields of one. 查看类型与字段。"""
    schemas = SchemaSet.load()
    types: Mapping[str, Schema] = {**schemas.common, **schemas.records, **schemas.events}
    if kind is None:
        _show_types(types)
    elif kind in types:
        _show_fields(types[kind])
    else:
        console.print(f"There is no type {escape(kind)}; `creditbus schemas show` lists them. 没有该类型。")
        raise typer.Exit(2)


def freeze() -> None:
    """Keep the present form of every body, so that all later releases can read it. 固化历史模式。"""
    folder = contract_folder() / "avro" / HISTORY
    folder.mkdir(exist_ok=True)
    new = unfrozen(SchemaSet.load())
    for schema in new:
        text = json.dumps(schema.definition, ensure_ascii=False, indent=2)
        (folder / f"{schema.short_name}-{schema.fingerprint}.json").write_text(f"{text}\n", encoding="utf-8")
        console.print(f"[green]+[/] {schema.body_schema}", highlight=False)
    console.print(f"{len(new)} kept. 新固化 {len(new)} 个。")


def _refused(url: str, schemas: SchemaSet) -> list[str]:
    client = Registry(url)
    try:
        return [
            f"{topic}: {schema.name}: the registry refuses it; add fields with defaults, never change a type"
            for topic, schema in schemas_of(load_topics(), schemas)
            if not client.is_compatible(topic, schema)
        ]
    finally:
        client.close()


def _show_types(types: Mapping[str, Schema]) -> None:
    table = WholeTable(title="Types 类型")
    for column in ("type 类型", "中文", "English"):
        table.add_column(column)
    for name, schema in types.items():
        table.add_row(name, schema.definition["doc_zh"], schema.definition["doc"])
    console.print(table)


def _show_fields(schema: Schema) -> None:
    table = WholeTable(title=f"{schema.name}  {schema.definition['doc_zh']} {schema.definition['doc']}")
    for column in ("field 字段", "type 类型", "default 默认值", "中文", "English"):
        table.add_column(column)
    _add_fields(table, schema.definition, "")
    console.print(table)


def _add_fields(table: Table, definition: Mapping[str, Any], prefix: str) -> None:
    for field in definition.get("fields", ()):
        default = repr(field["default"]) if "default" in field else ""
        table.add_row(prefix + field["name"], escape(type_name(field["type"])), default, field["doc_zh"], field["doc"])
        if field["name"] == "facts" and isinstance(field["type"], dict):
            _add_fields(table, field["type"], "facts.")


def type_name(type_: Any) -> str:
    """A type as people write it, such as ``date?`` or ``[string]``."""
    match type_:
        case str():
            return type_.rpartition(".")[2]
        case ["null", inner]:
            return f"{type_name(inner)}?"
        case {"logicalType": str(name)} | {"name": str(name)}:
            return name
        case {"type": "array", "items": inner}:
            return f"[{type_name(inner)}]"
        case {"type": "map", "values": inner}:
            return f"{{{type_name(inner)}}}"
    return str(type_["type"])
