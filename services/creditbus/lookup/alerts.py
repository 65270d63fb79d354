"""Alerts over HTTP: pages of the latest, and a stream that goes on where its reader broke off.

Annotations are evaluated here, not postponed: FastAPI reads dependencies that are made inside a function.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime
from sse_starlette.sse import EventSourceResponse

from creditbus.core.alerts import ALERT_KINDS
from creditbus.lookup import problems
from creditbus.lookup.access import Caller, Ports, RefusedError, page, place, region_codes
from creditbus.lookup.feed import Told
from creditbus.lookup.positions import Position, mark_of, position_of, text_of
from creditbus.lookup.steps import shown

_ORDER = ("at", "koff", "kpart")
_SEND_SECONDS = 30
"""A reader that takes nothing for so long is cut off; it comes back where it was."""
_GAP = {
    "text_zh": "该位置之后的部分预警已不在日志中，请用 GET /v1/alerts 查阅。",
    "text_en": "Some alerts after this position are in the log no more; GET /v1/alerts has them.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which alerts are asked for. An empty list takes all."""

    kinds: list[str]
    regions: list[str]
    """Codes of the region that was named and of what belongs to it."""

    def has(self, alert: Mapping[str, Any]) -> bool:
        """Whether an alert is among them."""
        is_kind = not self.kinds or alert["kind"] in self.kinds
        return is_kind and (not self.regions or alert["region"] in self.regions)


def add_alerts(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    """Add the routes."""

    def chosen_of(kind: Annotated[list[str] | None, Query()] = None, region: str = "") -> Chosen:
        return _chosen(ports, kind or [], region)

    async def start_of(
        position: str = "", since: AwareDatetime | None = None, last_event_id: Annotated[str, Header()] = ""
    ) -> Position | None:
        wanted = _position(ports, last_event_id or position)
        return await ports.feed.since(int(since.timestamp() * 1000)) if since and wanted is None else wanted

    def stream(start: Position | None, chosen: Chosen) -> Response:
        return EventSourceResponse(_messages(ports, start, chosen), send_timeout=_SEND_SECONDS)

    @app.get("/v1/alerts", summary="最新预警 Latest alerts; as a stream with Accept: text/event-stream")
    async def get_alerts(
        request: Request,
        caller: Annotated[Caller, Depends(caller_of)],
        chosen: Annotated[Chosen, Depends(chosen_of)],
        start: Annotated[Position | None, Depends(start_of)],
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return stream(start, chosen)
        return JSONResponse(await run_in_threadpool(_latest, ports, chosen, cursor, limit))

    @app.get("/v1/alerts/stream", summary="预警流 Alerts as they come, or since a time (server-sent events)")
    async def stream_alerts(
        caller: Annotated[Caller, Depends(caller_of)],
        chosen: Annotated[Chosen, Depends(chosen_of)],
        start: Annotated[Position | None, Depends(start_of)],
    ) -> Response:
        return stream(start, chosen)


def _chosen(ports: Ports, kinds: list[str], region: str) -> Chosen:
    if not set(kinds) <= ALERT_KINDS:
        raise RefusedError(problems.unknown_kind(ALERT_KINDS))
    return Chosen(kinds, region_codes(ports, region))


def _position(ports: Ports, text: str) -> Position | None:
    try:
        return position_of(mark_of(ports.feed.source), text) if text else None
    except ValueError as error:
        raise RefusedError(problems.BAD_POSITION) from error


def _latest(ports: Ports, chosen: Chosen, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of alerts, newest first, and the position from which on the stream has every later one."""
    position = text_of(mark_of(ports.feed.source), ports.queries.position_of_alerts(ports.feed.source))
    rows = ports.queries.alerts(chosen.kinds, chosen.regions, place(cursor, len(_ORDER)), limit)
    found = {**page(rows, limit, _ORDER), "items": [shown(row) for row in rows]}
    return {**found, "position": position}


async def _messages(ports: Ports, start: Position | None, chosen: Chosen) -> AsyncIterator[dict[str, str]]:
    mark = mark_of(ports.feed.source)
    async with aclosing(ports.feed.alerts(start, chosen.has)) as alerts:
        async for told in alerts:
            yield _message(mark, told)


def _message(mark: str, told: Told) -> dict[str, str]:
    """What is known, as a message of the stream: an id without data is kept by browsers too."""
    if told.is_gap:
        return {"event": "gap", "id": text_of(mark, told.position), "data": json.dumps(_GAP, ensure_ascii=False)}
    if told.alert is None:
        return {"comment": "still here", "id": text_of(mark, told.position)}
    return {"event": "alert", "id": text_of(mark, told.position), "data": json.dumps(told.alert, ensure_ascii=False)}
