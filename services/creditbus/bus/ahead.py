"""State as it will be once the batch that is being committed is in: what the next batch is decided upon."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from heapq import merge
from itertools import islice
from operator import itemgetter

from creditbus.core.processing import StateReader


class Ahead:
    """core.processing.StateReader over a store and changes that are on their way into it.

    It says the same before, while and after they are written. What was decided upon it comes to nothing when they are
    not committed: the session ends then (bus/transaction.py).
    """

    def __init__(self, store: StateReader, changes: Mapping[bytes, bytes | None]) -> None:
        """changes: new values by key; None deletes."""
        self._store = store
        self._changes = changes

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values in the order of the keys; None where there is none."""
        changes = self._changes
        stored = [key for key in keys if key not in changes]
        if len(stored) == len(keys):
            return self._store.get_many(stored)
        found = iter(self._store.get_many(stored))
        return [changes[key] if key in changes else next(found) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int) -> Iterable[tuple[bytes, bytes]]:
        """At most ``limit`` pairs with start <= key < end, in key order."""
        ordered, changes = self._ordered, self._changes
        changed = ordered[bisect_left(ordered, start) : bisect_left(ordered, end)]
        # as many more as the changes may delete or replace
        stored = self._store.scan(start, end, limit + len(changed))
        pairs = merge(
            (pair for pair in stored if pair[0] not in changes),
            ((key, value) for key in changed if (value := changes[key]) is not None),
            key=itemgetter(0),
        )
        return islice(pairs, limit)

    @cached_property
    def _ordered(self) -> list[bytes]:
        return sorted(self._changes)
