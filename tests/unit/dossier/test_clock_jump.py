"""A jump of the clock: obeyed with two approvals, refused without, and it leads where the ticks would have led."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import DAY_MS, make_record, target_of
from creditbus.core.records import CreditRecord
from creditbus.dossier.steps import Jump
from creditbus.dossier.view import PartitionView
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus, ticks

RULES = replace(rules(), subscribers=())
OFFICERS = frozenset({"150000-xxzx", "150000-fgw"})
Told = tuple[CreditRecord, Mapping[str, Any]]
COURT = make_record("CourtEnforcement")
STORY: tuple[Told, ...] = (
    (COURT, {**COURT_FACTS, "ground": "G2"}),
    (make_record(), PENALTY),
    (make_record("Dispute", number="异1", **target_of(COURT)), {"stage": "FILED", "outcome": None}),
    (make_record("Repair", number="修1", **target_of(COURT)), {"stage": "APPLIED", "performed_on": None}),
    (make_record("Honor", number="荣1"), {"honor": "CONTRACT_KEEPING", "valid_until": None}),
)


def leap(days: int, approved_by: frozenset[str] = OFFICERS) -> Jump:
    at_ms = DAY_MS + days * DAY_LENGTH
    return Jump(at_ms, at_ms, approved_by)


def time_of(bus: Bus) -> int:
    return PartitionView(bus.store).meta.tick_ms


@pytest.mark.parametrize("approved_by", [frozenset(), frozenset({"150000-xxzx"})])
def test_a_jump_that_two_officers_have_not_approved_is_refused_as_a_tick_is(approved_by: frozenset[str]) -> None:
    bus = a_bus(rules=RULES)
    assert bus.send(leap(30, approved_by)).dropped == {"clock-jump": 1}
    assert time_of(bus) == DAY_MS


def test_a_jump_that_two_approved_moves_time_once() -> None:
    bus = a_bus(rules=RULES)
    assert bus.send(leap(30)).dropped == {}
    assert time_of(bus) == DAY_MS + 30 * DAY_LENGTH
    assert bus.send(leap(30)).dropped == {"older-tick": 1}


def test_nobody_approves_a_jump_into_the_future_of_the_broker() -> None:
    bus = a_bus(rules=RULES)
    assert bus.send(Jump(DAY_MS + DAY_LENGTH, DAY_MS, OFFICERS)).dropped == {"tick-from-the-future": 1}


@given(places=st.lists(st.sampled_from(range(len(STORY))), unique=True), days=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_a_jump_leads_where_the_ticks_that_it_leaves_out_would_have_led(places: list[int], days: int) -> None:
    walked, leapt = a_bus(*STORY, rules=RULES), a_bus(*STORY, rules=RULES)
    records = [STORY[place][0] for place in places]
    for bus in (walked, leapt):
        bus.send(*records)
    walked.send(*ticks(days))
    leapt.send(leap(days))
    assert msgspec.to_builtins(leapt.summary()) == msgspec.to_builtins(walked.summary())
    assert leapt.emissions == walked.emissions
    assert leapt.changes == walked.changes
