"""Following alerts over HTTP, through breaks of the connection and restarts of either side.

with AlertReader(lookup_url, api_key, kinds=["DISHONEST_SUBJECT", "CLEARED_SUBJECT"]) as reader:
    for alert in reader.alerts(start=kept):
        act_on(alert)                             # may be called again for the same alert_id after a crash
        keep(alert.position)                      # best in one transaction with what was done
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import EventSource

from creditbus.client.producer import BUSY, RetryPolicy, problem_of

_SILENCE_SECONDS = 30.0
"""The stream says every few seconds that it is still there."""


class AlertsError(Exception):
    """The look-up refuses to send alerts, or did not answer within all attempts; the text says what to do."""


class AlertsLostError(AlertsError):
    """Alerts after a reader's position are in the log no more; the text says where they are. From the ``position`` that
    the reader has then it goes on with what is there.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAlert:
    """One alert about an organisation, as the look-up tells it."""

    alert_id: str
    kind: str
    subject_key: str
    subject_kind: str
    """LEGAL_PERSON, or ORGAN where it is about an office of government."""
    subject_name: str
    identifier: str
    region: str
    lists: tuple[str, ...]
    record_id: str
    at: datetime
    fictitious: bool
    text_zh: str
    text_en: str
    position: str
    """Where to go on after this alert."""


class AlertReader:
    """A department's reader of one look-up's alerts: each at least once, in order per subject."""

    def __init__(
        self,
        lookup_url: str,
        api_key: str,
        *,
        kinds: Sequence[str] = (),
        region: str = "",
        policy: RetryPolicy | None = None,
    ) -> None:
        """kinds and region choose; empty ones take all. policy: only attempts in a row without an answer count."""
        self._policy = policy or RetryPolicy()
        self._url = lookup_url.rstrip("/")
        self._query = {"kind": list(kinds), "region": region}
        self._position = ""
        timeout = httpx.Timeout(self._policy.timeout_seconds, read=_SILENCE_SECONDS)
        self._http = httpx.Client(headers={"Authorization": f"Bearer {api_key}"}, timeout=timeout)

    @property
    def position(self) -> str:
        """How far alerts were read: behind the last one that was handed out, and what was passed over since."""
        return self._position

    def alerts(
        self, start: str | datetime = "", stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[SubjectAlert]:
        """Alerts as they come, until stopping() says so, which is asked every few seconds.

        start: the position of the last alert that was dealt with, or a time (aware) from which on; else from now on.
        Raises AlertsError when the look-up refuses, or never answers, and AlertsLostError.
        """
        self._position = start if isinstance(start, str) else ""
        since = start.isoformat() if isinstance(start, datetime) else ""
        attempt = 0
        while not stopping():
            try:
                for message in self._messages(since):
                    attempt = 0
                    if message is not None:
                        yield message
                    if stopping():
                        return
            except httpx.TransportError as error:
                attempt = self._pause(attempt, error)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _messages(self, since: str) -> Iterator[SubjectAlert | None]:
        """Messages of one connection; None for one that only says how far the log was read."""
        query = {name: value for name, value in (*self._query.items(), ("since", since)) if value}
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self._position} if self._position else {})}
        with self._http.stream("GET", f"{self._url}/v1/alerts/stream", params=query, headers=headers) as answer:
            if answer.status_code in BUSY:
                raise httpx.ConnectError(f"HTTP {answer.status_code}")
            if not answer.is_success:
                answer.read()
                raise AlertsError(f"{self._url}: HTTP {answer.status_code}: {problem_of(answer)}")
            for message in EventSource(answer).iter_sse():
                self._position = message.id or self._position
                if message.event == "gap":
                    raise AlertsLostError(" ".join(json.loads(message.data).values()))
                yield _alert(json.loads(message.data), message.id) if message.data else None

    def _pause(self, attempt: int, error: httpx.TransportError) -> int:
        """Wait longer each time; the number of the next attempt. Raises AlertsError after the last one."""
        if attempt + 1 >= self._policy.attempts:
            raise AlertsError(f"{self._url} does not answer ({error}); is it running and ready?") from error
        time.sleep(self._policy.pause_seconds(attempt))
        return attempt + 1


def _alert(value: dict[str, Any], position: str) -> SubjectAlert:
    known = {name: value[name] for name in SubjectAlert.__dataclass_fields__ if name in value}
    at = datetime.fromisoformat(value["at"])
    return SubjectAlert(**{**known, "lists": tuple(value["lists"]), "at": at, "position": position})
