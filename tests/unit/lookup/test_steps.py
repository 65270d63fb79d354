"""Decisions of the look-up: whom an identifier names, what became of an event, what a purpose shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import FIRM, FIRM_KEY, make_rules
from creditbus.core.problems import Problem
from creditbus.core.records import BEIJING
from creditbus.lookup.problems import CITIZEN_NUMBER
from creditbus.lookup.steps import (
    Wanted,
    cut,
    downstream_of,
    number_of,
    orders_of,
    shown,
    state_of_event,
    state_of_record,
    wanted_of,
    with_disputes,
    with_states,
)

REGIONS = make_rules().regions


@pytest.mark.parametrize(
    "spelling", [FIRM, FIRM.lower(), f" {FIRM[:8]} {FIRM[8:]} ", "ＭＡ０Ｎ１２３４０", "MA0N1234-0"]
)
def test_any_spelling_names_the_same_subject(spelling: str) -> None:
    assert wanted_of(spelling, REGIONS) == Wanted(FIRM_KEY)


def test_a_citizen_number_is_refused_since_addresses_are_logged() -> None:
    assert wanted_of("11010519491231002X", REGIONS) is CITIZEN_NUMBER


@pytest.mark.parametrize("text", ["", "x", "91150102MA0N123409", "9" * 500])
def test_what_names_nobody_is_a_problem_in_both_languages(text: str) -> None:
    problem = wanted_of(text, REGIONS)
    assert isinstance(problem, Problem)
    assert problem.detail_zh
    assert problem.detail_en


@pytest.mark.parametrize(
    ("rejections", "records", "outcomes", "state"),
    [
        ([], 0, [], None),
        ([{}], 0, [], "REJECTED"),
        ([], 1, [], "RECEIVED"),
        ([{}], 1, ["RECORDED"], "RECORDED"),
        ([], 2, ["RECORDED", "DUPLICATE"], "RECORDED"),
        ([], 1, ["DUPLICATE"], "DUPLICATE"),
        ([], 1, ["HELD"], "HELD"),
        ([], 1, ["SUPERSEDED"], "SUPERSEDED"),
    ],
)
def test_an_event_has_one_state(
    rejections: list[dict[str, str]], records: int, outcomes: list[str], state: str | None
) -> None:
    assert state_of_event(rejections, records, outcomes) == state


def test_nothing_stays_downstream_without_orders_and_open_lifts() -> None:
    lift = {"term": "LIFT_ACKNOWLEDGEMENT", "measure": "M01-LICENCE", "list": "L01", "since": "x", "waiting": ["a"]}
    told = [
        downstream_of({"as_of": "x", "orders": orders, "terms": terms})
        for orders, terms in (([], []), ([], [{"term": "DISPUTE"}]), ([{}], []), ([], [lift]))
    ]
    assert [one["clear"] for one in told] == [True, True, False, False]
    assert told[3]["open_lifts"] == [{"measure": "M01-LICENCE", "list": "L01", "since": "x", "waiting": ["a"]}]


def test_a_purpose_shows_no_more_than_it_needs() -> None:
    answer = {
        "subject_key": FIRM_KEY,
        "dossier": {
            "score": 700,
            "grade": "B",
            "reasons": [],
            "receipt_hash": "x",
            "listings": [],
            "orders": [],
            "restrictions": [],
            "waiting_lists": [],
            "terms": [],
        },
        "downstream": {"clear": True},
        "records": {"items": []},
        "listings": [],
        "restrictions": [],
        "orders": [],
    }
    shown = cut(answer, frozenset({"listings"}))
    assert set(shown) == {"subject_key", "dossier", "listings", "restrictions"}
    assert set(shown["dossier"]) == {"listings", "restrictions", "waiting_lists"}
    assert not {"listings", "restrictions"} & set(cut(answer, frozenset({"records"}))["dossier"])


def test_what_has_ended_is_shown_to_whoever_handles_the_case_alone() -> None:
    listings = [
        {"listing_id": "2", "state": "LISTED"}, {"listing_id": "1", "state": "REMOVED"},
        {"listing_id": "1", "state": "LISTED"}, {"listing_id": "3", "state": "WAITING"},
    ]  # fmt: skip
    orders = [
        {"order_id": "b", "action": "SUSPEND"}, {"order_id": "a", "action": "LIFT"},
        {"order_id": "b", "action": "ORDER"}, {"order_id": "a", "action": "ORDER"},
    ]  # fmt: skip
    answer = {
        "subject_key": FIRM_KEY,
        "dossier": {},
        "downstream": {},
        "listings": listings,
        "restrictions": listings,
        "orders": orders,
    }
    shown = cut(answer, frozenset({"listings", "orders"}))
    assert shown["listings"] == shown["restrictions"] == listings[:1]
    assert [one["order_id"] for one in shown["orders"]] == ["b", "b"]
    history = cut(answer, frozenset({"listings", "orders", "history"}))
    assert (history["listings"], history["orders"]) == (listings, orders)


def test_only_orders_of_ones_own_families_that_are_in_effect_are_matched() -> None:
    shown = dict.fromkeys(("order_id", "measure", "binding", "list", "effective_on", "until"), "x")
    orders = [
        {**shown, "family": "M01", "state": "ACTIVE"},
        {**shown, "family": "M01", "state": "PROPOSED"},
        {**shown, "family": "M02", "state": "ACTIVE"},
    ]
    assert [one["family"] for one in orders_of({"orders": orders}, {"M01"})] == ["M01"]
    assert orders_of({}, {"M01"}) == []


def test_a_persons_number_is_known_in_any_spelling_and_nothing_else_is_one() -> None:
    assert number_of(" 11010519491231002x ", REGIONS) in (None, "11010519491231002X")
    assert number_of("150102198503070010", REGIONS) is None
    assert number_of("", REGIONS) is None


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 30, 0, 0, tzinfo=UTC).replace(tzinfo=None),  # as the warehouse gives it
        datetime(2026, 11, 30, 0, 0, tzinfo=UTC),  # as the log gives it
        datetime(2026, 11, 30, 8, 0, tzinfo=BEIJING),
    ],
)
def test_a_time_reads_the_same_wherever_it_comes_from(at: datetime) -> None:
    assert shown({"at": at, "koff": 7}) == {"at": "2026-11-30T00:00:00.000Z"}


def test_records_say_whether_they_are_disputed() -> None:
    rows = with_disputes([{"record_id": "r1"}, {"record_id": "r2"}], {"disputed": ["r2"]})
    assert [row["disputed"] for row in rows] == [False, True]
    assert [row["disputed"] for row in with_disputes(rows, {})] == [False, False]


def test_listings_say_whether_they_are_disputed_or_stand_still() -> None:
    listings = [{"subject_key": key, "listing_id": f"l{key}", "record_id": f"r{key}"} for key in "abc"]
    still: dict[str, Any] = {"listing_id": "la", "record_id": "newer", "suspended": True, "shielded": False}
    order = {"listing_id": "lb", "record_id": "rb", "suspended": False, "shielded": True}
    dossiers: dict[str, dict[str, Any]] = {
        "a": {"listings": [still], "disputed": ["newer"]},
        "b": {"restrictions": [order], "disputed": []},
    }
    found = with_states(listings, dossiers)
    assert [(row["disputed"], row["suspended"], row["shielded"]) for row in found] == [
        (True, True, False),
        (False, False, True),
        (False, False, False),
    ]


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], "RECEIVED"),
        (["RECORDED"], "RECORDED"),
        (["RECORDED", "DUPLICATE"], "RECORDED"),
        (["DUPLICATE"], "DUPLICATE"),
        (["HELD", "RECORDED"], "RECORDED"),
        (["RECORDED", "REPAIRED"], "REPAIRED"),
        (["RECORDED", "CORRECTED", "RECORDED"], "RECORDED"),
        (["RECORDED", "NEAR", "OVERDUE"], "RECORDED"),
        (["RECORDED", "HELD"], "HELD"),
        (["PARKED", "RECORDED", "EXPIRED"], "EXPIRED"),
        (["DUPLICATE", "RECORDED"], "RECORDED"),
    ],
    ids=str,
)
def test_the_last_that_was_told_of_a_record_says_what_became_of_it(outcomes: list[str], state: str) -> None:
    assert state_of_record(outcomes) == state
