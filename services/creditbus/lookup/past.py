"""A subject's file as it was: what had been told of it by a time (known_at), and what of that held on a day (as_of).

The table of changes has a row for whatever a record or a deadline did to a dossier, in the order of the log, and the
tables of listings and orders one for each step: a file of the past is made of those that had come by then
(design.md 11.14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from creditbus.clickhouse.client import DATABASE
from creditbus.clickhouse.standing import standing
from creditbus.core.problems import Problem
from creditbus.core.records import BEIJING
from creditbus.lookup import problems
from creditbus.lookup.queries import Cut, File, Queries, Row
from creditbus.lookup.statements import MINE, NOT_GONE, NOT_TOO_OLD, newest, placed, records_of
from creditbus.lookup.steps import Wanted, plain, shown

_KNOWN = "parseDateTime64BestEffort({known:String}, 3, 'UTC')"
_BY_THEN = f"{MINE} AND as_of <= {_KNOWN} AND (outcome = 'RECORDED' OR toDate(as_of, 'Asia/Shanghai') <= {{on:Date32}})"
"""What had been told by then; of what ended a record, that which came by the end of the day."""
_RECORDS = (
    f" AND op = 'RECORD' AND decided_on <= {{on:Date32}}{NOT_TOO_OLD}{NOT_GONE} "
    f"AND (subject_key, record_id) IN ({standing(_BY_THEN)})"
)
_TOLD = "as_of <= parseDateTime64BestEffort({told:String}, 3, 'UTC')"
_CHANGE = (
    f"SELECT {_TOLD} AS is_told, version, score_after AS score, grade_after AS grade, listed, edition, receipt_hash, "  # noqa: S608
    f"as_of FROM {DATABASE}.changes FINAL WHERE {MINE} AND as_of <= {_KNOWN} ORDER BY is_told DESC, koff DESC LIMIT 1"
)
"""The last that was told of the whole file; something that was told later, when nothing was by then."""
_WHO = ("subject_key", "subject_kind", "subject_name", "identifier", "aliases", "region")
"""What a dossier says of whom it is about. The rest of it is of today."""


class Steps(NamedTuple):
    """How the steps of a listing or of an order are told apart."""

    of: str
    """Column of what a step belongs to."""
    step: str
    """Column of which one it is."""
    begins: str
    """Takes effect, on a day of its own and perhaps told later; the others count from the day they were told on."""
    not_held: frozenset[str]
    """Steps of what has no effect any more, or not yet."""


_LISTING = Steps("listing_id", "state", "LISTED", frozenset({"REMOVED", "WAITING"}))
_ORDER = Steps("order_id", "action", "ORDER", frozenset({"LIFT"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What had been told by a time, and what of that held at the end of a day in Beijing."""

    known_at: datetime
    as_of: date

    @property
    def parameters(self) -> dict[str, object]:
        """The values of the conditions.

        A score is what it was told to be by the earlier of the two; what came later does not make it anew.
        """
        end_of_day = datetime.combine(self.as_of + timedelta(days=1), time(), BEIJING) - timedelta(milliseconds=1)
        end = min(self.known_at, end_of_day)
        return {"known": _in_utc(self.known_at), "told": _in_utc(end), "on": self.as_of.isoformat()}

    def as_json(self) -> dict[str, str]:
        """What an answer says of it."""
        return {"as_of": self.as_of.isoformat(), "known_at": str(plain(self.known_at))}


def moment_of(as_of: date | None, known_at: datetime | None, now: datetime) -> Moment | Problem | None:
    """The moment that a question is about; None for now. Without known_at all that is known counts."""
    if as_of is None and known_at is None:
        return None
    known = known_at or now
    day = as_of or known.astimezone(BEIJING).date()
    if known > now or day > now.astimezone(BEIJING).date():
        return problems.NOT_YET
    return Moment(known_at=known, as_of=day)


def file_then(
    queries: Queries, wanted: Wanted, moment: Moment, place: list[str] | None, limit: int, cut: Cut
) -> File | None:
    """The file as it was, for whom the history is shown; None when nothing was on file then.

    A key that leads to another one since was the subject's own before. place, limit: of the page of records.
    """

    def led_on(closed: Row) -> bool:
        return bool(closed.get("redirect")) and datetime.fromisoformat(closed["as_of"]) <= moment.known_at

    dossier = queries.dossier(wanted, led_on)
    return _file_at(queries, dossier, moment, place, limit, cut) if dossier is not None else None


def _file_at(
    queries: Queries, dossier: Row, moment: Moment, place: list[str] | None, limit: int, cut: Cut
) -> File | None:
    key = str(dossier["subject_key"])
    values: dict[str, object] = {"key": key, **moment.parameters}
    told = queries.ask(_CHANGE, values)
    if not told:
        return None
    last = shown(told[0])
    is_told = last.pop("is_told")
    standing_then = {name: value if is_told else None for name, value in last.items()}
    by_then = f" AND at <= {_KNOWN}"
    listings = queries.read(newest("listings", by_then), values)
    orders = queries.read(newest("orders", by_then), values)
    records = queries.read(
        records_of(f"{cut.where}{_RECORDS}", place),
        {**values, **cut.parameters, **queries.disclosed, **placed(place, limit)},
    )
    return File(
        key,
        {**{name: dossier[name] for name in _WHO}, **standing_then},
        lambda: records[:limit],
        held(listings, moment.as_of, _LISTING),
        held(orders, moment.as_of, _ORDER),
    )


def held(rows: Sequence[Row], day: date, kind: Steps) -> list[Row]:
    """The last step of each listing or order that held at the end of a day. rows: steps, newest first."""
    found: dict[str, Row] = {}
    for row in rows:
        told_on = datetime.fromisoformat(row["at"]).astimezone(BEIJING).date()
        if (date.fromisoformat(row["effective_on"]) if row[kind.step] == kind.begins else told_on) <= day:
            found.setdefault(str(row[kind.of]), row)
    return [row for row in found.values() if row[kind.step] not in kind.not_held]


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
