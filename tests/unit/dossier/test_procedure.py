"""No listing without its procedure: notice, hearing and service, told by events or attested in the decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from builders import COURT, DAY, make_record
from creditbus.core.records import CreditRecord, day_of
from intake_harness import rules
from partition import Bus, a_bus

NOTICE_ON, HEARD_ON, DECIDED_ON, SERVED_ON = (date(2026, month, 20) for month in (8, 9, 10, 11))
NUMBER = "告〔2026〕1号"
Told = tuple[CreditRecord, Mapping[str, Any]]


def decision(**facts: Any) -> Told:
    """A decision to list that attests nothing but the notice's number."""
    record = make_record("ListDecision", number="列〔2026〕1号", decided_on=day_of(DECIDED_ON))
    told = {"list": "L03", "action": "LIST", "ground": "x", "effective_on": DECIDED_ON, "notice_number": NUMBER}
    return record, {**told, **facts}


def step(name: str, day: date, **facts: Any) -> Told:
    """An event that tells of one step."""
    record = make_record("ListStep", number=f"{name}〔2026〕1号", decided_on=day_of(day))
    return record, {"list": "L03", "step": name, "notice_number": NUMBER, "happened_on": day, **facts}


STEPS = (step("NOTICE", NOTICE_ON), step("STATEMENT", HEARD_ON, outcome="REJECTED"), step("SERVICE", SERVED_ON))
ATTESTED = {"notice_on": NOTICE_ON, "heard_on": HEARD_ON, "served_on": SERVED_ON}


def after(*told: Told) -> Bus:
    bus = a_bus(*told, rules=rules())
    bus.send(*(record for record, _ in told))
    return bus


def listed(bus: Bus) -> list[tuple[str, int]]:
    return [(one.list_code, one.effective_on) for one in bus.summary().listings]


def waiting(bus: Bus) -> list[str]:
    return [one.list_code for one in bus.summary().procedures if one.is_waiting]


def test_a_decision_that_attests_every_step_takes_effect_from_its_service() -> None:
    bus = after(decision(**ATTESTED))
    assert listed(bus) == [("L03", day_of(SERVED_ON))]
    assert bus.alerts() == ["DISHONEST_SUBJECT"]


@pytest.mark.parametrize("missing", sorted(ATTESTED))
def test_a_decision_without_one_of_its_steps_is_on_file_without_any_effect(missing: str) -> None:
    bus = after(decision(**{name: day for name, day in ATTESTED.items() if name != missing}))
    assert bus.outcomes == ["RECORDED"]
    assert (listed(bus), bus.orders(), bus.alerts()) == ([], [], [])
    assert waiting(bus) == ["L03"]
    assert bus.summary().grade == "B"


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_decision_and_steps_come_the_listing_is_the_same(order: tuple[int, ...]) -> None:
    told = [decision(), *STEPS]
    bus = a_bus(*told, rules=rules())
    for place, number in enumerate(order):
        assert listed(bus) == [], f"nothing before all have come, but after {place}"
        bus.send(told[number][0])
    assert listed(bus) == [("L03", day_of(SERVED_ON))]
    assert waiting(bus) == []
    assert {one.listing_id for one in bus.summary().listings} == {
        one.listing_id for one in after(*told).summary().listings
    }
    assert bus.alerts() == ["DISHONEST_SUBJECT"]


def test_an_accepted_objection_keeps_the_decision_without_effect() -> None:
    notice, _, service = STEPS
    bus = after(notice, step("STATEMENT", HEARD_ON, outcome="ACCEPTED"), decision(), service)
    assert listed(bus) == []
    assert listed(after(decision(**ATTESTED, statement_outcome="ACCEPTED"))) == []


@pytest.mark.parametrize(
    "late",
    [
        {"notice_on": date(2026, 10, 21)},
        {"heard_on": date(2026, 10, 21)},
        {"heard_on": date(2026, 8, 1)},
        {"served_on": date(2026, 10, 1)},
    ],
)
def test_steps_out_of_order_do_not_count(late: dict[str, date]) -> None:
    assert listed(after(decision(**{**ATTESTED, **late}))) == []


def test_steps_of_another_notice_do_not_count() -> None:
    other = [(record, {**facts, "notice_number": "告〔2026〕2号"}) for record, facts in STEPS]
    assert listed(after(*other, decision())) == []


def test_a_decision_that_is_revoked_while_it_waits_never_takes_effect() -> None:
    told = decision()
    revocation = make_record("Revocation", number="撤〔2026〕1号", authority=COURT, target_key=told[0].natural_key)
    bus = a_bus(told, *STEPS, (revocation, {"reason": "x"}), rules=rules())
    bus.send(told[0], revocation)
    assert waiting(bus) == []
    bus.send(*(record for record, _ in STEPS))
    assert (listed(bus), bus.alerts()) == ([], [])


def test_a_corrected_step_counts_as_corrected() -> None:
    late = step("SERVICE", date(2026, 10, 1))  # before the decision: does not count
    event = {"event_id": late[0].event_id}
    mended = make_record("ListStep", number=late[0].document_number, revision=2, decided_on=day_of(SERVED_ON), **event)
    facts = {**late[1], "happened_on": SERVED_ON}
    bus = a_bus(decision(), *STEPS[:2], late, (mended, facts), rules=rules())
    bus.send(decision()[0], *(record for record, _ in STEPS[:2]), late[0])
    assert listed(bus) == []
    bus.send(mended)
    assert listed(bus) == [("L03", day_of(SERVED_ON))]


def test_the_courts_feed_has_no_earlier_steps_and_lists_at_once() -> None:
    record = make_record("CourtEnforcement")
    bus = after((record, {"ground": "G2", "published_on": DAY}))
    assert [code for code, _ in listed(bus)] == ["L01"]


def test_editions_of_before_there_were_steps_decide_as_they_did() -> None:
    from dataclasses import replace

    old = rules()
    stepless = replace(old, lists={code: replace(rule, steps=()) for code, rule in old.lists.items()})
    told = decision()
    bus = a_bus(told, rules=stepless)
    bus.send(told[0])
    assert [code for code, _ in listed(bus)] == ["L03"]
