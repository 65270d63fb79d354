"""Decisions of the look-up: whom an identifier names, what became of an event, what a purpose shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from creditbus.catalogue.purposes import Purpose
from creditbus.core.identifiers import RegionTable, Scheme, grade, is_blocked, normalise_identifier, subject_key_of
from creditbus.core.problems import Problem
from creditbus.core.state import ENDED_AS
from creditbus.core.subject import HELD, RECORDED
from creditbus.lookup import problems

_PERSON = "p:"
_LENGTHS = {18: Scheme.USCC, 9: Scheme.ORGANISATION}
_TAKEN_AS = (RECORDED, HELD, "SUPERSEDED", "DROPPED", "PARKED", "DUPLICATE")
"""What a dossier says of a record that comes; when it says several things, the first of these."""
_SAYS = frozenset({RECORDED, HELD, *ENDED_AS})
"""What says whether a record is in force; the last of it counts (clickhouse/standing.py)."""
_HIDDEN = frozenset({"src", "kpart", "koff", "body", "body_schema", "sealed"})
"""Columns that are not for readers: positions, and what is shown decoded or not at all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a look-up asks for: a subject key, or another number that the dossiers may know."""

    key: str | None
    alias: str | None = None


def wanted_of(identifier: str, regions: RegionTable) -> Wanted | Problem:
    """Whom an identifier names; any spelling (width, case, hyphens, spaces)."""
    if identifier.startswith(_PERSON):
        return Wanted(identifier)
    value = normalise_identifier(identifier[:64])
    if len(value) == 15:
        tax = grade(Scheme.TAX, value, regions)
        return Wanted(None if is_blocked(tax) else subject_key_of(tax), value)
    scheme = _LENGTHS.get(len(value))
    if scheme is None:
        return problems.bad_identifier(["format"])
    graded = grade(scheme, value, regions)
    key = subject_key_of(graded)
    if key is not None:
        return Wanted(key)
    if scheme is Scheme.USCC and not is_blocked(grade(Scheme.CITIZEN, value, regions)):
        return problems.CITIZEN_NUMBER
    return problems.bad_identifier(graded.flags)


def number_of(value: str, regions: RegionTable) -> str | None:
    """A person's number as tokens are made of it; None when it is none."""
    graded = grade(Scheme.CITIZEN, normalise_identifier(value), regions)
    return None if is_blocked(graded) else graded.value


def orders_of(dossier: Mapping[str, Any], families: Collection[str]) -> list[dict[str, Any]]:
    """Orders of a dossier that are in effect, of these families of measures."""
    return [
        {
            name: one[name]
            for name in ("order_id", "family", "measure", "binding", "list", "effective_on", "until", "state")
        }
        for one in dossier.get("orders") or []
        if one["family"] in families and one["state"] != "PROPOSED"
    ]


def allowed(purpose: Purpose | None, stated: str, roles: Iterable[str]) -> Problem | None:
    """Why a caller may not state a purpose; None when it may."""
    if purpose is None:
        return problems.not_allowed(stated[:40], [])
    return None if purpose.roles & set(roles) else problems.not_allowed(stated, purpose.roles)


def state_of_event(rejections: Sequence[Mapping[str, Any]], records: int, outcomes: Iterable[str]) -> str | None:
    """What became of an event (design.md 11.7); None when it was never seen.

    A record that the dossier has not applied yet is RECEIVED; an event that was rejected and then mended is what it
    became in the end.
    """
    seen = set(outcomes)
    for state in _TAKEN_AS:
        if state in seen:
            return state
    if records:
        return "RECEIVED"
    return "REJECTED" if rejections else None


def state_of_record(outcomes: Sequence[str]) -> str:
    """What became of a record, for whom the history is shown. outcomes: all that was told of it, in order.

    RECORDED is in force; RECEIVED is what its subject's dossier has not told of yet.
    """
    last = next((one for one in reversed(outcomes) if one in _SAYS), None)
    return last or next((one for one in _TAKEN_AS if one in outcomes), "RECEIVED")


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the warehouse as JSON."""
    return {name: plain(value) for name, value in row.items() if name not in _HIDDEN}


def plain(value: Any) -> Any:
    """A value as JSON has it; dates in ISO 8601, times in UTC."""
    if isinstance(value, datetime):
        utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return utc.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def cursor_of(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """An opaque cursor that stands for a row's place in the order."""
    return base64.urlsafe_b64encode(json.dumps([str(plain(row[name])) for name in columns]).encode()).decode()


def place_of(cursor: str | None, columns: int) -> list[str] | None:
    """The place that a cursor stands for; None for none. Raises ValueError for a text that is no cursor."""
    if not cursor:
        return None
    values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    if not isinstance(values, list) or len(values) != columns or not all(isinstance(one, str) for one in values):
        raise ValueError("not a cursor of this list")
    return values


HISTORY = "history"
"""What a purpose shows that also sees what has ended."""
_LISTINGS = ("listings", "restrictions")
"""What puts a subject on a list, and apart from it the orders of courts (限制消费令)."""


def cut(answer: Mapping[str, Any], shows: frozenset[str]) -> dict[str, Any]:
    """The answer without what the purpose does not show; what has ended is for those who handle the case."""
    if HISTORY not in shows:
        in_force = {name: _in_force(answer[name]) for name in _LISTINGS}
        answer = {**answer, **in_force, "orders": _ordered(answer["orders"])}
    always = ["subject_key", "dossier"]
    if "orders" in shows:
        always.append("downstream")
    if "listings" in shows:
        always.append("restrictions")
    kept = {name: value for name, value in answer.items() if name in shows or name in always}
    dossier = dict(kept["dossier"])
    if "score" not in shows:
        for name in ("score", "grade", "reasons", "receipt_hash"):
            dossier.pop(name, None)
    for name, needs in (
        ("listings", "listings"),
        ("restrictions", "listings"),
        ("waiting_lists", "listings"),
        ("orders", "orders"),
        ("refused", "orders"),
        ("incentives", "orders"),
        ("terms", "orders"),
    ):
        if needs not in shows:
            dossier.pop(name, None)
    return {**kept, "dossier": dossier}


def with_disputes(records: Iterable[Mapping[str, Any]], dossier: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Records, each with whether a dispute of its fact is open (异议标注)."""
    disputed = frozenset(dossier.get("disputed") or ())
    return [{**row, "disputed": row["record_id"] in disputed} for row in records]


def with_states(
    listings: Iterable[Mapping[str, Any]], dossiers: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Listings, each with whether it is disputed (异议标注), and whether its measures stand still meanwhile.

    dossiers: what the dossiers of their subjects hold, by key.
    """
    return [_with_state(row, dossiers.get(row["subject_key"], {})) for row in listings]


def _with_state(row: Mapping[str, Any], dossier: Mapping[str, Any]) -> dict[str, Any]:
    active = [*(dossier.get("listings") or ()), *(dossier.get("restrictions") or ())]
    now: Mapping[str, Any] = next((one for one in active if one["listing_id"] == row["listing_id"]), {})
    return {
        **row,
        "disputed": now.get("record_id") in (dossier.get("disputed") or ()),
        "suspended": bool(now.get("suspended")),
        "shielded": bool(now.get("shielded")),
    }


def _in_force(listings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Listing changes, newest first, of listings that took effect and were not removed."""
    removed = {row["listing_id"] for row in listings if row["state"] == "REMOVED"}
    return [row for row in listings if row["listing_id"] not in removed and row["state"] != "WAITING"]


def _ordered(orders: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Messages of measures, newest first, without those of orders that were lifted."""
    lifted = {row["order_id"] for row in orders if row["action"] == "LIFT"}
    return [row for row in orders if row["order_id"] not in lifted]


def downstream_of(dossier: Mapping[str, Any]) -> dict[str, Any]:
    """Whether any measure is left with subscribers: ordered, or lifted without everybody saying that they stopped."""
    orders = [one for one in dossier.get("orders") or [] if one.get("state") != "PROPOSED"]
    lifts = [one for one in dossier.get("terms") or [] if one["term"] == "LIFT_ACKNOWLEDGEMENT"]
    return {
        "clear": not orders and not lifts,
        "in_effect": len(orders),
        "open_lifts": [{name: one[name] for name in ("measure", "list", "since", "waiting")} for one in lifts],
        "as_of": dossier["as_of"],
    }
