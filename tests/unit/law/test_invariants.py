"""What holds whatever is reported, in whatever order: the same state, no listing without its steps, each order lifted.

One subject, a pool of decisions that touch each other (penalties, lists with their steps, disputes, repairs,
revocations, corrections, ratings, honours), any part of it in any order between two ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.core.records import CreditRecord, ListingChange, MeasureOrder, day_of
from creditbus.core.state import Summary
from creditbus.dossier.steps import Tick
from creditbus.lab.reference import SeenRecord, fold
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus

RULES = replace(rules(), subscribers=())
"""Who has to answer depends on what was sent meanwhile, not on the records alone (test_subscribers.py)."""
Told = tuple[CreditRecord, Mapping[str, Any]]


def on(days: int) -> date:
    return DAY + timedelta(days=days)


COURT = make_record("CourtEnforcement")
PENALIZED = make_record()
RENUMBERED = make_record(
    number="〔2026〕9号", event_id=PENALIZED.event_id, revision=2, corrects_key=PENALIZED.natural_key
)
TAX = make_record("ListDecision", number="税列1", decided_on=day_of(on(-10)))
TAX_FACTS = {
    "list": "L02",
    "action": "LIST",
    "ground": "x",
    "notice_number": "告1",
    "term_months": None,
    "target": None,
}


def step(name: str, day: date) -> Told:
    record = make_record("ListStep", number=f"告1-{name}", decided_on=day_of(day))
    return record, {"list": "L02", "step": name, "notice_number": "告1", "happened_on": day, "outcome": "REJECTED"}


def about(kind: str, number: str, target: CreditRecord, **facts: Any) -> Told:
    return make_record(kind, number=number, **target_of(target)), facts


def asked(kind: str, number: str, target: CreditRecord, stage: str, revision: int = 1, renumbered: str = "") -> Told:
    """A question of the day before: its answers are of the day itself."""
    changes = {"event_id": f"event-{kind}-{number}", "revision": revision, "decided_on": day_of(on(-1))}
    if renumbered:
        changes["corrects_key"] = make_record(kind, number=number).natural_key
    record = make_record(kind, number=renumbered or number, **changes, **target_of(target))
    return record, {"stage": stage, "outcome": None}


DISPUTED = asked("Dispute", "异1", PENALIZED, "FILED")
REJECTED = about("Dispute", "异2", PENALIZED, stage="DECIDED", outcome="REJECTED")
UNSHIELDED = about("Repair", "屏2", COURT, stage="UNSHIELDED")
REFUSED = about("Repair", "修4", COURT, stage="REFUSED")


def rated(grade: str, day: date) -> Told:
    record = make_record("Rating", number=f"税{grade}", decided_on=day_of(day))
    return record, {"scheme": "TAX", "grade": grade, "valid_until": None}


POOL: tuple[Told, ...] = (
    (COURT, COURT_FACTS),
    (make_record("CourtEnforcement", revision=2), {**COURT_FACTS, "performance": "FULL"}),
    (PENALIZED, PENALTY),
    (make_record(number="〔2026〕2号"), {**PENALTY, "severity": "GENERAL"}),
    (RENUMBERED, {**PENALTY, "severity": "GENERAL"}),
    (TAX, TAX_FACTS),
    step("NOTICE", on(-60)),
    step("STATEMENT", on(-30)),
    step("SERVICE", on(-5)),
    (make_record(number="〔2026〕2号", event_id="told by another system", revision=2), PENALTY),
    DISPUTED,
    asked("Dispute", "异1", COURT, "FILED", revision=2),
    about("Revocation", "撤2", DISPUTED[0], reason="x"),
    REJECTED,
    asked("Dispute", "异3", COURT, "FILED"),
    asked("Dispute", "异3", COURT, "FILED", revision=2, renumbered="异3之一"),
    about("Revocation", "撤3", REJECTED[0], reason="x"),
    about("Repair", "修1", PENALIZED, stage="GRANTED"),
    asked("Dispute", "异4", TAX, "FILED"),
    about("Dispute", "异5", COURT, stage="DECIDED", outcome="UPHELD"),
    asked("Repair", "修2", COURT, "APPLIED"),
    asked("Repair", "修2", PENALIZED, "APPLIED", revision=2, renumbered="修2之一"),
    about("Repair", "修3", COURT, stage="GRANTED"),
    asked("Repair", "屏1", COURT, "SHIELDED"),
    UNSHIELDED,
    (make_record("Repair", number="屏2", revision=2, op="WITHDRAW"), {}),
    REFUSED,
    about("Revocation", "撤4", REFUSED[0], reason="x"),
    asked("Repair", "屏3", PENALIZED, "SHIELDED"),
    asked("Repair", "屏3", COURT, "SHIELDED", revision=2),
    about("Revocation", "撤1", TAX, reason="x"),
    rated("A", on(-3)),
    rated("D", on(-2)),
    (make_record("Honor", number="荣1"), {"honor": "CONTRACT_KEEPING", "valid_until": on(400)}),
    (make_record("Registration", number="登1"), {"former_identifiers": [], "status": "ACTIVE"}),
)  # fmt: skip
STORIES = st.lists(st.sampled_from(range(len(POOL))), unique=True, min_size=1)


def told(places: list[int], batches: int = 1) -> Bus:
    bus = a_bus(*POOL, rules=RULES)
    records = [POOL[place][0] for place in places]
    size = max(1, len(records) // batches)
    for start in range(0, len(records), size):
        bus.send(*records[start : start + size])
    return bus


def state_of(summary: Summary) -> Any:
    """What is true of the subject, without the order in which entries and listings came to be there."""
    plain = msgspec.to_builtins(summary)
    fields = dict(zip(Summary.__struct_fields__, plain, strict=False))
    del fields["version"]  # counts what was applied: a revision that comes first leaves nothing for the older one
    for name in ("entries", "listings", "aliases", "held", "incentives"):
        fields[name] = sorted(map(repr, fields[name]))
    return fields


@given(story=STORIES, data=st.data())
@settings(max_examples=300)
def test_any_order_of_the_same_records_between_two_ticks_gives_the_same_state(
    story: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(story))
    one, two = told(story).summary(), told(other, data.draw(st.integers(1, 4))).summary()
    assert state_of(one) == state_of(two)


@given(story=STORIES)
@settings(max_examples=100)
def test_the_score_stays_within_its_bounds_and_a_severe_list_keeps_the_grade_down(story: list[int]) -> None:
    summary = told(story).summary()
    assert summary.score is not None
    assert RULES.score.floor <= summary.score <= RULES.score.ceiling
    if summary.is_grade_capped:
        assert summary.grade == RULES.score.severe_list_grade


@given(story=STORIES)
@settings(max_examples=100)
def test_nobody_is_listed_without_every_step_of_its_procedure(story: list[int]) -> None:
    bus = told(story)
    listed = [one for one in bus.emissions if isinstance(one, ListingChange) and one.list == "L02"]
    steps = {POOL[place][1]["step"] for place in story if POOL[place][0].kind == "ListStep"}
    if listed:
        assert steps == {"NOTICE", "STATEMENT", "SERVICE"}


@given(story=STORIES)
@settings(max_examples=15)
def test_every_order_has_its_lift_once_its_term_is_over(story: list[int]) -> None:
    bus = told(story)
    days = max((one.until or 0 for one in bus.summary().in_effect), default=0) - day_of(DAY) + 2
    bus.send(*(Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + min(days, 1_200) * DAY_LENGTH, 600_000)))
    last = {one.order_id: one for one in bus.emissions if isinstance(one, MeasureOrder)}
    without_term = {order.order_id for one in bus.summary().listings if one.until is None for order in one.orders}
    standing = {order_id for order_id, one in last.items() if one.action != "LIFT" and one.family.startswith("M")}
    assert standing <= without_term


@given(story=STORIES)
@settings(max_examples=200)
def test_the_plain_reference_of_verify_counts_the_same_records(story: list[int]) -> None:
    seen = [
        SeenRecord(
            record.record_id, record.subject_key, record.event_key, record.natural_key, record.target_key,
            record.corrects_key, record.revision, record.op, record.kind,
        )
        for record in (POOL[place][0] for place in story)
    ]  # fmt: skip
    summary = told(story).summary()
    assert fold(seen)[summary.subject_key].version == summary.version


@given(story=STORIES)
@settings(max_examples=300)
def test_what_was_told_of_the_records_says_which_are_in_force(story: list[int]) -> None:
    bus = told(story)
    assert bus.told_in_force() == bus.active()


@pytest.mark.parametrize("kind", ["NATURAL_PERSON", "SOLE_TRADER"])
def test_a_person_is_never_scored_whatever_is_reported(kind: str) -> None:
    records = [make_record(one.kind, number=one.document_number, subject_kind=kind) for one, _ in POOL]
    bus = a_bus(*((record, facts) for record, (_, facts) in zip(records, POOL, strict=True)), rules=RULES)
    for record in records:
        bus.send(record)
        summary = bus.summary()
        assert (summary.score, summary.grade, summary.entries, summary.receipt) == (None, None, [], "")
