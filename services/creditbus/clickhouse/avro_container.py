"""Raw Avro messages as one Avro container, without decoding them.

An Avro record is the concatenation of its fields' encodings, so a writer schema that begins with the position's
fields takes ``src + partition + offset + payload`` as it is. One block a message keeps a damaged one to itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from creditbus.core.ports import PositionedRow

_MAGIC = b"Obj\x01"
_SYNC = b"creditbus-sync-1"
"""Sixteen bytes that separate blocks; fixed, so that the same rows give the same container."""
POSITION_FIELDS = (
    {"name": "src", "type": "string"},
    {"name": "kpart", "type": "int"},
    {"name": "koff", "type": "long"},
)


def container(schema: Mapping[str, Any], rows: Iterable[PositionedRow]) -> bytes:
    """One container. schema: the record that the payloads were written with."""
    extended = {**schema, "fields": [*POSITION_FIELDS, *schema["fields"]]}
    sources: dict[str, bytes] = {}
    parts = [_MAGIC, _metadata(json.dumps(extended).encode()), _SYNC]
    for row in rows:
        source = sources.get(row.src) or sources.setdefault(row.src, _text(row.src.encode()))
        record = source + zigzag(row.partition) + zigzag(row.offset) + row.payload
        parts += (b"\x02", zigzag(len(record)), record, _SYNC)
    return b"".join(parts)


def zigzag(number: int) -> bytes:
    """Avro's encoding of int and long, for numbers that are not negative."""
    value = number << 1
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(data: bytes) -> bytes:
    return zigzag(len(data)) + data


def _metadata(schema: bytes) -> bytes:
    entries = {b"avro.codec": b"null", b"avro.schema": schema}
    body = b"".join(_text(name) + _text(value) for name, value in entries.items())
    return zigzag(len(entries)) + body + b"\x00"
