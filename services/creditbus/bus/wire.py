"""Readers and writers of one service: messages to values and back, with the registry's ids looked up once.

A writer is bound to one topic and type; a reader tells by the schema id in the frame which type a message is of.
Unknown ids are asked of the registry once and remembered; what was written with an older schema of the contract is read
with that one, and has what came to the type since as the contract's defaults say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from creditbus.bus.avro import NotAvroError, decode, decode_as, encode
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import EventSchema, Schema, SchemaSet
from creditbus.core.forms import compile_reader
from creditbus.core.framing import FRAME_BYTES, frame_prefix, schema_id_of
from creditbus.core.sending import Codec, topic_of

_UNKNOWN_KEPT = 1_000
"""Ids that the registry did not know are remembered: a stream of rubbish must not become a stream of requests."""


class Writer:
    """Encodes values of one type for one topic. Dates and times are numbers."""

    def __init__(self, registry: Registry, topic: str, schema: Schema) -> None:
        self._prefix = frame_prefix(registry.id_of(topic, schema))
        self._schema = schema

    def __call__(self, value: Mapping[str, object]) -> bytes:
        """Framed bytes of a value."""
        return self._schema.encoder(value, self._prefix)

    def of_struct(self, value: msgspec.Struct) -> bytes:
        """Framed bytes of a value whose attributes are the type's fields."""
        return self._schema.struct_encoder(value, self._prefix)


class Writers:
    """Writers by topic and type, made when first used."""

    def __init__(self, registry: Registry, schemas: SchemaSet) -> None:
        self._registry = registry
        self._schemas = schemas
        self._made: dict[tuple[str, str], Writer] = {}

    def __call__(self, topic: str, record: str) -> Writer:
        """The writer of a record type, such as CreditRecord, for a topic."""
        return self._made.get((topic, record)) or self._make(topic, record, self._schemas.records[record])

    def event(self, topic: str, kind: str) -> Writer:
        """The writer of a kind of event, such as Penalty, for a topic."""
        return self._made.get((topic, kind)) or self._make(topic, kind, self._schemas.events[kind])

    def _make(self, topic: str, name: str, schema: Schema) -> Writer:
        writer = self._made[topic, name] = Writer(self._registry, topic, schema)
        return writer


def codecs_for(domain: str, registry: Registry, schemas: SchemaSet) -> dict[str, Codec]:
    """Readers and writers of every kind of event for a domain's topic. Raises UnknownSchemaError or RetryLaterError."""
    return {
        kind: Codec(read=compile_reader(schema.definition), write=Writer(registry, topic_of(domain), schema))
        for kind, schema in schemas.events.items()
    }


class SchemaSource(Protocol):
    """Whoever knows what a schema id stands for: the registry, or a file."""

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        """Full name and JSON text. Raises UnknownSchemaError."""


class Types:
    """Which type a schema id stands for."""

    def __init__(self, registry: SchemaSource) -> None:
        self._registry = registry
        self._known: dict[int, Schema] = {}
        self._outdated: dict[int, Schema] = {}
        """The present form of types that were written in another one."""
        self._unknown: set[int] = set()

    def of(self, schema_id: int) -> Schema:
        """The schema that a message was written with. Raises UnknownSchemaError, or RetryLaterError."""
        schema = self._known.get(schema_id)
        if schema is not None:
            return schema
        if schema_id in self._unknown:
            raise UnknownSchemaError(f"the registry has no schema {schema_id}")
        try:
            name, text = self._registry.name_and_text(schema_id)
        except UnknownSchemaError:
            if len(self._unknown) < _UNKNOWN_KEPT:
                self._unknown.add(schema_id)
            raise
        kind = EventSchema if name.startswith("creditbus.events.") else Schema
        schema = kind(name, json.loads(text))
        self._known[schema_id] = schema
        present = SchemaSet.load().by_full_name(name)
        # a fingerprint takes milliseconds, and nearly every schema is the present one
        is_present = present is None or present.definition == schema.definition
        if present is not None and not is_present and present.fingerprint != schema.fingerprint:
            self._outdated[schema_id] = present
        return schema

    def present_form(self, schema_id: int) -> Schema | None:
        """How this release has the type of a schema that ``of`` has told, where that is another one."""
        return self._outdated.get(schema_id)


def read_value(types: Types, value: bytes | None, *, raw: bool = True) -> tuple[Schema, dict[str, Any]]:
    """Type and value of a message, with the fields that this release has of it.

    Raises NotConfluentError, UnknownSchemaError or NotAvroError.
    """
    schema_id = schema_id_of(value)
    schema = types.of(schema_id)
    present = types.present_form(schema_id)
    assert value is not None
    if present is not None:
        return present, decode_as(schema, present, value, raw=raw, start=FRAME_BYTES)
    return schema, decode(schema, value, raw=raw, start=FRAME_BYTES)


def in_present_form(types: Types, schema_id: int, payload: bytes) -> bytes:
    """An Avro payload as this release writes its type. Raises NotAvroError."""
    written, present = types.of(schema_id), types.present_form(schema_id)
    return payload if present is None else encode(present, decode_as(written, present, payload, raw=True))


def body_reader(schemas: SchemaSet) -> Callable[[str, bytes], dict[str, Any]]:
    """A function from ``body_schema`` and body to the value, with dates as dates."""

    def read(body_schema: str, body: bytes) -> dict[str, Any]:
        schema = schemas.bodies.get(body_schema)
        if schema is not None:
            return decode(schema, body)
        earlier = schemas.history.get(body_schema)
        current = schemas.current_bodies.get(earlier.name) if earlier is not None else None
        if earlier is None or current is None:
            raise NotAvroError(f"no schema {body_schema} in this release")
        return decode_as(earlier, current, body)

    return read
