"""Avro payloads: encoding and decoding. The frame around them is core.framing's.

WireError
├── NotConfluentError     (core.framing) no magic byte, or shorter than the five bytes of the frame
└── NotAvroError          the bytes cannot be read with the schema: truncated, trailing bytes, wrong types
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from creditbus.bus.schemas import EventSchema, Schema
from creditbus.core.framing import WireError


class NotAvroError(WireError):
    """Not readable with its schema."""


def encode(schema: Schema, value: Mapping[str, object], *, raw: bool = False) -> bytes:
    """Avro binary of a value. raw: dates and times are numbers (days, milliseconds). Raises NotAvroError."""
    buffer = BytesIO()
    try:
        schemaless_writer(buffer, schema.raw if raw else schema.parsed, value)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, IndexError) as error:
        raise NotAvroError(f"a value does not fit {schema.name}: {type(error).__name__}") from error
    return buffer.getvalue()


def decode(schema: Schema, payload: bytes, *, raw: bool = False) -> dict[str, Any]:
    """Value of an Avro binary, which must end where the schema ends. Raises NotAvroError."""
    buffer = BytesIO(payload)
    value = _read(buffer, schema, raw)
    if buffer.tell() != len(payload):
        raise NotAvroError(f"{len(payload) - buffer.tell()} bytes too many after {schema.name}")
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
    buffer = BytesIO(payload)
    head = _read(buffer, schema.head, raw=True)
    start = buffer.tell()
    facts = _read(buffer, schema.facts, raw=True)
    if buffer.tell() != len(payload):
        raise NotAvroError(f"{len(payload) - buffer.tell()} bytes too many after {schema.name}")
    return head, facts, payload[start:]


def _read(buffer: BytesIO, schema: Schema, raw: bool) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", schemaless_reader(buffer, schema.raw if raw else schema.parsed, None))
    except (EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise NotAvroError(f"not readable as {schema.name}: {type(error).__name__}") from error
