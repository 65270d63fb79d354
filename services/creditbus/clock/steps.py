"""Which ticks are due: pure arithmetic on the last tick of a partition and the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_ADVANCE_MS = 10 * 60_000
"""A tick advances at most this far (design.md 11.3)."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick and the one before it."""

    at_ms: int
    previous_ms: int | None


def ticks_due(last_ms: int | None, now_ms: int, interval_ms: int) -> Iterator[Tick]:
    """The ticks that bring a partition to the last full interval, none advancing more than ten minutes.

    last_ms: the partition's last tick; None starts it at the last full interval.
    """
    target = now_ms - now_ms % interval_ms
    if last_ms is None:
        yield Tick(target, None)
        return
    while last_ms < target:
        at_ms = min(target, last_ms + LARGEST_ADVANCE_MS)
        yield Tick(at_ms, last_ms)
        last_ms = at_ms


def waits_for_a_jump(last_ms: int | None, now_ms: int, longest_chain_ms: int) -> bool:
    """Whether a partition stood still for longer than a chain of ticks may lead over; 0 = it always may."""
    return last_ms is not None and 0 < longest_chain_ms < now_ms - last_ms


def seconds_until_next(now_ms: int, interval_ms: int) -> float:
    """How long to wait for the next full interval."""
    return (interval_ms - now_ms % interval_ms) / 1000
