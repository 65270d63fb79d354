"""The life of a service: signals, health, and what to do about each error of the outside world.

RetryLaterError   say so, wait as long as it says, go on
ReconnectError    say so, make new clients, read again; waits grow up to five seconds while it repeats
StopError         say so and end; the supervisor starts the process again
SettingsError     say so and end; starting again would not help
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import structlog

from creditbus.bus.ending import end_once_told
from creditbus.bus.health import Health, HealthServer
from creditbus.bus.logs import configure_logging
from creditbus.bus.metrics import Metrics
from creditbus.bus.stopping import StopRequest
from creditbus.core.errors import ReconnectError, RetryLaterError, SettingsError, StopError

log = structlog.get_logger()

Stopping = Callable[[], bool]
EXIT_STOPPED, EXIT_ERROR, EXIT_SETTINGS = 0, 1, 2
_HEALTHY_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 5.0


def start(name: str, main: Callable[[], int]) -> NoReturn:
    """Run a service and end the process with its exit code; wrong settings are told, with what would be right."""
    configure_logging(name)
    try:
        sys.exit(main())
    except SettingsError as error:
        log.error("refusing to start", problem=str(error))
        sys.exit(EXIT_SETTINGS)


class Service:
    """One service process: its stop signal, health and metrics."""

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        """address: host and port of health and metrics."""
        configure_logging(name)
        self.metrics = Metrics(name)
        self.health = Health()
        self._stop = StopRequest()
        self._address = address

    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_made()

    def main(self, life: Callable[[Stopping], None], refresh: Callable[[], None] | None = None) -> int:
        """Run ``life`` again and again until told to stop; returns the exit code. Raises SettingsError.

        life: opens its clients, works until stopping() and closes them; raises the errors above.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.make())
        end_once_told()
        server = HealthServer(self._address, self.health, self.metrics, refresh)
        server.start()
        try:
            return self._lives(life)
        finally:
            server.close()

    def _lives(self, life: Callable[[Stopping], None]) -> int:
        failures = 0
        while not self._stop.is_made():
            began = time.monotonic()
            try:
                life(self.stopping)
            except RetryLaterError as error:
                self._pause(str(error), error.retry_after_seconds)
            except ReconnectError as error:
                failures = 0 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
                self._pause(str(error), min(_LONGEST_WAIT_SECONDS, 0.1 * 2**failures))
            except StopError as error:
                log.error("stopped to lose nothing", problem=str(error))
                return EXIT_ERROR
        log.info("stopped")
        return EXIT_STOPPED

    def _pause(self, problem: str, seconds: float) -> None:
        self.health.down(problem)
        log.warning("waiting", problem=problem, seconds=round(seconds, 1))
        self._stop.wait(seconds)
