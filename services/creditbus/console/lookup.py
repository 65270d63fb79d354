"""The look-up API as the console calls it: with the console's key, from the server only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from creditbus.core.errors import RetryLaterError

_STREAM_SILENCE_SECONDS = 60.0
"""A stream of alerts says something (a comment, if nothing else) at least this often, or it is taken for dead."""
_FRESH_SECONDS = 0.9


@dataclass(frozen=True, slots=True)
class Answer:
    """What the look-up API said: status, JSON text and the headers that matter."""

    status: int
    body: bytes
    retry_after: str | None = None

    @property
    def has_own_texts(self) -> bool:
        """Whether a failure comes with texts in both languages."""
        return b'"detail_zh"' in self.body or b'"title_zh"' in self.body


class Lookup:
    """Client of one look-up API; for one event loop."""

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=httpx.Timeout(timeout_seconds, connect=3.0),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=20),
        )
        self._flow: tuple[float, Answer] | None = None
        self._flow_lock = asyncio.Lock()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def is_ready(self) -> bool:
        """Whether the look-up API says that it can answer."""
        try:
            return (await self._get("/health/ready")).status == httpx.codes.OK
        except RetryLaterError:
            return False

    async def subject(self, identifier: str, stated: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """One subject. stated: the headers with purpose and basis, under which the look-up is audited."""
        return await self._get(f"/v1/subjects/{quote(identifier, safe='')}", query, stated)

    async def accesses(self, identifier: str, stated: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """Who looked one subject up; on the ledger itself. stated: as for the subject."""
        return await self._get(f"/v1/subjects/{quote(identifier, safe='')}/accesses", query, stated)

    async def purposes(self) -> Answer:
        """The purposes that the console's key may state."""
        return await self._get("/v1/purposes")

    async def catalogue(self, known: str) -> Answer:
        """The edition of the catalogue in force; without a body (304) when it is the one that is known."""
        return await self._get("/v1/catalogue", headers={"If-None-Match": f'"{known}"'})

    async def alerts(self, limit: int) -> Answer:
        """The latest alerts."""
        return await self._get("/v1/alerts", {"limit": str(limit)})

    async def flow(self) -> Answer:
        """Counts and lag per stage; asked for at most about once a second, however many pages are open."""
        async with self._flow_lock:
            now = time.monotonic()
            if self._flow is None or now - self._flow[0] > _FRESH_SECONDS:
                self._flow = (now, await self._get("/v1/flow"))
            return self._flow[1]

    @asynccontextmanager
    async def alert_stream(self, position: str) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Status and bytes of the stream of alerts after a position; "": from now on.

        Raises RetryLaterError; bytes end when the stream breaks.
        """
        headers = {"Accept": "text/event-stream"}
        if position:
            headers["Last-Event-ID"] = position
        timeout = httpx.Timeout(10.0, connect=3.0, read=_STREAM_SILENCE_SECONDS)
        request = self._http.build_request("GET", "/v1/alerts/stream", headers=headers, timeout=timeout)
        try:
            answer = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _away(error) from error
        try:
            yield answer.status_code, _bytes_of(answer)
        finally:
            await answer.aclose()

    async def _get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        try:
            answer = await self._http.get(path, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise _away(error) from error
        return Answer(answer.status_code, answer.content, answer.headers.get("retry-after"))


async def _bytes_of(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    except httpx.HTTPError:
        return  # the browser sees the end of the stream and connects again


def _away(error: httpx.HTTPError) -> RetryLaterError:
    return RetryLaterError(
        f"CREDITBUS_LOOKUP_URL: the look-up API does not answer ({type(error).__name__}); is it running?"
    )
