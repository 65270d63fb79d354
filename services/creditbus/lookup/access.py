"""Who asks, why, and that it was recorded: what every answer of the look-up begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Header, Query
from pydantic import AwareDatetime

from creditbus.bus.audit import Access, Ledger
from creditbus.bus.keyring import Keyring
from creditbus.bus.metrics import Metrics
from creditbus.catalogue.purposes import Purpose
from creditbus.catalogue.views import View
from creditbus.core.errors import RetryLaterError
from creditbus.core.identifiers import codes_in
from creditbus.core.problems import Problem
from creditbus.lookup import problems
from creditbus.lookup.feed import AlertFeed
from creditbus.lookup.flow import Flow
from creditbus.lookup.law import LawInForce
from creditbus.lookup.past import Moment, file_then, moment_of
from creditbus.lookup.persons import Persons
from creditbus.lookup.queries import ALL, Cut, File, Queries
from creditbus.lookup.steps import HISTORY, allowed, cursor_of, cut, downstream_of, place_of, wanted_of, with_disputes

_RECORD_ORDER = ("decided_on", "record_id")
_ACCESS_ORDER = ("at", "access_id")


class RefusedError(Exception):
    """A request that gets a problem instead of an answer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which roles."""

    department: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the answers are made with."""

    queries: Queries
    keyring: Keyring
    ledger: Ledger
    feed: AlertFeed
    flow: Flow
    purposes: Mapping[str, Purpose]
    views: Mapping[str, View]
    law: LawInForce
    metrics: Metrics
    page_size: int
    persons: Persons
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about one subject, as it came."""

    identifier: str
    purpose: str
    basis: str
    cursor: str | None
    limit: int


async def asked_of(
    identifier: str,
    x_purpose: Annotated[str, Header()] = "",
    x_basis: Annotated[str, Header()] = "",
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Asked:
    """The question that a request asks."""
    return Asked(identifier, x_purpose, x_basis, cursor, limit)


When = tuple[date | None, datetime | None]
"""The day and the time that a question is about, as_of and known_at; None for now."""


async def when_of(
    as_of: Annotated[date | None, Query(description="What held on this day, in Beijing 截至该日有效的信息")] = None,
    known_at: Annotated[
        AwareDatetime | None, Query(description="What was known at this time 平台在该时点已知的信息")
    ] = None,
) -> When:
    """What a request asks about the past."""
    return as_of, known_at


def subject_answer(ports: Ports, caller: Caller, asked: Asked, when: When, chosen: Cut = ALL) -> dict[str, Any]:
    """What a purpose shows of a subject, all of it or its records of a view; audited before it is given."""
    purpose = stated_purpose(ports, caller, asked.purpose, asked.basis)
    wanted = wanted_of(asked.identifier, ports.law.now.rules.regions)
    if isinstance(wanted, Problem):
        raise RefusedError(wanted)
    moment = _moment(ports, purpose, when)
    if moment is not None:
        file = file_then(ports.queries, wanted, moment, place(asked.cursor), asked.limit, chosen)
        if file is None:
            raise RefusedError(problems.UNKNOWN_THEN)
        access_id = audited(ports, caller, purpose, asked.basis, file.key, endpoint="/v1/subjects/past")
        return {**cut(_contents(ports, asked, file), purpose.shows), **moment.as_json(), "access_id": access_id}
    history = HISTORY in purpose.shows
    file = ports.queries.file_of(wanted, place(asked.cursor), asked.limit, chosen, history=history)
    if file is None:
        raise RefusedError(problems.UNKNOWN_SUBJECT)
    access_id = audited(ports, caller, purpose, asked.basis, file.key)
    answer = {**_contents(ports, asked, file), "downstream": downstream_of(file.dossier)}
    answer["records"]["items"] = with_disputes(answer["records"]["items"], file.dossier)
    return {**cut(answer, purpose.shows), "access_id": access_id}


def _moment(ports: Ports, purpose: Purpose, when: When) -> Moment | None:
    """The moment that is asked about; None for now."""
    moment = moment_of(*when, ports.now())
    if isinstance(moment, Problem):
        raise RefusedError(moment)
    if moment is not None:
        _must_show(ports, purpose, HISTORY, problems.shows_no_past)
    return moment


def _must_show(ports: Ports, purpose: Purpose, what: str, refusal: Callable[[str, Iterable[str]], Problem]) -> None:
    """Refuse a purpose that does not show something, and name those that do."""
    if what not in purpose.shows:
        raise RefusedError(refusal(purpose.code, [one.code for one in ports.purposes.values() if what in one.shows]))


def _contents(ports: Ports, asked: Asked, file: File) -> dict[str, Any]:
    is_order = ports.queries.is_order
    return {
        "subject_key": file.key,
        "dossier": file.dossier,
        "records": page(file.records(), asked.limit, _RECORD_ORDER),
        "listings": [row for row in file.listings if not is_order(row)],
        "restrictions": [row for row in file.listings if is_order(row)],
        "orders": file.orders,
    }


def accesses_answer(ports: Ports, caller: Caller, asked: Asked) -> dict[str, Any]:
    """Who looked a subject up, and why; this look-up too is on the ledger before the answer leaves."""
    purpose = stated_purpose(ports, caller, asked.purpose, asked.basis)
    _must_show(ports, purpose, "accesses", problems.shows_no_accesses)
    wanted = wanted_of(asked.identifier, ports.law.now.rules.regions)
    if isinstance(wanted, Problem):
        raise RefusedError(wanted)
    dossier = ports.queries.dossier(wanted)
    if dossier is None:
        raise RefusedError(problems.UNKNOWN_SUBJECT)
    key = str(dossier["subject_key"])
    access_id = audited(ports, caller, purpose, asked.basis, key, endpoint="/v1/subjects/accesses")
    rows = ports.queries.accesses(key, place(asked.cursor), asked.limit)
    return {"subject_key": key, "accesses": page(rows, asked.limit, _ACCESS_ORDER), "access_id": access_id}


def stated_purpose(ports: Ports, caller: Caller, stated: str, basis: str) -> Purpose:
    """The purpose that a caller states, if it may."""
    if not stated or not basis.strip():
        raise RefusedError(problems.NO_BASIS)
    purpose = ports.purposes.get(stated)
    problem = allowed(purpose, stated, caller.roles)
    if problem is not None or purpose is None:
        raise RefusedError(problem or problems.NO_BASIS)
    return purpose


def audited(
    ports: Ports, caller: Caller, purpose: Purpose, basis: str, key: str, endpoint: str = "/v1/subjects"
) -> str:
    """Record the access; without that there is no answer."""
    access = Access(
        actor=caller.department,
        role=", ".join(sorted(purpose.roles & caller.roles)),
        department=caller.department,
        purpose=purpose.code,
        basis=unquote(basis).strip()[:200],  # headers are ASCII: other text comes percent-encoded
        subject_key=key,
        fields=tuple(sorted(purpose.shows)),
        endpoint=endpoint,
        result="answered",
    )
    try:
        return ports.ledger.record(access)
    except RetryLaterError as error:
        raise RefusedError(problems.CANNOT_AUDIT) from error


def page(rows: list[dict[str, Any]], limit: int, order: tuple[str, ...]) -> dict[str, Any]:
    """Rows of a page, and where the next one begins."""
    return {"items": rows, "next": cursor_of(rows[-1], order) if len(rows) == limit else None}


def place(cursor: str | None, columns: int = 2) -> list[str] | None:
    """The place in the order that a cursor stands for."""
    with _as_problem():
        return place_of(cursor, columns)


def region_codes(ports: Ports, region: str) -> list[str]:
    """Codes of a region and of what belongs to it; none for everywhere."""
    return codes_in(ports.law.now.rules.regions, region) if region else []


@contextmanager
def _as_problem() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise RefusedError(problems.bad_identifier(["cursor"])) from error
