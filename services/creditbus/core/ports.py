"""Ports: what a service asks of the outside, and the values that cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from creditbus.core.deadletter import DeadLetter


@dataclass(frozen=True, slots=True)
class PositionedRow:
    """A message on its way into a table, with its place in the log."""

    src: str
    """The log: cluster, topic and topic id."""
    partition: int
    offset: int
    payload: bytes
    """Avro binary without the frame."""


class DeadLetterSink(Protocol):
    """Where a reader tells of messages that it cannot use."""

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Return when they are safe. Raises DeadLetterError otherwise."""


class RowSink(Protocol):
    """Where rows go. Called by a service's loop, from one thread."""

    def positions(self, table: str, src: str) -> dict[int, int]:
        """Offset of the newest row by partition of that log; the resume point is the next one.

        Raises RetryLaterError when the server is away.
        """

    def flush(self, table: str, rows: Sequence[PositionedRow]) -> None:
        """Make the rows durable and readable, all or none, of however many partitions and logs they are.

        Raises RetryLaterError when nothing was written, ReconnectError when the outcome is unknown, and QueryError
        when the server refuses the rows. Flushing the same rows again leaves what readers see as it was.
        """
