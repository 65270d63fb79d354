"""The register of subscribers: each answers every order and every lift of its families, and nobody else is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.core.acknowledgement import ANSWER, order_state
from creditbus.core.calendar import add_working_days
from creditbus.core.certificate import Certificate, certificate_of
from creditbus.core.records import CreditRecord, MeasureOrder, day_of
from creditbus.core.rules import Rules, Span, SubscriberRule
from creditbus.core.state import OrderState
from creditbus.dossier.steps import Tick
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, Bus, a_bus

COURT = make_record("CourtEnforcement")
GRANTED = make_record("Repair", number="修复", **target_of(COURT))
Told = tuple[CreditRecord, Mapping[str, Any]]


def subscriber(department: str, *families: str, persons: bool = True, until: date | None = None) -> SubscriberRule:
    span = Span(since=date(2021, 12, 16), until=until)
    return SubscriberRule(
        code=f"S-{department}", department=department, families=frozenset(families), persons=persons, span=span
    )


def registered(*rows: SubscriberRule) -> Rules:
    return replace(rules(), subscribers=rows)


TRADING, LICENSING = subscriber("150000-ggzy", "M01", "M11"), subscriber("150200-zwfw", "M01")
BOTH = registered(TRADING, LICENSING)


def answer(bus: Bus, action: str, sender: str, family: str = "M01", state: str = "") -> Told:
    """What a department says about the order of a family."""
    order = next(one for one in bus.emissions if isinstance(one, MeasureOrder) and one.family == family)
    said = state or ("LIFTED" if action == "LIFT" else "APPLIED")
    record = make_record("MeasureAcknowledgement", number=f"回执{action}{sender}{family}{said}", sender=sender)
    return record, {"order_id": order.order_id, "action": action, "family": family, "state": said}


ANSWERS = [
    (action, sender, family, state)
    for action, states in (("ORDER", ("APPLIED", "NOT_APPLICABLE")), ("LIFT", ("LIFTED",)))
    for state in states
    for sender in ("150000-ggzy", "150200-zwfw", "150000-fgw")
    for family in ("M01", "M11")
]


def listed(*, by: Rules = BOTH, record: CreditRecord = COURT) -> Bus:
    """A firm on the court's list, and a bus that knows every answer that a test may send."""
    probe = a_bus((record, COURT_FACTS), rules=by)
    probe.send(record)
    ordered = {family for _, family in probe.orders()}
    told = [answer(probe, *one) for one in ANSWERS if one[2] in ordered]
    bus = a_bus((record, COURT_FACTS), (GRANTED, {"stage": "GRANTED"}), *told, rules=by)
    bus.send(record)
    return bus


def days_pass(bus: Bus, days: int) -> None:
    bus.send(*(Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + days * DAY_LENGTH + 1, 600_000)))


def waiting(bus: Bus) -> dict[str, list[str]]:
    return {state.measure or state.term: state.waiting for state in bus.summary().terms}


def order_of(bus: Bus, family: str = "M01") -> OrderState:
    return next(order for order in bus.summary().listings[0].orders if order.family == family)


def state_of(bus: Bus, family: str = "M01") -> str:
    return order_state(bus.summary().listings[0], order_of(bus, family))


def test_each_subscriber_of_a_family_is_asked_what_it_did() -> None:
    bus = listed()
    assert waiting(bus) == {"ORDER_ACKNOWLEDGEMENT": ["M01 150000-ggzy", "M01 150200-zwfw", "M11 150000-ggzy"]}
    assert state_of(bus) == "NOTIFIED"
    bus.send(answer(bus, "ORDER", "150200-zwfw")[0])
    assert waiting(bus) == {"ORDER_ACKNOWLEDGEMENT": ["M01 150000-ggzy", "M11 150000-ggzy"]}
    assert state_of(bus) == "ACTIVE"
    bus.send(
        answer(bus, "ORDER", "150000-ggzy", state="NOT_APPLICABLE")[0], answer(bus, "ORDER", "150000-ggzy", "M11")[0]
    )
    assert waiting(bus) == {}
    assert (order_of(bus).acknowledged, order_of(bus).declined) == (["150200-zwfw"], ["150000-ggzy"])


def test_an_order_that_nobody_answers_alarms_by_its_age_and_changes_nothing_else() -> None:
    bus = listed()
    lengths = next(row.working_days for row in BOTH.terms if row.term == "ORDER_ACKNOWLEDGEMENT")
    last = add_working_days(BOTH.calendar, DAY, lengths[-1]).day
    days_pass(bus, (last - DAY).days + 20)
    assert bus.alerts() == ["DISHONEST_SUBJECT", *["ORDER_UNACKNOWLEDGED"] * len(lengths)]
    assert {action for action, _ in bus.orders()} == {"ORDER"}
    assert bus.summary().listings


def test_market_bodies_owe_no_answer() -> None:
    bus = listed(by=registered(subscriber("150000-jrj", "M13", "M14")))
    assert {family for _, family in bus.orders()} >= {"M13", "M14"}
    assert waiting(bus) == {}


def test_who_was_told_and_never_said_that_it_does_not_apply_has_to_say_that_it_stopped() -> None:
    bus = listed()
    bus.send(answer(bus, "ORDER", "150000-ggzy", state="NOT_APPLICABLE")[0])
    bus.send(GRANTED)
    assert waiting(bus) == {"M01-LICENCE": ["150200-zwfw"], "M11-PROCUREMENT": ["150000-ggzy"]}
    bus.send(answer(bus, "LIFT", "150200-zwfw")[0])
    bus.send(answer(bus, "LIFT", "150000-ggzy", "M11")[0])
    assert waiting(bus) == {}, "nothing stays downstream"


LIFTED = 4
"""Place of the repair behind order and lift of one department and of another; nobody stops before it."""


POSSIBLE = [one for one in permutations(range(5)) if one.index(LIFTED) < min(map(one.index, (1, 3)))]


@pytest.mark.parametrize("order", POSSIBLE)
def test_in_whatever_order_answers_come_nothing_stays_downstream(order: tuple[int, ...]) -> None:
    """That a department had begun may be told after it said that it stopped."""
    probe = listed()
    answers = [
        answer(probe, action, sender)[0] for sender in ("150000-ggzy", "150200-zwfw") for action in ("ORDER", "LIFT")
    ]
    bus = listed()
    bus.send(answer(bus, "ORDER", "150000-ggzy", "M11")[0])
    records = [*answers, GRANTED]
    for number in order:
        bus.send(records[number])
    bus.send(answer(bus, "LIFT", "150000-ggzy", "M11")[0])
    assert (waiting(bus), bus.summary().answers) == ({}, [])


def test_who_never_applied_what_was_lifted_says_so_and_is_done() -> None:
    bus = listed(by=registered(LICENSING))
    bus.send(GRANTED, answer(bus, "ORDER", "150200-zwfw", state="NOT_APPLICABLE")[0])
    assert waiting(bus) == {}


def test_a_department_that_left_the_register_still_hears_of_the_lift() -> None:
    left = registered(LICENSING, replace(TRADING, span=Span(since=date(2021, 12, 16), until=DAY)))
    bus = listed(by=left)
    days_pass(bus, 2)
    bus.send(GRANTED)
    assert waiting(bus)["M11-PROCUREMENT"] == ["150000-ggzy"]


def test_one_that_left_before_the_listing_is_asked_nothing() -> None:
    left = replace(TRADING, span=Span(since=date(2021, 12, 16), until=DAY - timedelta(days=1)))
    bus = listed(by=registered(LICENSING, left))
    assert waiting(bus) == {"ORDER_ACKNOWLEDGEMENT": ["M01 150200-zwfw"]}


@pytest.mark.parametrize("kind", ["NATURAL_PERSON", "SOLE_TRADER"])
def test_orders_against_persons_are_for_those_who_may_see_them(kind: str) -> None:
    organisations_only = registered(replace(TRADING, persons=False), LICENSING)
    bus = listed(by=organisations_only, record=make_record("CourtEnforcement", subject_kind=kind))
    assert {one.partition(" ")[2] for one in waiting(bus)["ORDER_ACKNOWLEDGEMENT"]} == {"150200-zwfw"}


def test_editions_without_a_register_ask_nobody() -> None:
    bus = listed(by=registered())
    bus.send(GRANTED)
    assert waiting(bus) == {}


def certified(bus: Bus, *answers: Told) -> Certificate:
    return certificate_of(bus.summary(), BOTH, bus.emissions, answers, day_of(DAY))


def test_a_certificate_tells_of_each_measure_who_applied_who_stopped_and_who_is_waited_for() -> None:
    bus = listed()
    applied, declined = answer(bus, "ORDER", "150200-zwfw"), answer(bus, "ORDER", "150000-ggzy", state="NOT_APPLICABLE")
    trading, stopped = answer(bus, "LIFT", "150000-ggzy", "M11"), answer(bus, "LIFT", "150200-zwfw")
    bus.send(applied[0], declined[0])
    assert not certified(bus, applied, declined).is_clear

    bus.send(GRANTED, trading[0])
    found = certified(bus, applied, declined, trading)
    orders = {one.measure: one for one in found.orders}
    licence = orders["M01-LICENCE"]
    assert not found.is_clear
    assert (licence.applied_by, licence.not_applicable_to) == (("150200-zwfw",), ("150000-ggzy",))
    assert (licence.lifted_on, licence.cause, licence.stopped_by) == (str(DAY), "REPAIRED", ())
    assert {code: one.waited_for for code, one in orders.items() if one.waited_for} == {"M01-LICENCE": ("150200-zwfw",)}

    bus.send(stopped[0])
    found = certified(bus, applied, declined, trading, stopped)
    assert found.is_clear
    assert [one.stopped_by for one in found.orders if one.measure == "M01-LICENCE"] == [("150200-zwfw",)]


def test_of_a_subject_that_never_had_a_measure_the_certificate_is_clear_and_empty() -> None:
    found = certified(a_bus(rules=BOTH))
    assert (found.is_clear, found.orders) == (True, ())


def gone(told: Told, how: str) -> Told:
    """The end of an answer: withdrawn by intake, since it was about another subject, or revoked by who gave it."""
    number = told[0].document_number
    if how == "withdrawn":
        return make_record(ANSWER, number=number, sender=told[0].sender, op="WITHDRAW", revision=2), {}
    return make_record("Revocation", number=f"撤{number}", **target_of(told[0])), {"reason": "误报"}


HOW = pytest.mark.parametrize("how", ["withdrawn", "revoked"])


def knowing(*told: Told) -> Bus:
    """A firm on the court's list, as ``listed``, and a bus that knows these records too."""
    probe = listed()
    bus = a_bus(
        (COURT, COURT_FACTS),
        (GRANTED, {"stage": "GRANTED"}),
        *(answer(probe, *one) for one in ANSWERS),
        *told,
        rules=BOTH,
    )
    bus.send(COURT)
    return bus


@HOW
@pytest.mark.parametrize("state", ["APPLIED", "NOT_APPLICABLE"])
def test_an_answer_to_an_order_that_is_taken_back_is_waited_for_again(state: str, how: str) -> None:
    told = answer(listed(), "ORDER", "150200-zwfw", state=state)
    bus = knowing(gone(told, how))
    before, order = waiting(bus), order_of(bus)
    bus.send(told[0], gone(told, how)[0])
    assert (waiting(bus), order_of(bus)) == (before, order)
    assert state_of(bus) == "NOTIFIED"


@HOW
def test_a_department_that_did_not_stop_after_all_is_waited_for_and_told_of_by_its_age(how: str) -> None:
    """The last that was waited for, and one of several."""
    stops = [answer(listed(), "LIFT", sender) for sender in ("150000-ggzy", "150200-zwfw")]
    stops.append(answer(listed(), "LIFT", "150000-ggzy", "M11"))
    ends = [gone(one, how) for one in stops]
    bus = knowing(*ends)
    bus.send(GRANTED, stops[0][0], ends[0][0])
    assert waiting(bus)["M01-LICENCE"] == ["150000-ggzy", "150200-zwfw"]
    bus.send(stops[1][0], stops[2][0])
    assert waiting(bus) == {"M01-LICENCE": ["150000-ggzy"]}
    again = make_record("MeasureAcknowledgement", number="再回执", sender="150000-ggzy")
    bus = knowing(*ends, (again, stops[0][1]))
    bus.send(GRANTED, *(record for record, _ in stops))
    assert waiting(bus) == {}
    bus.send(ends[1][0])
    assert waiting(bus) == {"M01": ["150200-zwfw"]}
    assert not certified(bus, stops[0], stops[2]).is_clear
    days_pass(bus, 60)
    lengths = next(row.working_days for row in BOTH.terms if row.term == "LIFT_ACKNOWLEDGEMENT")
    assert bus.alerts().count("LIFT_UNACKNOWLEDGED") == len(lengths)


@HOW
def test_who_never_applied_what_is_lifted_need_not_stop_when_its_answer_is_taken_back(how: str) -> None:
    """It is not registered for the family, so that nobody but its own answer made it one to be asked."""
    told = answer(listed(), "ORDER", "150000-fgw")
    bus = knowing(gone(told, how))
    bus.send(told[0], GRANTED)
    assert "150000-fgw" in waiting(bus)["M01-LICENCE"]
    bus.send(gone(told, how)[0])
    assert waiting(bus)["M01-LICENCE"] == ["150000-ggzy", "150200-zwfw"]


def test_an_answer_that_was_about_another_order_answers_that_one_alone() -> None:
    probe = listed()
    wrong, right = answer(probe, "ORDER", "150000-ggzy"), answer(probe, "ORDER", "150000-ggzy", "M11")
    corrected = make_record("MeasureAcknowledgement", number=wrong[0].document_number, sender="150000-ggzy", revision=2)
    bus = knowing((corrected, right[1]))
    bus.send(wrong[0], corrected)
    assert waiting(bus) == {"ORDER_ACKNOWLEDGEMENT": ["M01 150000-ggzy", "M01 150200-zwfw"]}
    assert (order_of(bus).acknowledged, order_of(bus, "M11").acknowledged) == ([], ["150000-ggzy"])


@HOW
@given(data=st.data(), ended=st.sets(st.sampled_from(range(4))))
def test_in_whatever_order_answers_and_their_ends_come_who_did_not_stop_is_waited_for(
    how: str, data: st.DataObject, ended: set[int]
) -> None:
    """Nobody stops before the lift, as nobody can."""
    probe, senders = listed(), ("150000-ggzy", "150200-zwfw")
    answers = [answer(probe, action, sender) for action in ("LIFT", "ORDER") for sender in senders]
    stops, ends = [record for record, _ in answers[:2]], [gone(answers[number], how) for number in ended]
    drawn = data.draw(st.permutations([GRANTED, *(record for record, _ in (*answers, *ends))]))
    lift = drawn.index(GRANTED)
    too_early = [one for one in drawn[:lift] if one in stops]
    bus = knowing(*ends)
    bus.send(answer(probe, "ORDER", "150000-ggzy", "M11")[0])
    for record in (*(one for one in drawn[:lift] if one not in stops), GRANTED, *too_early, *drawn[lift + 1 :]):
        bus.send(record)
    found = [name for state in bus.summary().terms for name in state.waiting if state.measure.startswith("M01")]
    assert found == [sender for number, sender in enumerate(senders) if number in ended]
