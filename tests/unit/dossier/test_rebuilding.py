"""A dossier that was not what the log leads to: who heard of the one comes to where the other is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.core.context import Context, Emission
from creditbus.core.rebuilding import REBUILT, reconcile, told_of
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder, day_of
from creditbus.core.state import ACTIVE, ENDED_AS, Row, Summary
from creditbus.dossier.steps import Jump
from creditbus.dossier.view import PartitionView, fact_of, is_for_ever, subject_of
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus

RULES = replace(rules(), subscribers=())
COURT = make_record("CourtEnforcement")
AGAIN = make_record("CourtEnforcement", number="二")
PENALIZED = make_record()
RATED = make_record("Rating", number="A", decided_on=day_of(DAY))
FILED = make_record("Dispute", number="异", **target_of(COURT))
REJECTED = make_record("Dispute", number="异结", **target_of(COURT))
REPAIRED = make_record("Repair", number="修", **target_of(COURT))
FACTS: Sequence[tuple[CreditRecord, Mapping[str, Any]]] = (
    (COURT, COURT_FACTS),
    (AGAIN, COURT_FACTS),
    (PENALIZED, PENALTY),
    (RATED, {"scheme": "TAX", "grade": "A", "valid_until": None}),
    (FILED, {"stage": "FILED", "outcome": None}),
    (REJECTED, {"stage": "DECIDED", "outcome": "REJECTED"}),
    (REPAIRED, {"stage": "GRANTED", "performed_on": DAY, "commitment": "诺1"}),
)
LATER_MS = DAY_MS + 45 * DAY_LENGTH
LATE = Jump(LATER_MS, LATER_MS, frozenset({"150100-scjg", "150000-gy"}))
"""Long enough for a dispute to be overdue, so that its listing is suspended."""
STORIES = st.lists(st.sampled_from([one for one, _ in FACTS]), unique_by=lambda one: one.record_id)


def a_dossier(story: Iterable[CreditRecord], *, is_late: bool) -> Bus:
    bus = a_bus(*FACTS, rules=RULES)
    for record in story:
        bus.send(record)
    if is_late:
        bus.send(LATE)
    return bus


def copied(summary: Summary) -> Summary:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(summary), type=Summary)


def reconciled(lived: Bus, due: Bus) -> list[Emission]:
    ctx = Context(RULES, DAY_MS, emissions=[])
    reconcile(copied(lived.summary()), copied(due.summary()), "c", ctx)
    return ctx.emissions


def heard(emissions: Iterable[Emission]) -> dict[str, str]:
    """What a subscriber does about each order that it does something about."""
    last = {one.order_id: one.action for one in emissions if isinstance(one, MeasureOrder)}
    does = {"ORDER": "applies", "RESUME": "applies", "SUSPEND": "waits"}
    return {order: does[action] for order, action in last.items() if action != "LIFT"}


def lists(emissions: Iterable[Emission]) -> dict[str, set[str]]:
    """What a reader of listings knows: those that stand, and which are disputed or suspended."""
    found: dict[str, set[str]] = {}
    for one in emissions:
        if isinstance(one, ListingChange):
            match one.state:
                case "LISTED":
                    found[one.listing_id] = set()
                case "REMOVED":
                    found.pop(one.listing_id)
                case "UNDISPUTED" | "RESUMED":
                    found[one.listing_id].discard({"UNDISPUTED": "DISPUTED", "RESUMED": "SUSPENDED"}[one.state])
                case state:
                    found[one.listing_id].add(state)
    return found


@given(lived=STORIES, due=STORIES, was_late=st.booleans(), is_late=st.booleans())
def test_whoever_heard_of_any_dossier_comes_to_where_any_other_is(
    lived: list[CreditRecord], due: list[CreditRecord], was_late: bool, is_late: bool
) -> None:
    before, after = a_dossier(lived, is_late=was_late), a_dossier(due, is_late=is_late)
    told = reconciled(before, after)
    assert heard([*before.emissions, *told]) == heard(after.emissions)
    assert lists([*before.emissions, *told]) == lists(after.emissions)
    alerts = [one.kind for one in told if isinstance(one, Alert) and one.kind != "GRADE_CHANGED"]
    severe = before.summary().is_severely_listed, after.summary().is_severely_listed
    assert alerts == {(False, True): ["DISHONEST_SUBJECT"], (True, False): ["CLEARED_SUBJECT"]}.get(severe, [])
    causes = {one.cause for one in told if isinstance(one, ListingChange | MeasureOrder)}
    assert causes <= {REBUILT, "DISPUTE_OPEN", "DISPUTE_OVERDUE"}


@given(lived=STORIES, due=STORIES)
def test_what_is_in_force_is_said_of_every_record_that_was_told_of_otherwise(
    lived: list[CreditRecord], due: list[CreditRecord]
) -> None:
    before, after = a_dossier(lived, is_late=False), a_dossier(due, is_late=False)
    was, rows = (PartitionView(bus.store).subject(COURT.subject_key).all_rows() for bus in (before, after))
    said = {one.record_id: one.outcome for one in before.changes if one.outcome in ("RECORDED", *ENDED_AS)}
    for fact in was.keys() | rows.keys():
        if was.get(fact) != rows.get(fact):
            said |= {record: outcome for record, _, outcome in told_of(was.get(fact), rows.get(fact))}
    in_force = {record for record, outcome in said.items() if outcome == "RECORDED"}
    assert in_force & {row.record_id for row in (*was.values(), *rows.values())} == {
        row.record_id for row in rows.values() if row.state == ACTIVE
    }


def test_the_same_dossier_is_told_of_nothing() -> None:
    bus = a_dossier([COURT, RATED, FILED], is_late=True)
    assert reconciled(bus, bus) == []


@pytest.mark.parametrize(
    ("lived", "due", "said"),
    [
        (None, Row("r", 1, "e", "Penalty", "ACTIVE"), [("r", "Penalty", "RECORDED")]),
        (Row("r", 1, "e", "Penalty", "ACTIVE"), None, [("r", "Penalty", "WITHDRAWN")]),
        (
            Row("old", 1, "e", "Penalty", "ACTIVE"),
            Row("new", 2, "e", "Penalty", "REPAIRED"),
            [("old", "Penalty", "WITHDRAWN"), ("new", "Penalty", "REPAIRED")],
        ),
        (
            Row("r", 1, "e", "Penalty", "ACTIVE"),
            Row("r", 1, "e", "Penalty", "SUPERSEDED", "f"),
            [("r", "Penalty", "CORRECTED")],
        ),
        (Row("r", 1, "e", "Repair", "ACTIVE"), Row("r", 1, "e", "Repair", "WAITING"), [("r", "Repair", "HELD")]),
    ],
)
def test_what_is_said_of_a_fact(lived: Row | None, due: Row | None, said: list[tuple[str, str, str]]) -> None:
    assert list(told_of(lived, due)) == said


def test_keys_of_the_state_tell_whom_and_what_they_are_about() -> None:
    bus = a_dossier([COURT], is_late=False)
    keys = [key for key, _ in bus.store.scan(b"", b"\xff", 1 << 60)]
    assert {subject_of(key) for key in keys} == {"", COURT.subject_key}
    assert {fact_of(key) for key in keys} == {"", COURT.natural_key}
    assert {key[:1] for key in keys if is_for_ever(key, "LEGAL_PERSON")} == {b"n", b"e"}
    assert not any(is_for_ever(key, "NATURAL_PERSON") for key in keys)
