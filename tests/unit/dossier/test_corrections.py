"""Corrections and what is about the corrected fact: nothing is lost, nothing comes back."""

from __future__ import annotations

from typing import Any

import pytest

from builders import make_record, target_of
from creditbus.core.records import CreditRecord
from intake_harness import rules
from partition import PENALTY, Bus, a_bus

RULES = rules()
PENALIZED = make_record()
RENUMBERED = make_record(
    number="〔2026〕9号", event_id=PENALIZED.event_id, revision=2, corrects_key=PENALIZED.natural_key
)
MENDED = make_record(revision=2)
FILED = make_record("Dispute", number="异1", **target_of(PENALIZED))
GRANTED = make_record("Repair", number="修1", **target_of(PENALIZED))
FACTS: dict[str, dict[str, Any]] = {
    PENALIZED.record_id: PENALTY,
    RENUMBERED.record_id: PENALTY,
    MENDED.record_id: PENALTY,
    FILED.record_id: {"stage": "FILED", "outcome": None},
    GRANTED.record_id: {"stage": "GRANTED"},
}


def sent(*records: CreditRecord) -> Bus:
    bus = a_bus(*((record, FACTS.get(record.record_id, {})) for record in records), rules=RULES)
    bus.send(*records)
    return bus


@pytest.mark.parametrize("correction", [MENDED, RENUMBERED], ids=["the same number", "another number"])
def test_a_dispute_stays_open_when_the_fact_is_corrected(correction: CreditRecord) -> None:
    summary = sent(PENALIZED, FILED, correction).summary()
    assert [state.term for state in summary.terms] == ["DISPUTE"]
    assert [entry.disputed for entry in summary.entries] == [True]
    assert summary.score == RULES.score.base


@pytest.mark.parametrize("correction", [MENDED, RENUMBERED], ids=["the same number", "another number"])
def test_a_repaired_fact_does_not_come_back_with_a_late_correction(correction: CreditRecord) -> None:
    bus = sent(PENALIZED, GRANTED, correction)
    assert (bus.summary().entries, bus.summary().counts.get("Penalty")) == ([], None)
    ended = [one.record_id for one in bus.changes if one.outcome == "REPAIRED"]
    assert ended == [PENALIZED.record_id, correction.record_id], "neither is shown any more"


@pytest.mark.parametrize("records", [(RENUMBERED, GRANTED), (GRANTED, RENUMBERED)], ids=["before", "after"])
def test_what_names_a_fact_by_its_former_number_finds_it(records: tuple[CreditRecord, ...]) -> None:
    """Also when the revision under the former number never arrived."""
    summary = sent(*records).summary()
    assert (summary.held, summary.entries, summary.counts) == ([], [], {"Repair": 1})


def test_a_number_that_was_corrected_away_may_be_another_fact_s_own() -> None:
    other = make_record(event_id="another event")
    assert other.natural_key == PENALIZED.natural_key
    bus = sent(PENALIZED, RENUMBERED, other)
    assert bus.outcomes == ["RECORDED", "RECORDED", "RECORDED"]
    assert bus.summary().counts == {"Penalty": 2}


def test_what_waits_for_something_that_waits_is_released_with_it() -> None:
    revoked = make_record("Revocation", number="撤异", **target_of(FILED))
    bus = sent(revoked, FILED, PENALIZED)
    assert bus.outcomes == ["HELD", "HELD", "RECORDED", "RECORDED", "RECORDED"]
    assert (bus.summary().held, bus.summary().terms) == ([], [])
