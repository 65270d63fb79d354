"""A way out of calls that never return.

librdkafka's ``send_offsets_to_transaction`` ignores its time limit when the group's coordinator goes away at the wrong
moment (librdkafka issues 5456 and 5511; seen here after kill -9 of the broker): the thread then waits for ever. The
loop begins no transaction with a producer whose brokers were away, which avoids most of it. Nothing within the process
can end such a call, so the process ends and its supervisor starts it again; the open transaction is aborted by the next
producer of the same id, so nothing is lost or doubled.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

_EXIT_ERROR = 1
_LOOK_SECONDS = 0.5


class Watchdog:
    """Watches one thread's calls, one at a time."""

    def __init__(self, give_up: Callable[[str, float], None] | None = None) -> None:
        """give_up: what to do about a call that does not return; by default the process ends."""
        self._give_up = give_up or _end_process
        self._watched: tuple[str, float, float] | None = None
        self._stop = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def during(self, doing: str, seconds: float) -> Iterator[None]:
        """Watch what happens inside; ``doing`` completes 'gave up after …'. Not to be nested."""
        self._watched = (doing, time.monotonic() + seconds, seconds)
        try:
            yield
        finally:
            self._watched = None

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            watched = self._watched
            if watched is not None and time.monotonic() > watched[1]:
                self._give_up(watched[0], watched[2])
                return


def _end_process(doing: str, seconds: float) -> None:
    log.error("a call of the Kafka client never returned; ending to be started again", doing=doing, seconds=seconds)
    os._exit(_EXIT_ERROR)
