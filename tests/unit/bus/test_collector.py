"""The collector runs between batches, and only where something was left over."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from creditbus.bus.collector import BetweenBatches


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def between() -> Iterator[BetweenBatches]:
    made = BetweenBatches()
    yield made
    gc.unfreeze()
    gc.enable()


def _leave(knots: int) -> weakref.ref[Knot]:
    last = None
    for _ in range(knots):
        last = weakref.ref(Knot())
    assert last is not None
    return last


def test_a_batch_is_not_walked_while_it_is_decided(between: BetweenBatches) -> None:
    assert _leave(60_000)() is not None


def test_what_many_batches_left_over_is_freed(between: BetweenBatches) -> None:
    left = _leave(60_000)
    between()
    assert left() is None


def test_what_a_session_left_over_is_freed_when_the_next_begins(between: BetweenBatches) -> None:
    session = Knot()
    left = weakref.ref(session)
    BetweenBatches()
    del session
    BetweenBatches()
    assert left() is None


def test_little_is_left_for_later(between: BetweenBatches) -> None:
    between()
    left = _leave(10)
    between()
    assert left() is not None
