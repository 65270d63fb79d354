"""Decisions of the dossier: what records, ticks and editions do, whatever the batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import COURT, DAY, DAY_MS, make_record, make_rules, target_of
from creditbus.core.errors import StopError
from creditbus.core.records import ListingChange, MeasureOrder
from creditbus.core.rules import Rules
from creditbus.dossier.steps import Edition, Entry, Tick
from partition import COURT_FACTS, PENALTY, START, Bus, a_bus, ticks


def test_a_final_serious_penalty_takes_points_off_and_says_why() -> None:
    penalty = make_record()
    bus = a_bus((penalty, PENALTY))
    bus.send(penalty)
    assert bus.summary().score == 680
    assert bus.summary().grade == "C"
    assert bus.summary().entries[0].reason == "R302"


@pytest.mark.parametrize(
    "facts",
    [
        {**PENALTY, "is_final": False},
        {**PENALTY, "procedure": "SIMPLIFIED"},
        {**PENALTY, "penalty_types": ["WARNING"]},
        {**PENALTY, "severity": "MINOR"},
    ],
)
def test_what_the_rules_keep_out_takes_no_points(facts: dict[str, Any]) -> None:
    penalty = make_record()
    bus = a_bus((penalty, facts))
    bus.send(penalty)
    assert bus.summary().score == 800


def test_a_second_delivery_changes_nothing() -> None:
    penalty = make_record()
    bus = a_bus((penalty, PENALTY))
    bus.send(penalty)
    before = bus.summary()
    bus.send(penalty, penalty)
    assert bus.outcomes == ["RECORDED", "DUPLICATE", "DUPLICATE"]
    assert bus.summary() == before


def test_the_same_fact_under_another_event_id_is_a_duplicate() -> None:
    first, again = make_record(), make_record(event_id="another")
    bus = a_bus((first, PENALTY), (again, PENALTY))
    bus.send(first, again)
    assert bus.outcomes == ["RECORDED", "DUPLICATE"]
    assert bus.summary().counts == {"Penalty": 1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_highest_revision_wins_in_any_order(order: tuple[int, int]) -> None:
    first = make_record()
    corrected = make_record(revision=2)
    bus = a_bus((first, PENALTY), (corrected, {**PENALTY, "severity": "GENERAL"}))
    bus.send(*[(first, corrected)[index] for index in order])
    assert bus.summary().score == 760
    assert bus.summary().counts == {"Penalty": 1}


def test_a_correction_that_changes_the_document_number_leaves_one_fact() -> None:
    first = make_record(number="〔2026〕1号", event_id="same")
    corrected = make_record(number="〔2026〕2号", event_id="same", revision=2)
    bus = a_bus((first, PENALTY), (corrected, PENALTY))
    bus.send(first, corrected)
    assert len(bus.summary().entries) == 1
    assert bus.summary().counts == {"Penalty": 1}


def test_a_court_listing_emits_orders_and_one_alert_and_caps_the_grade() -> None:
    court = make_record("CourtEnforcement")
    bus = a_bus((court, COURT_FACTS))
    bus.send(court)
    assert bus.orders() == [("ORDER", "M01"), ("ORDER", "M14")]
    assert bus.alerts() == ["DISHONEST_SUBJECT"]
    assert (bus.summary().score, bus.summary().grade) == (800, "D")


def test_a_repair_lifts_every_order_of_the_listing_and_clears_the_subject() -> None:
    court = make_record("CourtEnforcement")
    repair = make_record("Repair", number="修1号", **target_of(court))
    bus = a_bus((court, COURT_FACTS), (repair, {"stage": "GRANTED"}))
    bus.send(court)
    ordered = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder)}
    bus.send(repair)
    lifted = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "LIFT"}
    assert lifted == ordered
    assert bus.alerts() == ["DISHONEST_SUBJECT", "CLEARED_SUBJECT"]
    assert bus.summary().grade == "B"


def test_a_repair_that_was_only_applied_for_changes_nothing() -> None:
    court = make_record("CourtEnforcement")
    repair = make_record("Repair", number="修1号", **target_of(court))
    bus = a_bus((court, COURT_FACTS), (repair, {"stage": "APPLIED"}))
    bus.send(court, repair)
    assert bus.summary().listings
    assert ("LIFT", "M01") not in bus.orders()


def test_a_revocation_that_comes_first_is_held_for_its_decision() -> None:
    penalty = make_record()
    revocation = make_record("Revocation", number="撤1号", **target_of(penalty))
    bus = a_bus((penalty, PENALTY), (revocation, {"reason": "错误"}))
    bus.send(revocation)
    bus.send(penalty)
    assert bus.outcomes == ["HELD", "RECORDED", "RECORDED"]
    assert bus.summary().score == 800
    assert bus.summary().held == []


def test_a_listing_ends_by_itself_on_the_day_after_its_term_with_every_lift() -> None:
    court = make_record("CourtEnforcement", decided_on=make_record().decided_on - 725)
    bus = a_bus((court, COURT_FACTS))
    bus.send(court)
    assert bus.summary().listings
    bus.send(*ticks(8))
    assert bus.summary().listings == []
    assert bus.orders() == [("ORDER", "M01"), ("ORDER", "M14"), ("LIFT", "M01"), ("LIFT", "M14")]
    removed = [one for one in bus.emissions if isinstance(one, ListingChange)][-1]
    assert (removed.state, removed.cause) == ("REMOVED", "EXPIRED")
    assert bus.alerts()[-1] == "CLEARED_SUBJECT"


def test_a_listing_whose_term_is_over_orders_nothing() -> None:
    court = make_record("CourtEnforcement", decided_on=make_record().decided_on - 1000)
    bus = a_bus((court, COURT_FACTS))
    bus.send(court)
    assert bus.emissions == []


def test_points_decay_to_nothing_at_the_end_of_publicity() -> None:
    general = make_record(decided_on=make_record().decided_on - 360)
    bus = a_bus((general, {**PENALTY, "severity": "GENERAL"}))
    bus.send(general)
    assert bus.summary().score == 800
    assert bus.summary().entries
    bus.send(*ticks(10))
    assert bus.summary().entries == []
    assert bus.changes[-1].outcome == "EXPIRED"


def test_a_withdrawal_takes_the_fact_away_and_no_late_original_brings_it_back() -> None:
    penalty = make_record(event_id="moved")
    withdrawal = make_record(event_id="moved", revision=2, op="WITHDRAW")
    bus = a_bus((penalty, PENALTY))
    bus.send(withdrawal, penalty)
    assert bus.outcomes == ["RECORDED", "SUPERSEDED"]
    assert bus.summary().entries == []


def test_an_open_dispute_takes_the_record_out_of_the_score_until_it_is_decided() -> None:
    penalty = make_record()
    filed = make_record("Dispute", number="异1号", **target_of(penalty))
    rejected = make_record("Dispute", number="异2号", **target_of(penalty))
    bus = a_bus(
        (penalty, PENALTY),
        (filed, {"stage": "FILED", "outcome": None}),
        (rejected, {"stage": "DECIDED", "outcome": "REJECTED"}),
    )
    bus.send(penalty, filed)
    assert bus.summary().score == 800
    bus.send(rejected)
    assert bus.summary().score == 680


@pytest.mark.parametrize("kind", ["NATURAL_PERSON", "SOLE_TRADER"])
def test_a_person_is_listed_by_a_court_and_never_scored(kind: str) -> None:
    court = make_record("CourtEnforcement", subject_kind=kind)
    penalty = make_record(subject_kind=kind)
    bus = a_bus((court, COURT_FACTS), (penalty, PENALTY))
    bus.send(court, penalty)
    assert (bus.summary().score, bus.summary().grade) == (None, None)
    assert all(change.score_after is None for change in bus.changes)
    assert bus.alerts() == ["DISHONEST_SUBJECT"]


def test_no_score_however_low_lists_anybody() -> None:
    penalties = [make_record(number=f"〔2026〕{index}号") for index in range(20)]
    bus = a_bus(*[(penalty, PENALTY) for penalty in penalties])
    bus.send(*penalties)
    assert bus.summary().score == 500
    assert bus.summary().listings == []
    assert bus.emissions == []


def test_an_older_tick_a_jump_and_a_tick_from_the_future_are_dropped() -> None:
    bus = a_bus()
    dropped = bus.send(
        Tick(DAY_MS - 1, DAY_MS), Tick(DAY_MS + 600_001, DAY_MS + 600_001), Tick(DAY_MS + 300_000, DAY_MS)
    ).dropped
    assert dropped == {"older-tick": 1, "clock-jump": 1, "tick-from-the-future": 1}


def test_a_record_before_any_edition_stops_the_service() -> None:
    with pytest.raises(StopError, match="edition"):
        Bus({}).send(make_record())


def test_an_unknown_edition_stops_the_service_before_the_next_record() -> None:
    bus = a_bus()
    with pytest.raises(StopError):
        bus.send(Edition("f" * 64, 1), make_record())


def a_story() -> tuple[list[Entry], dict[str, Mapping[str, Any]]]:
    """Records of two firms, with corrections, a listing near its end, duplicates, and two weeks of ticks between."""
    entries: list[Entry] = []
    facts: dict[str, Mapping[str, Any]] = {}
    days = [DAY - timedelta(days=age) for age in (0, 100, 355, 362, 725)]
    for index, firm in enumerate(("MA0N12340", "YY0000010")):
        for number, decided in enumerate(days):
            kind = "CourtEnforcement" if number == 4 else "Penalty"
            record = make_record(
                kind,
                number=f"〔{index}〕{number}号",
                subject_key=firm,
                decided_on=(decided - date(1970, 1, 1)).days,
            )
            facts[record.record_id] = COURT_FACTS if number == 4 else {**PENALTY, "severity": "GENERAL"}
            entries += [record, record]
    spread: list[Entry] = []
    passing = ticks(14)
    for index, entry in enumerate(entries):
        spread += [entry, *passing[index * 100 : (index + 1) * 100]]
    return spread, facts


@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=40))
def test_the_same_log_gives_the_same_answer_whatever_the_batches(sizes: Sequence[int]) -> None:
    story, facts = a_story()
    whole, parts = Bus(facts), Bus(facts)
    whole.send(*START, *story)
    parts.send(*START)
    rest = list(story)
    for size in sizes:
        parts.send(*rest[:size])
        rest = rest[size:]
    parts.send(*rest)
    assert parts.store._values == whole.store._values
    key = str
    assert sorted(map(key, parts.changes)) == sorted(map(key, whole.changes))
    assert sorted(map(key, parts.emissions)) == sorted(map(key, whole.emissions))


class TwoEditions(Bus):
    """A partition that knows a second edition, of the same rules."""

    def _rules_of(self, edition: str) -> Rules:
        return make_rules(edition=edition)


@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=40), st.floats(0, 1))
def test_a_deadline_fires_by_the_edition_of_its_time_wherever_batches_end(sizes: Sequence[int], part: float) -> None:
    story, facts = a_story()
    story.insert(int(part * len(story)), Edition("f" * 64, 1))
    whole, parts = TwoEditions(facts), TwoEditions(facts)
    whole.send(*START, *story)
    parts.send(*START)
    rest = list(story)
    for size in sizes:
        parts.send(*rest[:size])
        rest = rest[size:]
    parts.send(*rest)
    assert parts.store._values == whole.store._values
    assert sorted(map(str, parts.changes)) == sorted(map(str, whole.changes))


def test_every_order_has_its_lift_in_the_end() -> None:
    story, facts = a_story()
    bus = Bus(facts)
    bus.send(*START, *story)
    ordered = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "ORDER"}
    lifted = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "LIFT"}
    assert ordered
    assert ordered == lifted


def test_emitted_ids_are_unique() -> None:
    story, facts = a_story()
    bus = Bus(facts)
    bus.send(*START, *story)
    ids = [one.message_id for one in bus.emissions if isinstance(one, MeasureOrder)]
    assert len(ids) == len(set(ids))
    assert COURT
