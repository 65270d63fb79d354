"""Alerts about a subject as a whole: each is told once, and the louder one goes before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import make_record, target_of
from creditbus.core.records import Alert
from creditbus.core.rules import Rules
from intake_harness import rules
from partition import COURT_FACTS, PENALTY, Bus, a_bus

RULES = rules()
PENALIZED, COURT = make_record(), make_record("CourtEnforcement")
REVOKED = make_record("Revocation", number="撤1", **target_of(PENALIZED))


def a_penalized_bus(in_force: Rules = RULES) -> Bus:
    bus = a_bus((PENALIZED, PENALTY), (COURT, COURT_FACTS), (REVOKED, {}), rules=in_force)
    bus.send(make_record("Permit"))  # on file, with the grade of a clean sheet
    return bus


def test_a_grade_that_changes_is_told_with_both_grades_and_the_record_behind_it() -> None:
    bus = a_penalized_bus()
    before = bus.summary().grade
    bus.send(PENALIZED)
    [alert] = [one for one in bus.emissions if isinstance(one, Alert)]
    assert alert.kind == "GRADE_CHANGED"
    assert f"{before}" in alert.text_zh
    assert f"{bus.summary().grade}" in alert.text_zh
    assert alert.record_id == PENALIZED.record_id
    bus.send(PENALIZED)
    assert bus.alerts() == ["GRADE_CHANGED"], "a second delivery tells nothing"
    bus.send(REVOKED)
    assert bus.alerts() == ["GRADE_CHANGED", "GRADE_CHANGED"], "the way back is as loud"


def test_a_listing_says_itself_that_the_grade_fell() -> None:
    bus = a_penalized_bus()
    bus.send(COURT)
    assert bus.alerts() == ["DISHONEST_SUBJECT"]


@pytest.mark.parametrize("kind", ["NATURAL_PERSON", "SOLE_TRADER"])
def test_who_has_no_grade_is_never_told_of_with_one(kind: str) -> None:
    person = make_record(subject_kind=kind)
    bus = a_bus((person, PENALTY), rules=RULES)
    bus.send(person)
    assert bus.alerts() == []


def test_a_record_that_cannot_be_applied_is_told_of_without_its_content() -> None:
    bus = a_penalized_bus()
    bus.broken.add(COURT.document_number)
    bus.send(COURT, PENALIZED)
    [alert] = [one for one in bus.emissions if isinstance(one, Alert)]
    assert (alert.kind, alert.record_id) == ("QUARANTINED", COURT.record_id)
    assert COURT.document_number not in alert.text_zh


def test_an_edition_from_before_there_was_a_text_tells_nothing() -> None:
    reasons = {code: text for code, text in RULES.reasons.items() if code != "EMIT_GRADE_CHANGED"}
    bus = a_penalized_bus(replace(RULES, reasons=reasons))
    bus.send(PENALIZED)
    assert bus.alerts() == []
