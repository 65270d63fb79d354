"""The count and the time of every answer of a service that answers requests."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from creditbus.bus.metrics import Metrics


class Measured:
    """ASGI middleware: counts and times every answer by its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                # a path that is no route must not become a label
                route = getattr(scope.get("route"), "path", "unknown")
                self._metrics.count("creditbus_http_requests_total", route=route, status=str(message["status"]))
                self._metrics.observe("creditbus_http_seconds", time.perf_counter() - began, route=route)
            await send(message)

        await self._app(scope, receive, measured)
