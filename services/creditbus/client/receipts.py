"""What became of events: asked of look-up until each has its final state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ConfigDict

RECORDED, REJECTED = "RECORDED", "REJECTED"
_PENDING = "RECEIVED"
_ROUND_SECONDS = 1.0


class LookupFault(BaseModel):
    """One reason of a rejection."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str
    field: str = ""
    problem_zh: str = ""
    problem_en: str = ""
    remedy_zh: str = ""
    remedy_en: str = ""


class EventState(BaseModel):
    """The answer of GET /v1/events/{event_id}."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    event_id: str
    state: str
    faults: tuple[LookupFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where to ask, and as whom."""

    url: str
    api_key: str
    department: str


def wait_for_states(
    lookup: Lookup,
    event_ids: Iterable[str],
    timeout_seconds: float,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[EventState]:
    """The final state of each event, as it becomes known; events still under way at the end are left out.

    Raises httpx.HTTPStatusError when look-up refuses the question.
    """
    deadline = time.monotonic() + timeout_seconds
    waiting = list(dict.fromkeys(event_ids))
    headers = {
        "Authorization": f"Bearer {lookup.api_key}",
        "X-Purpose": "receipt",
        "X-Basis": lookup.department,
    }
    with httpx.Client(base_url=lookup.url, headers=headers, timeout=10.0) as http:
        while waiting and time.monotonic() < deadline:
            left = []
            for event_id in waiting:
                state = _ask(http, event_id)
                if state is None or state.state == _PENDING:
                    left.append(event_id)
                else:
                    yield state
            waiting = left
            if waiting:
                wait(_ROUND_SECONDS)


def _ask(http: httpx.Client, event_id: str) -> EventState | None:
    """None while nothing is known yet, or look-up is away."""
    try:
        answer = http.get(f"/v1/events/{event_id}")
    except httpx.TransportError:
        return None
    if answer.status_code == httpx.codes.NOT_FOUND or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    answer.raise_for_status()
    return EventState.model_validate_json(answer.content)
