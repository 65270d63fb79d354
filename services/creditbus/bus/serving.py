"""The HTTP server of a service: uvicorn with an exit code of its own, and an end in time."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from creditbus.bus.ending import end_once_made
from creditbus.bus.logs import Seldom
from creditbus.bus.settings import ServiceSettings
from creditbus.bus.stopping import StopRequest
from creditbus.core.errors import SettingsError
from creditbus.security import ServerSecurity

log = structlog.get_logger()

_LOOK_EVERY_TICKS = 20
"""Every two seconds: a tick is a tenth of one."""
_MORE_SECONDS = 3.0
"""Behind the time for answers that are under way: for what the service closes then."""


class Server(uvicorn.Server):
    """Told to stop, it finishes the answers that are under way and returns, so that its service ends well."""

    def __init__(self, app: FastAPI, settings: ServiceSettings, drain_seconds: int) -> None:
        """drain_seconds: how long answers that are under way may take once it is told to stop.

        Raises SettingsError when there is to be a certificate and it is of no use.
        """
        self._security = ServerSecurity()
        self._security.loaded(_unused())  # uvicorn does so too, and says less
        self._written_at = self._security.written_at()
        self._is_due = Seldom()
        certificate, key = self._security.pair() or (None, None)
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.http_host,
                port=settings.http_port,
                log_config=None,  # its log is that of the process
                access_log=False,
                server_header=False,
                ssl_certfile=certificate,
                ssl_keyfile=key,
                timeout_graceful_shutdown=drain_seconds,
            )
        )
        self._told = StopRequest()

    def serve_to_the_end(self) -> None:
        """Serve until told to stop. Raises SettingsError when the port cannot be used, which uvicorn has logged."""
        try:
            self.run()
        except SystemExit:
            if self.started:
                raise
        if not self.started:
            raise SettingsError(f"CREDITBUS_HTTP_PORT: port {self.config.port} cannot be used; name a free one")

    async def on_tick(self, counter: int) -> bool:
        """As in uvicorn, ten times a second; now and then it looks for a new certificate."""
        if counter % _LOOK_EVERY_TICKS == 0 and self.config.ssl is not None:
            self._renew(self.config.ssl)
        return await super().on_tick(counter)

    def _renew(self, shown: ssl.SSLContext) -> None:
        """Show a certificate that was written anew, from the next connection on; one that is of no use is not taken."""
        try:
            written_at = self._security.written_at()
            if written_at == self._written_at:
                return
            self._security.loaded(_unused())  # first: what is shown stays as it is until both files are there
            self._security.loaded(shown)
        except (SettingsError, OSError) as error:
            if self._is_due("certificate"):
                log.warning("the certificate stays as it was", problem=str(error))
            return
        self._written_at = written_at
        log.info("a new certificate is shown")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As in uvicorn, without raising the signal again at the end."""
        end_once_made(self._told, (self.config.timeout_graceful_shutdown or 0) + _MORE_SECONDS)
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As in uvicorn; from now on the process has so long as it may take to drain, and a little more."""
        self._told.make()
        super().handle_exit(sig, frame)


def _unused() -> ssl.SSLContext:
    """To try a certificate with."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
