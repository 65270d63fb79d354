"""Tickets about departments: the term of the latest stage runs, whatever order the stages come in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from builders import DAY, DAY_MS, make_record
from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.loader import load
from creditbus.core.calendar import add_working_days
from creditbus.core.records import Alert, CreditRecord, day_of
from creditbus.core.state import TermState
from creditbus.dossier.steps import Tick
from intake_harness import Intake, example, rules
from partition import DAY_LENGTH, Bus, a_bus

RULES = rules()
CATALOGUE = load()
MARKET, CENTRE = authority_code("150000", 6), authority_code("150000", 18)
ORGAN: dict[str, Any] = {"subject_key": MARKET[8:17], "subject_kind": "ORGAN", "subject_name": "虚构市场监督管理局"}
Told = tuple[CreditRecord, Mapping[str, Any]]
TODAY = day_of(DAY)


def stage(name: str, days: int, due: int | None = None, **changes: Any) -> Told:
    """A stage so many days after DAY; of any but the opening about it."""
    target = {} if name == "OPENED" else {"target_key": OPENED[0].natural_key}
    record = make_record("SupervisionTicket", f"督{name}", **{**ORGAN, **target, "decided_on": TODAY + days, **changes})
    return record, {"stage": name, "due_on": DAY + timedelta(days=due) if due is not None else None}


OPENED = stage("OPENED", 0)
EXTENDED, ANSWERED, REOPENED, CLOSED = (
    stage("EXTENDED", 1),
    stage("ANSWERED", 2),
    stage("REOPENED", 3),
    stage("CLOSED", 5),
)
ALL = (OPENED, EXTENDED, ANSWERED, REOPENED, CLOSED)


def a_ticket(*told: Told) -> Bus:
    bus = a_bus(*told, rules=RULES)
    for record, _ in told:
        bus.send(record)
    return bus


def terms(bus: Bus) -> list[TermState]:
    return bus.summary(MARKET[8:17]).terms


def days_pass(bus: Bus, first: int, last: int) -> None:
    begin, end = DAY_MS + first * DAY_LENGTH, DAY_MS + last * DAY_LENGTH
    bus.send(*(Tick(at, at) for at in range(begin + 600_000, end + 1, 600_000)))


def working_days(term: str) -> tuple[int, ...]:
    return next(row.working_days for row in CATALOGUE.terms if row.term == term)


def last_day(number: int, since: int = 0) -> int:
    """Days after DAY on which so many working days after another day end."""
    return (add_working_days(RULES.calendar, DAY + timedelta(days=since), number).day - DAY).days


@pytest.mark.parametrize("row", [row for row in CATALOGUE.terms if row.alert in ("TICKET_OVERDUE", "RECHECK_OVERDUE")])
def test_a_term_that_is_missed_reminds_at_each_of_its_lengths(row: Any) -> None:
    told = (OPENED,) if row.term == "RECTIFICATION" else (OPENED, stage("ANSWERED", 0))
    bus = a_ticket(*told)
    (state,) = terms(bus)
    assert (state.term, state.until) == (row.term, TODAY + last_day(row.working_days[0]))
    days_pass(bus, 0, last_day(row.working_days[0]))
    assert [kind for kind in bus.alerts() if kind != "DEADLINE_NEAR"] == []
    assert bus.alerts().count("DEADLINE_NEAR") == 1
    days_pass(bus, last_day(row.working_days[0]), last_day(row.working_days[-1]) + 1)
    overdue = [one for one in bus.emissions if isinstance(one, Alert) and one.kind == row.alert]
    assert len(overdue) == len(row.working_days)
    assert {(one.subject_kind, one.record_id) for one in overdue} == {("ORGAN", OPENED[0].record_id)}
    assert bus.changes[-1].outcome == "OVERDUE"


def test_the_ticket_may_set_the_day_itself() -> None:
    bus = a_ticket(stage("OPENED", 0, due=3))
    assert [one.until for one in terms(bus)] == [TODAY + 3]


def test_an_answer_ends_the_first_term_and_asks_for_a_check_and_a_closed_ticket_asks_for_nothing() -> None:
    bus = a_ticket(OPENED, ANSWERED)
    assert [one.term for one in terms(bus)] == ["RECHECK"]
    bus = a_ticket(OPENED, ANSWERED, REOPENED)
    assert [(one.term, one.since) for one in terms(bus)] == [("RECTIFICATION", TODAY + 3)]
    bus = a_ticket(OPENED, ANSWERED, REOPENED, CLOSED)
    assert terms(bus) == []
    days_pass(bus, 0, 60)
    assert bus.alerts() == []


def test_an_extension_makes_the_term_longer_as_long_as_it_is_about_it() -> None:
    (row,) = (row for row in CATALOGUE.terms if row.term == "RECTIFICATION")
    assert row.extended is not None
    bus = a_ticket(OPENED, EXTENDED)
    assert [one.until for one in terms(bus)] == [TODAY + last_day(row.extended)]
    bus = a_ticket(OPENED, EXTENDED, REOPENED)
    assert [one.until for one in terms(bus)] == [TODAY + last_day(row.working_days[0], since=3)]


@pytest.mark.parametrize("order", list(permutations(ALL))[::17])
@pytest.mark.parametrize("without", [None, CLOSED, REOPENED, ANSWERED])
def test_the_order_of_delivery_does_not_matter(order: tuple[Told, ...], without: Told | None) -> None:
    def told(stages: tuple[Told, ...]) -> list[TermState]:
        return terms(a_ticket(*(one for one in stages if one is not without)))

    assert told(order) == told(ALL)


def test_a_stage_that_is_revoked_leaves_the_one_before_it_and_a_ticket_that_is_revoked_nothing() -> None:
    def revocation(of: Told) -> Told:
        return make_record("Revocation", f"撤{of[0].document_number}", **{**ORGAN, "target_key": of[0].natural_key}), {}

    bus = a_ticket(OPENED, ANSWERED, revocation(ANSWERED))
    assert [one.term for one in terms(bus)] == ["RECTIFICATION"]
    bus = a_ticket(OPENED, ANSWERED, revocation(OPENED))
    assert terms(bus) == []
    assert bus.summary(MARKET[8:17]).tickets == []


def test_a_correction_of_the_opening_keeps_what_was_answered() -> None:
    corrected = (make_record("SupervisionTicket", "督OPENED", **ORGAN, revision=2), OPENED[1])
    moved = make_record(
        "SupervisionTicket", "督二", **ORGAN, revision=2, corrects_key=OPENED[0].natural_key,
        event_id=OPENED[0].event_id,
    )  # fmt: skip
    assert [one.term for one in terms(a_ticket(OPENED, ANSWERED, corrected))] == ["RECHECK"]
    assert [one.term for one in terms(a_ticket(OPENED, ANSWERED, (moved, OPENED[1]), CLOSED))] == []


@pytest.mark.parametrize(
    ("changes", "sender", "fault"),
    [
        ({}, "150000-xxzx", None),
        ({}, "150000-zjt", ("item-not-allowed", "item")),
        ({"facts__stage": "ANSWERED"}, "150000-xxzx", ("item-not-allowed", "facts.stage")),
        ({"facts__stage": "CLOSED"}, "150000-xxzx", ("missing-condition", "facts.target")),
    ],
)
def test_who_supervises_opens_and_closes(changes: dict[str, Any], sender: str, fault: tuple[str, str] | None) -> None:
    result = Intake().send(example("SupervisionTicket", **changes), sender)
    assert (fault in result.faults) if fault else result.records


def test_a_department_answers_for_itself_alone() -> None:
    target = {"kind": "SupervisionTicket", "authority": CENTRE, "document_number": "督1"}
    answer = example(
        "SupervisionTicket", item="P08-TICKET-ANSWER", authority=MARKET, facts__stage="ANSWERED", facts__target=target,
        facts__answer="已补报",
    )  # fmt: skip
    assert Intake().send(answer, "150000-scjg").records
    assert Intake().send(answer, "150000-zjt").faults == [("not-its-ticket", "sender")]
    own = example("SupervisionTicket")
    own["subject"]["identifiers"][0]["value"] = CENTRE
    assert Intake().send(own, "150000-xxzx").faults == [("not-its-ticket", "sender")]
