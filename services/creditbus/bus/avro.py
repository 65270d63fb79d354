"""Avro payloads: encoding and decoding. The frame around them is core.framing's.

WireError
├── NotConfluentError     (core.framing) no magic byte, or shorter than the five bytes of the frame
└── NotAvroError          the bytes cannot be read with the schema: truncated, trailing bytes, wrong types
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, TypeVar, cast

import msgspec
from fastavro import schemaless_reader
from fastavro.read import SchemaResolutionError

from creditbus.bus.codec import Decoder, compile_decoder
from creditbus.bus.schemas import EventSchema, Schema, SchemaSet
from creditbus.core.events import HEAD_RECORDS, Head
from creditbus.core.framing import WireError

S = TypeVar("S", bound=msgspec.Struct)


class NotAvroError(WireError):
    """Not readable with its schema."""


def encode(schema: Schema, value: Mapping[str, object]) -> bytes:
    """Avro binary of a value whose dates and times are numbers (days, milliseconds). Raises NotAvroError."""
    try:
        return schema.encoder(value, b"")
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise NotAvroError(f"a value does not fit {schema.name}: {type(error).__name__}") from error


def decode(schema: Schema, payload: bytes, *, raw: bool = False, start: int = 0) -> dict[str, Any]:
    """Value of an Avro binary, which must end where the schema ends. Raises NotAvroError.

    raw: dates and times are numbers. start: where the value begins in the bytes.
    """
    value, end = _decoded(schema.raw_decoder if raw else schema.decoder, schema, payload, start)
    if end != len(payload):
        raise _wrong_end(schema, payload, end)
    return cast("dict[str, Any]", value)


def decode_struct(schema: Schema, struct: type[S], payload: bytes, start: int = 0) -> S:
    """The same as a struct, whose fields are the type's, with dates and times as numbers. Raises NotAvroError."""
    value: S
    value, end = _decoded(schema.decoder_to(struct), schema, payload, start)
    if end != len(payload):
        raise _wrong_end(schema, payload, end)
    return value


def decode_as(written: Schema, wanted: Schema, payload: bytes, *, raw: bool = False, start: int = 0) -> dict[str, Any]:
    """Value of an Avro binary that was written with one version of a type, as another version has it.

    raw: dates and times are numbers. start: where the value begins in the bytes.
    """
    decode(written, payload, start=start)  # nothing may be left over, which the resolving reader does not tell
    forms = (written.raw_parsed, wanted.raw_parsed) if raw else (written.parsed, wanted.parsed)
    try:
        return cast("dict[str, Any]", schemaless_reader(BytesIO(payload[start:]), *forms))
    except (SchemaResolutionError, EOFError, ValueError, TypeError, KeyError) as error:
        raise NotAvroError(f"{written.name} of an earlier release cannot be read: {type(error).__name__}") from error


class EventReader:
    """Reads events: the head that all kinds share as a Head, the facts as a dictionary."""

    def __init__(self, schemas: SchemaSet) -> None:
        self._known_heads = {event.head.fingerprint for event in schemas.events.values()}
        self._head_decoders: dict[int, Decoder] = {}

    def __call__(self, schema: EventSchema, payload: bytes) -> tuple[Head, dict[str, Any], bytes]:
        """Head, facts, and the facts' own bytes, with dates and times as numbers. Raises NotAvroError."""
        decoder = self._head_decoders.get(id(schema)) or self._decoder_of(schema)
        head, start = _decoded(decoder, schema, payload, 0)
        facts, end = _decoded(schema.facts.raw_decoder, schema, payload, start)
        if end != len(payload):
            raise _wrong_end(schema, payload, end)
        return head, facts, payload[start:]

    def _decoder_of(self, schema: EventSchema) -> Decoder:
        """How heads of this schema are read; what another release has in them is checked by its types."""
        if schema.head.fingerprint in self._known_heads:
            decoder = compile_decoder(schema.head.definition, structs={**HEAD_RECORDS, schema.short_name: Head})
        else:
            decoder = _checked(schema.head.raw_decoder)
        self._head_decoders[id(schema)] = decoder
        return decoder


def _checked(decoder: Decoder) -> Decoder:
    def decode_head(payload: bytes, start: int) -> tuple[Head, int]:
        head, end = decoder(payload, start)
        return msgspec.convert(head, Head), end

    return decode_head


def _decoded(decoder: Decoder, schema: Schema, payload: bytes, start: int) -> tuple[Any, int]:
    try:
        return decoder(payload, start)
    except (EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise NotAvroError(f"not readable as {schema.name}: {type(error).__name__}") from error


def _wrong_end(schema: Schema, payload: bytes, end: int) -> NotAvroError:
    if end < len(payload):
        return NotAvroError(f"{len(payload) - end} bytes too many after {schema.name}")
    return NotAvroError(f"not readable as {schema.name}: it ends {end - len(payload)} bytes too early")
