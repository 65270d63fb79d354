"""The wish that a process stops, told by a signal and waited for by its threads."""

from __future__ import annotations

import queue
from contextlib import suppress


class StopRequest:
    """Made once and for good; `make` may be called within a signal handler, whatever the main thread does just then.

    `threading.Event` may not: its `set` takes a lock that `wait` holds for a moment at its beginning and its end, and
    a signal that arrives in that moment runs its handler in the same thread, which then waits for itself. One stop of
    the lab in some thousand never ended. A `SimpleQueue` is made for this: its `put` is reentrant.
    """

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_made = False

    def make(self) -> None:
        """Ask for the stop; asking again changes nothing."""
        self._is_made = True
        self._told.put(None)

    def is_made(self) -> bool:
        """Whether a stop was asked for."""
        return self._is_made

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a stop is asked for, so many seconds at most; whether it was."""
        if not self._is_made:
            with suppress(queue.Empty):
                self._told.get(timeout=seconds)
                self._told.put(None)  # for whoever else waits
        return self._is_made
