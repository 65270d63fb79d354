"""The frame around an Avro payload in Kafka: Confluent's wire format.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

from __future__ import annotations

_MAGIC = 0
_FRAME_BYTES = 5


class WireError(ValueError):
    """Bytes that are no message of the contract; the text carries no data."""


class NotConfluentError(WireError):
    """Not in the Confluent wire format."""


def frame(schema_id: int, payload: bytes) -> bytes:
    """Put the five bytes of the Confluent wire format before a payload."""
    return frame_prefix(schema_id) + payload


def frame_prefix(schema_id: int) -> bytes:
    """The five bytes: zero, and the schema id as big-endian 32-bit number."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """Schema id and payload. Raises NotConfluentError."""
    if value is None or len(value) < _FRAME_BYTES or value[0] != _MAGIC:
        raise NotConfluentError("not in the Confluent wire format (0x00 and a schema id of four bytes)")
    return int.from_bytes(value[1:_FRAME_BYTES], "big"), value[_FRAME_BYTES:]
