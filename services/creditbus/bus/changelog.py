"""What a changelog holds: a message for each changed key, bundles of new rows, and notes of the source's position.

A row that is new and will only ever be overwritten needs no message of its own: most of a batch's changes are such rows
(what became of a fact, of an event), and one bundle of them costs the client, the broker and a restore a fraction of
their messages. Compaction keeps bundles for ever, as it would keep the rows; a row that is written again has a message
of its own behind its bundle, which wins. A bundled row must not be deleted: the deletion would be compacted away in
time, and the bundle would bring the row back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b

import msgspec

SOURCE_KEY = b"\x00source"
"""Key of the note of the next input offset; the last message of each batch of a partition."""
BUNDLE = b"\x00rows"
"""How the key of a bundle begins."""
_BUNDLE_BYTES = 256 * 1024
"""Well below what a broker takes for a message."""

Change = tuple[bytes, bytes | None]
"""Key and new value; None deletes."""


def source_value(offset: int) -> bytes:
    """The note's value."""
    return offset.to_bytes(8, "big")


def messages_of(state: Mapping[bytes, bytes | None], fresh: Collection[bytes]) -> Iterator[Change]:
    """Key and value of each message that tells of a batch's changes.

    fresh: keys of ``state`` that had no value before and will never be deleted.
    """
    rows: list[bytes] = []
    size = 0
    for key, value in state.items():
        if key not in fresh or value is None:
            yield key, value
            continue
        rows += (key, value)
        size += len(key) + len(value)
        if size > _BUNDLE_BYTES:
            yield _bundle(rows)
            rows, size = [], 0
    if rows:
        yield _bundle(rows)


def changes_of(key: bytes, value: bytes | None) -> Iterable[Change]:
    """The changes that a message other than the source's note tells of."""
    if value is None or not key.startswith(BUNDLE):
        return ((key, value),)
    rows = msgspec.msgpack.decode(value, type=list[bytes])
    return zip(rows[::2], rows[1::2], strict=True)


def _bundle(rows: list[bytes]) -> Change:
    """Named by its content, so that compaction never takes one bundle for a later version of another."""
    body = msgspec.msgpack.encode(rows)
    return BUNDLE + blake2b(body, digest_size=16).digest(), body
