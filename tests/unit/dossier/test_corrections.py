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


REVOKED = make_record("Revocation", number="撤1", **target_of(PENALIZED))
NOT_REVOKED = make_record("Revocation", number="撤1", op="WITHDRAW", revision=2)
OTHER = make_record(number="〔2026〕7号")
REDIRECTED = make_record("Revocation", number="撤1", revision=2, **target_of(OTHER))
REDIRECTED_DISPUTE = make_record("Dispute", number="异1", revision=2, **target_of(OTHER))
RENUMBERED_DISPUTE = make_record(
    "Dispute", number="异9", event_id=FILED.event_id, revision=2, corrects_key=FILED.natural_key, **target_of(PENALIZED)
)
FACTS |= {one.record_id: {"reason": "误报"} for one in (REVOKED, REDIRECTED)}
FACTS |= {one.record_id: FACTS[FILED.record_id] for one in (REDIRECTED_DISPUTE, RENUMBERED_DISPUTE)}
FACTS[OTHER.record_id] = PENALTY


@pytest.mark.parametrize("later", [NOT_REVOKED, REDIRECTED], ids=["withdrawn", "about another fact"])
def test_what_was_taken_back_while_it_waited_never_takes_effect(later: CreditRecord) -> None:
    """A revocation arrives before the penalty that it names, and turns out to be somebody's mistake before that too."""
    bus = sent(REVOKED, later, PENALIZED)
    assert [entry.natural_key for entry in bus.summary().entries] == [PENALIZED.natural_key]
    assert PENALIZED.natural_key not in bus.summary().held
    assert [one.record_id for one in bus.changes if one.cause == "ENDED"] == [REVOKED.record_id]


def test_a_correction_that_waits_takes_what_it_corrects_back_and_takes_effect_in_its_time() -> None:
    bus = sent(PENALIZED, FILED, REDIRECTED_DISPUTE)
    assert ([entry.disputed for entry in bus.summary().entries], bus.summary().terms) == ([False], [])
    bus = sent(PENALIZED, FILED, REDIRECTED_DISPUTE, OTHER)
    assert {entry.natural_key: entry.disputed for entry in bus.summary().entries} == {
        PENALIZED.natural_key: False,
        OTHER.natural_key: True,
    }


def test_what_is_revoked_while_it_waits_stays_revoked() -> None:
    gone = make_record("Revocation", number="撤异", **target_of(FILED))
    assert sent(FILED, gone, PENALIZED).summary().terms == []
    assert sent(gone, FILED, PENALIZED).summary().terms == []


@pytest.mark.parametrize("answered", [False, True], ids=["open", "answered"])
def test_a_dispute_that_was_about_another_fact_is_open_there_alone(answered: bool) -> None:
    rejected = make_record("Dispute", number="异裁", **target_of(PENALIZED))
    FACTS[rejected.record_id] = {"stage": "DECIDED", "outcome": "REJECTED"}
    summary = sent(PENALIZED, OTHER, FILED, *([rejected] if answered else []), REDIRECTED_DISPUTE).summary()
    assert [state.key for state in summary.terms] == [OTHER.natural_key]
    assert [state for one in summary.given for state in one.closed] == []
    assert {entry.natural_key: entry.disputed for entry in summary.entries} == {
        PENALIZED.natural_key: False,
        OTHER.natural_key: True,
    }


def test_a_dispute_under_a_corrected_number_is_one_dispute() -> None:
    gone = make_record("Revocation", number="撤异", **target_of(RENUMBERED_DISPUTE))
    bus = sent(PENALIZED, FILED, RENUMBERED_DISPUTE)
    assert [state.opened_by for state in bus.summary().terms] == [RENUMBERED_DISPUTE.natural_key]
    bus.send(gone)
    assert (bus.summary().terms, [entry.disputed for entry in bus.summary().entries]) == ([], [False])


def test_a_fact_that_another_system_tells_in_a_later_revision_counts_once() -> None:
    again = make_record(event_id="of another system", revision=2)
    FACTS[again.record_id] = PENALTY
    bus = sent(PENALIZED, again)
    assert ([entry.record_id for entry in bus.summary().entries], bus.summary().counts) == (
        [again.record_id],
        {"Penalty": 1},
    )
    assert [(one.record_id, one.outcome) for one in bus.changes if one.cause == "ENDED"] == [
        (PENALIZED.record_id, "CORRECTED")
    ]
