"""Wiring of the console: pages, the proxy to the look-up API, health and metrics."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from creditbus.bus.metrics import Metrics
from creditbus.bus.service import EXIT_STOPPED
from creditbus.bus.serving import Server
from creditbus.bus.settings import ServiceSettings
from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import load
from creditbus.catalogue.page import page_style
from creditbus.console import problems
from creditbus.console.catalogue import CatalogueInForce, shown_of
from creditbus.console.guard import Guard
from creditbus.console.lookup import Answer, Lookup
from creditbus.console.pages import STATIC, Pages, look_of
from creditbus.console.settings import ConsoleSettings, read_console_key
from creditbus.console.steps import Fault, check_identifier, stated
from creditbus.core.errors import RetryLaterError
from creditbus.core.problems import Problem

log = structlog.get_logger()

_TITLE = "公共信用信息平台 Public credit records"
_DRAIN_SECONDS = 1
_NOT_KEPT = {"Cache-Control": "no-store"}
_MOST_ALERTS = 100
_PASSED_ON = ("cursor", "limit")
"""Query parameters of a look-up that go through as they came."""

Ask = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[Answer]]
"""A question about one subject: identifier, what was stated, what goes through."""


@dataclass(slots=True, kw_only=True)
class Ports:
    """What the console works with."""

    lookup: Lookup
    pages: Pages
    catalogue: CatalogueInForce
    metrics: Metrics
    hosts: tuple[str, ...]
    most_streams: int
    streams: int = 0
    """Streams of alerts that are open now."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the console ends: open streams end then, and browsers come back by themselves."""


def build(settings: ConsoleSettings, metrics: Metrics) -> Ports:
    """Ports for the settings. Raises SettingsError."""
    key = read_console_key(settings.secrets, settings.console_key_name)
    lookup = Lookup(settings.lookup_url, key, settings.console_timeout_seconds)
    return Ports(
        lookup=lookup,
        pages=Pages(),
        catalogue=CatalogueInForce(lookup, shown_of(edition_of(load()))),
        metrics=metrics,
        hosts=settings.console_hosts,
        most_streams=settings.console_streams,
    )


def build_app(ports: Ports) -> FastAPI:
    """The HTTP application over the ports; closes the client of the look-up API when it ends."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await ports.lookup.close()

    app = FastAPI(title=_TITLE, docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    _add_pages(app, ports)
    _add_look_ups(app, ports)
    _add_live_parts(app, ports)
    _add_health(app, ports)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(ports.hosts), www_redirect=False)
    app.add_middleware(Guard, metrics=ports.metrics, refusal=problem_response(problems.CROSS_SITE))
    return app


async def look_up(ask: Ask, identifier: str, query: Mapping[str, str]) -> Response:
    """One subject, or who looked it up.

    1. check    the identifier: what cannot be one is not looked up
    2. look up  under the purpose and basis that the user stated; the look-up API checks and audits them
    3. pass on  its answer, or say in both languages what went wrong
    """
    checked = check_identifier(identifier)
    if isinstance(checked, Fault):
        return problem_response(problems.OF_FAULT[checked])
    why = stated(query.get("purpose", ""), query.get("basis", ""))
    further = {name: query[name] for name in _PASSED_ON if name in query}
    try:
        return passed_on(await ask(checked, why, further))
    except RetryLaterError as error:
        log.warning("look-up failed", problem=str(error))
        return problem_response(problems.AWAY)


async def stream_alerts(ports: Ports, position: str) -> Response:
    """Alerts as they come, byte by byte from the look-up API, until either side ends."""
    if ports.streams >= ports.most_streams:
        return problem_response(problems.TOO_MANY)
    opened = AsyncExitStack()
    try:
        status, parts = await opened.enter_async_context(ports.lookup.alert_stream(position))
    except RetryLaterError:
        return problem_response(problems.AWAY)
    if status != 200:
        await opened.aclose()
        return problem_response(problems.of_lookup(status, has_own_texts=False) or problems.UNREADABLE)

    async def until_closed() -> AsyncIterator[bytes]:
        async with opened:
            ports.streams += 1
            try:
                # headers leave with the first bytes, so the page knows at once that it is connected
                yield b": connected\n\n"
                async for part in _until(ports.closing, parts):
                    yield part
            finally:
                ports.streams -= 1

    return StreamingResponse(until_closed(), media_type="text/event-stream", headers=_NOT_KEPT)


async def _until(closing: asyncio.Event, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, until there are no more or the event is set."""
    end = asyncio.ensure_future(closing.wait())
    try:
        while True:
            coming = asyncio.ensure_future(anext(parts, None))
            await asyncio.wait({coming, end}, return_when=asyncio.FIRST_COMPLETED)
            part = coming.result() if coming.done() else None
            if part is None:
                coming.cancel()
                return
            yield part
    finally:
        end.cancel()


def passed_on(answer: Answer) -> Response:
    """The look-up API's answer, or the console's own words where it has none for people."""
    problem = problems.of_lookup(answer.status, answer.has_own_texts)
    if problem is not None:
        return problem_response(problem)
    headers = _NOT_KEPT | ({"Retry-After": answer.retry_after} if answer.retry_after else {})
    kind = "application/json" if answer.status < 400 else "application/problem+json"
    return Response(answer.body, answer.status, headers, kind)


def problem_response(problem: Problem) -> Response:
    """A problem as application/problem+json."""
    content = json.dumps(problem.to_json(), ensure_ascii=False)
    return Response(content, problem.status, {**_NOT_KEPT, **problem.headers}, "application/problem+json")


def _add_pages(app: FastAPI, ports: Ports) -> None:
    def page(name: str, request: Request, status: int = 200) -> HTMLResponse:
        look = look_of(request.cookies, request.headers.get("accept-language", ""))
        return HTMLResponse(ports.pages.html(name, look), status, _NOT_KEPT)

    @app.get("/")
    def home(request: Request) -> HTMLResponse:
        return page("home", request)

    @app.get("/subjects/{identifier:path}")
    def subject(identifier: str, request: Request) -> HTMLResponse:
        return page("subject", request)

    @app.get("/catalogue")
    async def catalogue() -> HTMLResponse:
        return HTMLResponse((await ports.catalogue.now()).page)

    @app.get("/catalogue.css")
    def catalogue_style() -> Response:
        return Response(page_style(), media_type="text/css")

    @app.exception_handler(404)
    def missing(request: Request, _: Exception) -> Response:
        return page("missing", request, 404)

    app.mount("/static", StaticFiles(directory=STATIC))


def _add_look_ups(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/names")
    async def names() -> JSONResponse:
        """What codes are called."""
        return JSONResponse((await ports.catalogue.now()).names)

    @app.get("/api/purposes")
    async def purposes() -> Response:
        """What a look-up may be for."""
        return await _asked(ports.lookup.purposes())

    @app.post("/api/identifiers")
    async def identifiers(request: Request) -> Response:
        """Whether a text can be an identifier; in the body, so that no address holds what was typed."""
        checked = check_identifier((await request.body())[:1024].decode(errors="replace"))
        if isinstance(checked, Fault):
            return problem_response(problems.OF_FAULT[checked])
        return JSONResponse({"identifier": checked}, headers=_NOT_KEPT)

    @app.get("/api/subjects/{identifier:path}")
    async def subject(identifier: str, request: Request) -> Response:
        return await look_up(ports.lookup.subject, identifier, request.query_params)

    @app.get("/api/accesses/{identifier:path}")
    async def accesses(identifier: str, request: Request) -> Response:
        return await look_up(ports.lookup.accesses, identifier, request.query_params)


def _add_live_parts(app: FastAPI, ports: Ports) -> None:
    @app.get("/api/flow")
    async def flow() -> Response:
        return await _asked(ports.lookup.flow())

    @app.get("/api/alerts")
    async def alerts(limit: int = 20) -> Response:
        return await _asked(ports.lookup.alerts(max(1, min(limit, _MOST_ALERTS))))

    @app.get("/api/alerts/stream")
    async def alert_stream(request: Request, position: str = "") -> Response:
        return await stream_alerts(ports, request.headers.get("last-event-id") or position)


async def _asked(answer: Awaitable[Answer]) -> Response:
    try:
        return passed_on(await answer)
    except RetryLaterError:
        return problem_response(problems.AWAY)


def _add_health(app: FastAPI, ports: Ports) -> None:
    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    async def is_ready() -> bool:
        found = await ports.lookup.is_ready()
        ports.metrics.set("creditbus_ready", 1 if found else 0)
        return found

    @app.get("/health/ready")
    async def ready() -> JSONResponse:
        if await is_ready():
            return JSONResponse({"status": "ready", "reason": ""})
        return JSONResponse(
            {"status": "not ready", "reason": "CREDITBUS_LOOKUP_URL: the look-up API is not ready"}, 503
        )

    @app.get("/metrics")
    async def metrics() -> Response:
        await is_ready()
        return Response(ports.metrics.exposition(), media_type="text/plain; version=0.0.4")


class ConsoleServer(Server):
    """Told to stop, it ends open streams too."""

    def __init__(self, app: FastAPI, settings: ServiceSettings, closing: asyncio.Event) -> None:
        super().__init__(app, settings, _DRAIN_SECONDS)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As in uvicorn, which waits for every answer to end."""
        self._closing.set()
        await super().shutdown(sockets)


def main() -> int:
    """Run the console until told to stop."""
    settings = ConsoleSettings()
    ports = build(settings, Metrics("console"))
    ConsoleServer(build_app(ports), settings, ports.closing).serve_to_the_end()
    return EXIT_STOPPED
