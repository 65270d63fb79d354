"""The Avro contract, loaded from ``schemas/avro``: each schema self-contained, with its fingerprint.

Event schemas can be split into the head that all kinds share and the facts of the kind, so that the facts' bytes go
into the canonical record as they came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import msgspec
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form

from creditbus.bus.codec import Decoder, Encoder, UnsupportedSchemaError, compile_decoder, compile_encoder
from creditbus.core.errors import SettingsError

HISTORY = "history"
Json = Any
"""A JSON value as the schema files have it."""


@dataclass(frozen=True)
class Schema:
    """One named type with everything it refers to inlined."""

    name: str
    """Full name, such as creditbus.events.Penalty."""
    definition: Mapping[str, Json]

    @cached_property
    def text(self) -> str:
        """JSON text as registered: same input, same bytes."""
        return json.dumps(self.definition, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def parsed(self) -> dict[str, Json]:
        """As fastavro wants it; logical types become dates and times."""
        return cast("dict[str, Json]", parse_schema(json.loads(self.text)))

    @cached_property
    def raw_parsed(self) -> dict[str, Json]:
        """The same, for dates and times as numbers."""
        return cast("dict[str, Json]", parse_schema(json.loads(json.dumps(_without_logical_types(self.definition)))))

    @cached_property
    def encoder(self) -> Encoder:
        """Writes a dictionary whose dates and times are numbers."""
        return compile_encoder(self.definition)

    @cached_property
    def struct_encoder(self) -> Encoder:
        """The same for an object whose attributes are the record's fields."""
        return compile_encoder(self.definition, of_struct=True)

    @cached_property
    def raw_decoder(self) -> Decoder:
        """Reads a dictionary whose dates and times are numbers."""
        return self._decoder(raw=True)

    @cached_property
    def decoder(self) -> Decoder:
        """Reads a dictionary with dates and times."""
        return self._decoder(raw=False)

    def decoder_to(self, struct: type[msgspec.Struct]) -> Decoder:
        """Reads a struct whose fields are the record's; dates and times are numbers."""
        decoder = self._decoders_to.get(struct)
        if decoder is None:
            decoder = compile_decoder(self.definition, structs={self.short_name: struct})
            self._decoders_to[struct] = decoder
        return decoder

    @cached_property
    def _decoders_to(self) -> dict[type[msgspec.Struct], Decoder]:
        return {}

    def _decoder(self, *, raw: bool) -> Decoder:
        try:
            return compile_decoder(self.definition, raw=raw)
        except UnsupportedSchemaError:  # not of this contract: somebody else's schema in the registry
            return _general_decoder(_without_logical_types(self.definition) if raw else self.definition)

    @cached_property
    def fingerprint(self) -> str:
        """CRC-64-AVRO of the canonical form, 16 hex characters."""
        return str(fingerprint(to_parsing_canonical_form(json.loads(self.text)), "CRC-64-AVRO"))

    @cached_property
    def short_name(self) -> str:
        """Name without namespace."""
        return self.name.rpartition(".")[2]

    @cached_property
    def body_schema(self) -> str:
        """How a body names the schema that it was written with."""
        return f"{self.name}#{self.fingerprint}"

    @property
    def fields(self) -> list[Mapping[str, Json]]:
        """The fields of a record."""
        return list(self.definition["fields"])


@dataclass(frozen=True)
class EventSchema(Schema):
    """A kind of event: a head, and the facts last."""

    @cached_property
    def head(self) -> Schema:
        """The record of all fields but ``facts``; it ends where the facts' bytes begin."""
        definition = dict(self.definition)
        definition["fields"] = [field for field in self.fields if field["name"] != "facts"]
        return Schema(self.name, _inlined(definition, _named_types(self.definition)))

    @cached_property
    def facts(self) -> Schema:
        """The record of the facts, self-contained."""
        field = next(field for field in self.fields if field["name"] == "facts")
        types = _named_types(self.definition)
        definition = field["type"] if isinstance(field["type"], dict) else types[field["type"]]
        return Schema(f"{definition['namespace']}.{definition['name']}", _inlined(definition, types))

    @cached_property
    def personal_facts(self) -> frozenset[str]:
        """Names of facts that tell who a person is (tag ``pii``)."""
        return frozenset(field["name"] for field in self.facts.fields if field.get("pii"))


@dataclass(frozen=True)
class SchemaSet:
    """All schemas of the contract."""

    events: Mapping[str, EventSchema]
    """By kind, such as Penalty."""
    records: Mapping[str, Schema]
    """By name without namespace, such as CreditRecord."""
    common: Mapping[str, Schema]
    history: Mapping[str, Schema] = field(default_factory=dict)
    """Every body schema that a release ever wrote with, by its ``body_schema``."""

    @classmethod
    @cache
    def load(cls) -> SchemaSet:
        """Read the repository's folder, or the one that was installed with the package, once. Raises SettingsError."""
        root = contract_folder() / "avro"
        sources = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.avsc"))}
        if not sources:
            raise SettingsError(f"no Avro schemas in {root}: the folder schemas/avro must lie there")
        types = {f"{value['namespace']}.{value['name']}": value for value in sources.values()}
        inlined = {name: _inlined(value, types) for name, value in types.items()}
        events = {_short(n): EventSchema(n, d) for n, d in inlined.items() if n.startswith("creditbus.events.")}
        records = {_short(n): Schema(n, d) for n, d in inlined.items() if n.startswith("creditbus.records.")}
        common = {_short(n): Schema(n, d) for n, d in inlined.items() if n.startswith("creditbus.common.")}
        return cls(events, records, common, _history(root))

    @cached_property
    def bodies(self) -> Mapping[str, Schema]:
        """Every schema that a body can name, by its ``body_schema``."""
        candidates = [*(event.facts for event in self.events.values()), *self.records.values()]
        return {schema.body_schema: schema for schema in candidates}

    @cached_property
    def current_bodies(self) -> Mapping[str, Schema]:
        """The same by full name."""
        return {schema.name: schema for schema in self.bodies.values()}

    def by_full_name(self, name: str) -> Schema | None:
        """An event or record schema by its full name."""
        namespace, _, short = name.rpartition(".")
        return {"creditbus.events": self.events, "creditbus.records": self.records}.get(namespace, {}).get(short)


def _general_decoder(definition: Json) -> Decoder:
    """What fastavro makes of bytes, for whatever Avro has."""
    parsed = parse_schema(json.loads(json.dumps(definition)))

    def decode(payload: bytes, start: int) -> tuple[Any, int]:
        buffer = BytesIO(payload)
        buffer.seek(start)
        return schemaless_reader(buffer, parsed, None), buffer.tell()

    return decode


def contract_folder() -> Path:
    """Where ``avro/`` and ``topics.yaml`` are: in the installed package, else in the repository."""
    installed = Path(__file__).parents[1] / "_contract"
    if installed.is_dir():
        return installed
    return Path(__file__).parents[3] / "schemas"


def deploy_file(name: str) -> Path:
    """A file of ``deploy/``, by its path there: in the installed package, else in the repository."""
    folder = contract_folder()
    installed = folder / Path(name).name
    return installed if installed.is_file() else folder.parent / "deploy" / name


def _history(root: Path) -> Mapping[str, Schema]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / HISTORY).glob("*.json"))]
    schemas = [Schema(f"{one['namespace']}.{one['name']}", one) for one in found]
    return {schema.body_schema: schema for schema in schemas}


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _inlined(definition: Json, types: Mapping[str, Json], seen: set[str] | None = None) -> Json:
    """The definition with each named type defined where it is first used."""
    known = set() if seen is None else seen
    match definition:
        case str() as name:
            return _inlined(types[name], types, known) if name in types and name not in known else name
        case list() as union:
            return [_inlined(one, types, known) for one in union]
        case {"type": "array", "items": items}:
            return {**definition, "items": _inlined(items, types, known)}
        case {"type": "map", "values": values}:
            return {**definition, "values": _inlined(values, types, known)}
        case {"type": "record" | "enum", "namespace": namespace, "name": short}:
            return _inlined_named(definition, f"{namespace}.{short}", types, known)
    return definition


def _inlined_named(definition: Json, name: str, types: Mapping[str, Json], known: set[str]) -> Json:
    if name in known:
        return name
    known.add(name)
    if definition["type"] == "enum":
        return definition
    fields = [{**field, "type": _inlined(field["type"], types, known)} for field in definition["fields"]]
    return {**definition, "fields": fields}


def _named_types(definition: Json) -> dict[str, Json]:
    """Every named type inside a self-contained definition, by full name."""
    found: dict[str, Json] = {}

    def walk(node: Json) -> None:
        if isinstance(node, list):
            for one in node:
                walk(one)
        elif isinstance(node, dict):
            if node.get("type") in ("record", "enum") and "name" in node:
                found[f"{node['namespace']}.{node['name']}"] = node
            for value in node.values():
                walk(value)

    walk(definition)
    return found


def _without_logical_types(node: Json) -> Json:
    if isinstance(node, list):
        return [_without_logical_types(one) for one in node]
    if isinstance(node, dict):
        return {key: _without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    return node
