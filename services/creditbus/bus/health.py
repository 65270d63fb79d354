"""Health and metrics over HTTP, for services that have no HTTP of their own.

/health/live answers 200 while the process runs, /health/ready 200 while ``is_ready`` says so and 503 with
the reason otherwise, /metrics the Prometheus text. Served by one daemon thread.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from creditbus.bus.metrics import Metrics
from creditbus.core.errors import SettingsError


@dataclass(slots=True)
class Health:
    """What a service says about itself; set from its loop, read by the HTTP thread."""

    ready: bool = False
    reason: str = "starting"
    facts: dict[str, object] = field(default_factory=dict)

    def up(self) -> None:
        """Ready: the service does its work."""
        self.ready, self.reason = True, ""

    def down(self, reason: str) -> None:
        """Not ready, and why; the text carries no personal data."""
        self.ready, self.reason = False, reason


class HealthServer:
    """Serves a service's health and metrics until closed."""

    def __init__(
        self, address: tuple[str, int], health: Health, metrics: Metrics, refresh: Callable[[], None] | None = None
    ) -> None:
        """address: host and port to listen on; refresh: called before each answer of /metrics, for gauges up to date.

        Raises SettingsError when the address cannot be used.
        """
        handler = _handler(health, metrics, refresh)
        try:
            self._server = ThreadingHTTPServer(address, handler)
        except OSError as error:
            raise SettingsError(
                f"CREDITBUS_HTTP_HOST, CREDITBUS_HTTP_PORT: {address[0]}:{address[1]} cannot be used "
                f"({error.strerror}); name an address of this machine and a free port"
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(  # noqa: C901 - the nested class is counted as branches
    health: Health, metrics: Metrics, refresh: Callable[[], None] | None
) -> type[BaseHTTPRequestHandler]:
    def exposition() -> bytes:
        if refresh is not None:
            refresh()
        metrics.set("creditbus_ready", 1 if health.ready else 0)
        return metrics.exposition()

    def readiness() -> tuple[int, dict[str, object]]:
        status = "ready" if health.ready else "not ready"
        return (200 if health.ready else 503), {"status": status, "reason": health.reason, **health.facts}

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever asked did not wait for the answer
                super().handle()

        def do_GET(self) -> None:  # noqa: N802 - named by the standard library
            match self.path:
                case "/metrics":
                    self._answer(200, "text/plain; version=0.0.4", exposition())
                case "/health/live":
                    self._json(200, {"status": "live"})
                case "/health/ready":
                    self._json(*readiness())
                case _:
                    self._json(404, {"status": "unknown path", "known": ["/health/live", "/health/ready", "/metrics"]})

        def log_message(self, format: str, *args: object) -> None:
            """Requests of probes are not logged."""

        def _json(self, status: int, value: dict[str, object]) -> None:
            self._answer(status, "application/json", json.dumps(value, ensure_ascii=False).encode())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
