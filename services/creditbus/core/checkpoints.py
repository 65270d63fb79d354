"""Signed checkpoints (检查点): what the log up to a place leads to, so that a replay need not begin at its beginning.

A checkpoint is made of a replay that agreed with the live state, and begins where the one before it ended: whoever
trusts the key trusts all of them, whoever does not replays from the beginning (design.md 11.15).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from creditbus.core.hashing import digest

_PART_BYTES = 384 * 1024
"""Before compression; well below what a broker takes for a message."""
_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is signed about the state of one partition; the state itself comes in ``parts`` messages."""

    checkpoint_id: str
    partition: int
    position: int
    """Everything of credit.records before this offset is included."""
    lineage: str
    """Id of the topic that the position is of."""
    tick_ms: int
    edition: str
    engine: int
    keys: int
    digest: str
    """SHA-256 of the state, see ``digest_of``."""
    parts: int
    after: str
    """The checkpoint that its replay began from; "" for the beginning of the log."""
    made_at_ms: int


def checkpoint_id(place: tuple[str, str, str], state: str, public_key: str) -> str:
    """Its id: what one key says of one place. place: lineage, partition and position; state: its digest."""
    return digest("checkpoint", *place, state, public_key)


def digest_of(values: Mapping[bytes, bytes]) -> str:
    """SHA-256 over all keys and values in key order, each with its length before it."""
    total = sha256()
    for key in sorted(values):
        for part in (key, values[key]):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def parts_of(values: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The state in parts, each compressed: keys and values by turns, in key order."""
    rows: list[bytes] = []
    size = 0
    for key in sorted(values):
        rows += (key, values[key])
        size += len(key) + len(values[key])
        if size >= _PART_BYTES:
            yield _packed(rows)
            rows, size = [], 0
    if rows:
        yield _packed(rows)


def state_of(parts: Iterable[bytes]) -> dict[bytes, bytes]:
    """The state again. Raises ValueError when a part is damaged."""
    values: dict[bytes, bytes] = {}
    for part in parts:
        try:
            rows = msgspec.msgpack.decode(zlib.decompress(part), type=list[bytes])
        except (zlib.error, msgspec.DecodeError) as error:
            raise ValueError(f"a part of a checkpoint cannot be read: {type(error).__name__}") from error
        values.update(zip(rows[::2], rows[1::2], strict=True))
    return values


def _packed(rows: list[bytes]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(rows), _LEVEL)
