"""Avro payloads: encoding and decoding. The frame around them is core.framing's.

WireError
├── NotConfluentError     (core.framing) no magic byte, or shorter than the five bytes of the frame
└── NotAvroError          the bytes cannot be read with the schema: truncated, trailing bytes, wrong types
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_reader
from fastavro.read import SchemaResolutionError

from creditbus.bus.schemas import EventSchema, Schema
from creditbus.core.framing import WireError


class NotAvroError(WireError):
    """Not readable with its schema."""


def encode(schema: Schema, value: Mapping[str, object]) -> bytes:
    """Avro binary of a value whose dates and times are numbers (days, milliseconds). Raises NotAvroError."""
    parts: list[bytes] = []
    try:
        schema.encoder(value, parts.append)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise NotAvroError(f"a value does not fit {schema.name}: {type(error).__name__}") from error
    return b"".join(parts)


def decode(schema: Schema, payload: bytes, *, raw: bool = False) -> dict[str, Any]:
    """Value of an Avro binary, which must end where the schema ends. Raises NotAvroError.

    raw: dates and times are numbers.
    """
    value, end = _read(schema, payload, 0, raw)
    _must_end(schema, payload, end)
    return value


def decode_as(written: Schema, wanted: Schema, payload: bytes) -> dict[str, Any]:
    """Value of an Avro binary that was written with one version of a type, as another version has it."""
    decode(written, payload)  # nothing may be left over, which the resolving reader does not tell
    try:
        return cast("dict[str, Any]", schemaless_reader(BytesIO(payload), written.parsed, wanted.parsed))
    except (SchemaResolutionError, EOFError, ValueError, TypeError, KeyError) as error:
        raise NotAvroError(f"{written.name} of an earlier release cannot be read: {type(error).__name__}") from error


def decode_event(schema: EventSchema, payload: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Head, facts, and the facts' own bytes, with dates and times as numbers. Raises NotAvroError."""
    head, start = _read(schema.head, payload, 0, raw=True)
    facts, end = _read(schema.facts, payload, start, raw=True)
    _must_end(schema, payload, end)
    return head, facts, payload[start:]


def _read(schema: Schema, payload: bytes, start: int, raw: bool) -> tuple[dict[str, Any], int]:
    decoder = schema.raw_decoder if raw else schema.decoder
    try:
        return decoder(payload, start)
    except (EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise NotAvroError(f"not readable as {schema.name}: {type(error).__name__}") from error


def _must_end(schema: Schema, payload: bytes, end: int) -> None:
    if end < len(payload):
        raise NotAvroError(f"{len(payload) - end} bytes too many after {schema.name}")
    if end > len(payload):
        raise NotAvroError(f"not readable as {schema.name}: it ends {end - len(payload)} bytes too early")
