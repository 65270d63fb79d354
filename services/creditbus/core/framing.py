"""The frame around an Avro payload in Kafka: Confluent's wire format.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

from __future__ import annotations

_MAGIC = 0
FRAME_BYTES = 5


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
    schema_id = schema_id_of(value)
    assert value is not None
    return schema_id, value[FRAME_BYTES:]


def schema_id_of(value: bytes | None) -> int:
    """The schema id in the frame; the payload begins at FRAME_BYTES. Raises NotConfluentError."""
    if value is None or len(value) < FRAME_BYTES or value[0] != _MAGIC:
        raise NotConfluentError("not in the Confluent wire format (0x00 and a schema id of four bytes)")
    return int.from_bytes(value[1:FRAME_BYTES], "big")
