"""What the transactional loop hands to a processor, and what it gets back.

A processor is a pure function from messages and state to effects; the loop in ``bus/transaction.py``
performs the effects in one Kafka transaction. Reading the same messages again must give the same effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec


class Message(Protocol):
    """A message as the consumer delivers it (the shape of the Kafka client's own class, so nothing is copied)."""

    def topic(self) -> str:
        """Topic it was read from."""

    def partition(self) -> int:
        """Partition it was read from."""

    def offset(self) -> int:
        """Position in that partition."""

    def key(self) -> bytes | None:
        """Key bytes."""

    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""

    def headers(self) -> list[tuple[str, bytes]] | None:
        """Headers in order."""

    def timestamp(self) -> tuple[int, int]:
        """(type, milliseconds since 1970)."""


class Output(msgspec.Struct, frozen=True, gc=False):
    """A message to be produced. ``partition`` None lets the key decide (murmur2)."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class StateReader(Protocol):
    """Committed state of one partition. Called by a processor while it decides, from one thread."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values in the order of the keys; None where there is none."""

    def scan(self, start: bytes, end: bytes, limit: int) -> Iterable[tuple[bytes, bytes]]:
        """At most ``limit`` pairs with start <= key < end, in key order."""


@dataclass(slots=True)
class Effects:
    """What should happen: messages out, state changed, what was counted."""

    outputs: list[Output] = field(default_factory=list)
    state: dict[bytes, bytes | None] = field(default_factory=dict)
    """New values by key; None deletes. No key begins with a zero byte."""
    fresh: set[bytes] = field(default_factory=set)
    """Keys of ``state`` that had no value before and will never be deleted: cheaper in the changelog, never needed."""
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many messages ended as (outcome, reason)."""
    alerts: dict[str, int] = field(default_factory=dict)
    """How many alerts were told, by kind."""
    unfinished: bool = False
    """More work is due in this partition: call again at once, with or without messages."""

    def count(self, outcome: str, reason: str, amount: int = 1) -> None:
        """Note what became of a message."""
        key = (outcome, reason)
        self.counts[key] = self.counts.get(key, 0) + amount


class Processor(Protocol):
    """The decisions of a service, called by the loop from one thread."""

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """Decide about the messages of one partition, in log order. May be called with none to finish due work.

        Raises StopError when going on would give a wrong answer (the edition that the log names is missing).
        """

    def forget(self, topic: str, partition: int) -> None:
        """The partition was taken away, or its transaction was aborted: drop whatever is remembered of it."""


class StateStore(Protocol):
    """A partition's local state; written only after the transaction that carries the same changes is committed."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values in the order of the keys."""

    def scan(self, start: bytes, end: bytes, limit: int) -> Iterable[tuple[bytes, bytes]]:
        """At most ``limit`` pairs with start <= key < end, in key order."""

    def write(self, changes: Mapping[bytes, bytes | None], position: Position) -> None:
        """Apply the changes and the position in one atomic batch."""

    def position(self) -> Position | None:
        """What the state includes; None for an empty store."""

    def wipe(self) -> None:
        """Empty the store, position included."""

    def close(self) -> None:
        """Release it; a closed store is opened again by its factory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a local store has come."""

    source_offset: int
    """Next offset of the input partition: everything before it is included."""
    changelog_offset: int
    """Next offset of the changelog partition to read when restoring; applying some again does no harm."""
    lineage: str
    """Ids of the input and changelog topics: a store of other topics is wiped."""
    written_at_ms: int
    """Wall clock of the last write, to tell whether tombstones may have been compacted away since."""
