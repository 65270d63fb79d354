"""The HTTP server of a service: uvicorn with an exit code of its own, and an end in time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from creditbus.bus.ending import end_within

_MORE_SECONDS = 3.0
"""Behind the time for answers that are under way: for what the service closes then."""


class Server(uvicorn.Server):
    """Told to stop, it finishes the answers that are under way and returns, so that its service ends well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As in uvicorn, without raising the signal again at the end."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As in uvicorn; from now on the process has so long as it may take to drain, and a little more."""
        end_within((self.config.timeout_graceful_shutdown or 0) + _MORE_SECONDS)
        super().handle_exit(sig, frame)
