"""What good standing brings: offered with the honour or grade, withdrawn with it, and never while severely listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.catalogue.loader import load
from creditbus.core.records import CreditRecord, MeasureOrder, day_of
from creditbus.dossier.steps import Tick
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, Bus, a_bus

RULES = rules()
Told = tuple[CreditRecord, Mapping[str, Any]]


def rating(grade: str, days: int = 0, scheme: str = "TAX", until: date | None = None, **changes: Any) -> Told:
    record = make_record("Rating", number=f"{scheme}{grade}{days}", decided_on=day_of(DAY) + days, **changes)
    return record, {"scheme": scheme, "grade": grade, "valid_until": until}


def honour(code: str, until: date | None = None, **changes: Any) -> Told:
    return make_record("Honor", number=code, **changes), {"honor": code, "valid_until": until}


A, B, D = rating("A"), rating("B", 1), rating("D", 2)
COURT = make_record("CourtEnforcement")
GRANTED = make_record("Repair", number="修复", **target_of(COURT))


def sent(*told: Told, order: tuple[int, ...] = ()) -> Bus:
    bus = a_bus(*told, (COURT, COURT_FACTS), (GRANTED, {"stage": "GRANTED"}), rules=RULES)
    for number in order or range(len(told)):
        bus.send(told[number][0])
    return bus


def messages(bus: Bus) -> list[tuple[str, str, str]]:
    return [
        (one.action, one.measure, one.cause)
        for one in bus.emissions
        if isinstance(one, MeasureOrder) and one.family.startswith("I")
    ]


def offered(bus: Bus) -> set[str]:
    """Incentives that stand: the last message about each is an offer."""
    last = {one.order_id: one for one in bus.emissions if isinstance(one, MeasureOrder) and one.family.startswith("I")}
    return {one.measure for one in last.values() if one.action == "ORDER"}


@pytest.mark.parametrize("row", load().incentives, ids=lambda row: row.code)
def test_each_incentive_follows_from_what_its_row_names(row: Any) -> None:
    for deserving in row.deserving:
        scheme, _, grade = deserving.partition(":")
        told = rating(grade, scheme=scheme) if grade else honour(deserving)
        since = {"decided_on": max(day_of(row.since), day_of(DAY))}
        bus = sent((make_record(told[0].kind, number="x", **since), told[1]))
        emitted = [one for one in bus.emissions if isinstance(one, MeasureOrder) and one.measure == row.code]
        assert [(one.action, one.binding, one.executor) for one in emitted] == [("ORDER", row.binding, row.executor)]
        assert emitted[0].text_zh != emitted[0].text_en


def test_a_grade_without_incentives_brings_none() -> None:
    assert messages(sent(D)) == []


def test_a_newer_rating_of_the_scheme_replaces_the_older_one_whatever_its_grade() -> None:
    bus = sent(A, B)
    assert offered(bus) == {"I08-CREDIT"}
    assert {cause for action, _, cause in messages(bus) if action == "LIFT"} == {"REPLACED"}
    assert offered(sent(A, B, D)) == set()
    other = rating("GREEN", scheme="ENVIRONMENT")
    assert "I04-INSPECTION" in offered(sent(A, other, D)), "another scheme goes on"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_ratings_come_the_newest_alone_counts(order: tuple[int, ...]) -> None:
    assert offered(sent(A, D, B, order=order)) == set()
    assert offered(sent(A, B, order=(1, 0))) == {"I08-CREDIT"}


def test_nothing_is_offered_while_the_subject_is_severely_listed() -> None:
    bus = sent(A)
    before = offered(bus)
    assert before
    bus.send(COURT)
    assert offered(bus) == set()
    assert {cause for action, _, cause in messages(bus) if action == "LIFT"} == {"LISTED"}
    bus.send(GRANTED)
    assert offered(bus) == before
    assert messages(bus)[-1][2] == "CLEARED"


def test_who_is_listed_when_it_is_rated_is_offered_it_when_it_leaves_the_list() -> None:
    bus = sent(A)
    waiting = a_bus(A, (COURT, COURT_FACTS), (GRANTED, {"stage": "GRANTED"}), rules=RULES)
    waiting.send(COURT, A[0])
    assert messages(waiting) == []
    waiting.send(GRANTED)
    assert offered(waiting) == offered(bus)


def test_it_ends_on_the_day_after_its_last_one() -> None:
    bus = sent(honour("CONTRACT_KEEPING", DAY + timedelta(days=2)))
    assert offered(bus)
    bus.send(*(Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + 3 * DAY_LENGTH + 1, 600_000)))
    assert offered(bus) == set()
    assert messages(bus)[-1][2] == "EXPIRED"
    assert bus.summary().incentives == []


def test_one_that_is_over_already_brings_nothing() -> None:
    assert messages(sent(honour("CONTRACT_KEEPING", DAY - timedelta(days=1)))) == []


def test_a_revoked_honour_takes_its_incentives_along() -> None:
    told = honour("CONTRACT_KEEPING")
    revoked = (make_record("Revocation", number="撤销", **target_of(told[0])), {"reason": "x"})
    bus = sent(told, revoked)
    assert offered(bus) == set()
    assert messages(bus)[-1][2] == "REVOKED"


def test_who_gives_it_says_so_and_its_end_asks_for_no_answer() -> None:
    first = messages_of(sent(A))[0]
    given = make_record("MeasureAcknowledgement", number="回执", sender="150100-zwfw")
    facts = {"order_id": first.order_id, "action": "ORDER", "family": first.family, "state": "APPLIED"}
    bus = sent(A, (given, facts), D)
    assert bus.summary().terms == []
    late = sent(A, D, (given, facts))
    assert late.summary().terms == []
    standing = sent(A, (given, facts))
    orders = [order for one in standing.summary().incentives for order in one.orders]
    assert [order.acknowledged for order in orders if order.order_id == first.order_id] == [["150100-zwfw"]]


def messages_of(bus: Bus) -> list[MeasureOrder]:
    return [one for one in bus.emissions if isinstance(one, MeasureOrder)]


def test_incentives_of_persons_carry_no_score_and_go_where_persons_are() -> None:
    bus = sent(honour("VOLUNTEER", subject_kind="NATURAL_PERSON"))
    assert {one.subject_kind for one in messages_of(bus)} == {"NATURAL_PERSON"}
    assert bus.summary().score is None
