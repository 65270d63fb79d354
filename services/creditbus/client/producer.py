"""Sending events through the gateway: retries that change nothing, a receipt for each event.

with BusClient("http://127.0.0.1:18080", api_key) as bus:
    for receipt in bus.send(events):
        if receipt.status != "RECEIVED":
            print(receipt.event_id, receipt.faults)
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from creditbus.catalogue.editions import Edition, named
from creditbus.core.outcome import Fault, Reason

RECEIVED, REJECTED, UNKNOWN = "RECEIVED", "REJECTED", "UNKNOWN"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "events.creditbus.invalid")
BUSY = frozenset({429, 502, 503, 504})
"""HTTP statuses after which the same request is sent again."""
_LONGEST_WAIT_SECONDS = 30.0

Event = Mapping[str, object]


def event_id_for(sender: str, *parts: str) -> str:
    """An event id that derives from what makes the event this one: the same parts give the same id, for ever.

    sender: code of the department. parts: such as kind, document number, item number, identifier of the subject.
    """
    # the length before each part keeps ("ab", "c") and ("a", "bc") apart
    return str(uuid.uuid5(_NAMESPACE, "".join(f"{len(part)}:{part}" for part in (sender, *parts))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the gateway said about one event."""

    event_id: str
    status: str
    """RECEIVED, REJECTED (see faults) or UNKNOWN (send it again with the same id)."""
    faults: tuple[Fault, ...]
    track: str
    """Where to ask what became of it."""
    evidence: Mapping[str, object] | None = None
    """What proves that the gateway accepted it, if that was asked for; `creditbus receipt verify` checks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to go on when the gateway is busy or away; the default gives up after a minute."""

    attempts: int = 8
    first_wait_seconds: float = 0.5
    timeout_seconds: float = 60.0
    """Of one request; longer than the gateway itself waits for the brokers."""

    def pause_seconds(self, attempt: int, least: float = 0.0) -> float:
        """How long to wait after an attempt, counted from 0. least: what the server asked for."""
        return min(max(self.first_wait_seconds * 2.0**attempt, least), _LONGEST_WAIT_SECONDS)


class SendError(Exception):
    """The gateway takes nothing from us, or did not answer within all attempts; the text says what to do."""


class BusClient:
    """A connection to one gateway for one department."""

    def __init__(
        self,
        gateway_url: str,
        api_key: str,
        policy: RetryPolicy | None = None,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        """api_key: of the department; "" for what needs none.

        wait: how to pass the time between attempts; sleeping when left out.
        """
        self._policy = policy or RetryPolicy()
        self._wait = wait or time.sleep
        self._url = gateway_url.rstrip("/")
        headers = {"Content-Type": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=self._policy.timeout_seconds)

    def send(self, events: Sequence[Event], *, evidence: bool = False) -> list[Receipt]:
        """Send a batch and return a receipt for each event, in order; with evidence to keep, if that is asked for.

        What is busy, away or unacknowledged is sent again under the same event_id, honouring Retry-After; what is
        still unacknowledged at the end has the status UNKNOWN. At most 1,000 events and 8 MiB by default.
        Raises SendError when the gateway refuses the request as a whole, or never answers.
        """
        receipts: dict[int, Receipt] = {}
        waiting = list(range(len(events)))
        for attempt in range(self._policy.attempts):
            if not waiting:
                break
            answer = self._post([events[number] for number in waiting], "?evidence=true" if evidence else "")
            for number, receipt in zip(waiting, _receipts(answer), strict=False):
                receipts[number] = receipt
            waiting = [n for n in waiting if n not in receipts or receipts[n].status == UNKNOWN]
            if waiting and attempt + 1 < self._policy.attempts:
                self._wait(self._pause(answer, attempt))
        if len(receipts) < len(events):
            raise SendError(
                f"{self._url} took nothing on in {self._policy.attempts} attempts; is it running and ready?"
            )
        return [receipts[number] for number in range(len(events))]

    def edition(self) -> Edition:
        """The edition of the catalogue in force, which events are checked against; no key is needed.

        Raises SendError when the gateway does not tell it.
        """
        for attempt in range(self._policy.attempts):
            answer = self._answer("GET", "/v1/catalogue")
            if answer is not None and answer.status_code == httpx.codes.OK:
                return named(answer.content)
            if answer is not None and answer.status_code not in BUSY:
                raise self._refusal(answer)
            if attempt + 1 < self._policy.attempts:
                self._wait(self._pause(answer, attempt))
        raise SendError(f"{self._url} told no catalogue in {self._policy.attempts} attempts; is it running and ready?")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _post(self, events: Sequence[Event], asking: str) -> httpx.Response | None:
        """The answer, or None when there was none; raises SendError for an answer that trying again will not change."""
        # without an answer it is unknown whether the events arrived: the same ids make sending again harmless
        answer = self._answer("POST", f"/v1/events{asking}", orjson.dumps({"events": events}))
        if answer is None or answer.status_code in (202, 207, *BUSY) or "results" in _json(answer):
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> SendError:
        return SendError(f"{self._url}: HTTP {answer.status_code}: {problem_of(answer)}")

    def _answer(self, method: str, path: str, content: bytes | None = None) -> httpx.Response | None:
        try:
            return self._http.request(method, path, content=content)
        except httpx.TransportError:
            return None

    def _pause(self, answer: httpx.Response | None, attempt: int) -> float:
        """Never sooner than the gateway asks, and longer each time: it may be away for longer than it thinks."""
        asked = answer.headers.get("retry-after", "") if answer is not None else ""
        return self._policy.pause_seconds(attempt, float(asked) if asked.isdigit() else 0.0)


def problem_of(answer: httpx.Response) -> str:
    """What an answer that is no success says of itself, in both languages."""
    problem = _json(answer)
    told = " ".join(str(problem.get(name, "")) for name in ("title", "detail", "title_zh", "detail_zh"))
    return told.strip() or "no explanation"


def _receipts(answer: httpx.Response | None) -> list[Receipt]:
    told = _json(answer) if answer is not None else {}
    return [
        Receipt(
            event_id=str(result["event_id"]),
            status=str(result["status"]),
            faults=tuple(_fault(fault) for fault in result["faults"]),
            track=str(result["track"]),
            evidence={**told["evidence"], **result["evidence"]} if "evidence" in result else None,
        )
        for result in told.get("results", [])
    ]


def _fault(fault: Mapping[str, str]) -> Fault:
    return Fault(**{**fault, "code": Reason(fault["code"])})  # type: ignore[arg-type]


def _json(answer: httpx.Response) -> dict[str, Any]:
    """The body as an object; empty when it is none (a proxy's page)."""
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
