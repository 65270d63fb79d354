"""Reconciliation over HTTP (对账): a department's day against what reached the bus, with the ids that differ.

Annotations are evaluated here, not postponed: FastAPI reads dependencies that are made inside a function.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from creditbus.clickhouse.client import DATABASE
from creditbus.core.reconciliation import Arrived, compared, digest_of
from creditbus.core.records import BEIJING
from creditbus.lookup import problems
from creditbus.lookup.access import Caller, Ports, RefusedError
from creditbus.lookup.queries import Queries

_SENDS = "producer"
_MOST = 100_000
_AT_ONCE = 500
_SENT = (
    "SELECT event_id, kind, toDate(recorded_at, 'Asia/Shanghai') AS on_day, 0 AS refused "  # noqa: S608
    f"FROM {DATABASE}.records FINAL WHERE sender = {{sender:String}} AND empty(rekeyed_from) AND op != 'UNLINK' "
    "UNION ALL SELECT event_id, kind, toDate(rejected_at, 'Asia/Shanghai') AS on_day, 1 AS refused "
    f"FROM {DATABASE}.rejections FINAL WHERE sender = {{sender:String}} AND event_id != ''"
)
"""Whatever came of a department's events; no copy of a record under another key, and no end of one."""


class Day(BaseModel):
    """What a department sent on a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date = Field(description="On which the bus received it, in Beijing 平台收到之日")
    event_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        max_length=_MOST, description="Ids of all events sent, each once or more 当日报送的全部事件标识"
    )


def add_reconciliation(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    """Add the routes."""

    @app.get("/v1/reconciliation", summary="对账：当日收到的事件数与摘要 Count and digest of what arrived on a day")
    def get_day(caller: Annotated[Caller, Depends(caller_of)], day: date) -> dict[str, Any]:
        return _told(day, _arrived(ports, caller, day))

    @app.post("/v1/reconciliation", summary="对账：逐条核对当日报送 One's own ids of a day against those that arrived")
    def compare_day(caller: Annotated[Caller, Depends(caller_of)], sent: Day) -> dict[str, Any]:
        arrived = _arrived(ports, caller, sent.day)
        there = {one.event_id for one in arrived}
        unknown = sorted(set(sent.event_ids) - there)
        found = compared(sent.event_ids, there, dict(_days_of(ports.queries, caller.department, unknown)))
        return {
            **_told(sent.day, arrived),
            "sent": {"events": len(set(sent.event_ids)), "digest": digest_of(sent.event_ids)},
            "agrees": found.is_none,
            "missing": found.missing,
            "surplus": found.surplus,
            "other_days": [{"event_id": one, "day": day.isoformat()} for one, day in found.other_days.items()],
        }


def _told(day: date, arrived: Sequence[Arrived]) -> dict[str, Any]:
    """Counts and digest; rejected events are named, since they are to be mended."""
    ids = {one.event_id for one in arrived}
    kinds = Counter((one.kind, one.rejected) for one in arrived)
    return {
        "day": day.isoformat(),
        "events": len(ids),
        "digest": digest_of(ids),
        "kinds": [
            {"kind": kind, "accepted": kinds[kind, False], "rejected": kinds[kind, True]}
            for kind in sorted({one.kind for one in arrived})
        ],
        "rejected": sorted(one.event_id for one in arrived if one.rejected),
    }


def _arrived(ports: Ports, caller: Caller, day: date) -> list[Arrived]:
    """Events of the caller's department that the bus has decided about on a day; each once."""
    if _SENDS not in caller.roles:
        raise RefusedError(problems.not_allowed("reconciliation", [_SENDS]))
    if day > ports.now().astimezone(BEIJING).date():
        raise RefusedError(problems.NOT_YET)
    rows = ports.queries.ask(
        f"SELECT event_id, any(kind) AS kind, min(refused) AS rejected FROM ({_SENT}) "  # noqa: S608
        "WHERE on_day = {day:Date} GROUP BY event_id",
        {"sender": caller.department, "day": day.isoformat()},
    )
    return [
        Arrived(event_id=str(row["event_id"]), kind=str(row["kind"]), rejected=bool(row["rejected"])) for row in rows
    ]


def _days_of(queries: Queries, sender: str, event_ids: Sequence[str]) -> Iterator[tuple[str, date]]:
    """On which day events arrived, whichever it was."""
    for start in range(0, len(event_ids), _AT_ONCE):
        rows = queries.ask(
            f"SELECT event_id, min(on_day) AS first_day FROM ({_SENT}) "  # noqa: S608
            "WHERE event_id IN {ids:Array(String)} GROUP BY event_id",
            {"sender": sender, "ids": list(event_ids[start : start + _AT_ONCE])},
        )
        for row in rows:
            yield str(row["event_id"]), row["first_day"]
