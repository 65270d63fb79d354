"""What stands before every answer: security headers, refusal of other sites' pages, counts and times."""

from __future__ import annotations

import time
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from creditbus.bus.metrics import Metrics
from creditbus.console.steps import comes_from_elsewhere

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        # the browser itself refuses to make markup from text
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    # the identifier in an address goes nowhere else
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics, refusal: Response) -> None:
        """refusal: the answer to pages of other sites that ask for data."""
        self._app = app
        self._metrics = metrics
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless another site's page makes it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
                self._measure(scope, message["status"], time.perf_counter() - began)
            await send(message)

        refused = scope["path"].startswith("/api/") and comes_from_elsewhere(_fetch_site(scope))
        await (self._refusal if refused else self._app)(scope, receive, guarded)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.count("creditbus_http_requests_total", route=route, status=str(status))
        self._metrics.observe("creditbus_http_seconds", seconds, route=route)


def _fetch_site(scope: Scope) -> str | None:
    found: bytes | None = dict(scope["headers"]).get(b"sec-fetch-site")
    return None if found is None else found.decode("latin-1")
