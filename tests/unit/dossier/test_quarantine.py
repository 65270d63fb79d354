"""Records that cannot be applied: they and what is behind them wait; everything else goes on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY, make_record, target_of
from creditbus.core.errors import StopError
from creditbus.core.quarantine import DROP, PARK, REDRIVE, QuarantineOrder, Unreadable
from creditbus.core.records import CreditRecord, ListingChange
from creditbus.dossier.queue import MOST_CAUSES_A_BATCH
from creditbus.dossier.steps import Entry
from partition import COURT_FACTS, PENALTY, Bus, a_bus, ticks

OTHER = "MA0N99999"
REPAIR: dict[str, Any] = {"stage": "GRANTED"}


def redrive(subject: str, order_id: str = "o1") -> QuarantineOrder:
    return QuarantineOrder(order_id, REDRIVE, subject, None, "mended")


def a_story() -> tuple[CreditRecord, CreditRecord, CreditRecord]:
    """Two penalties of one firm and one of another."""
    return make_record(number="1"), make_record(number="2"), make_record(number="3", subject_key=OTHER)


def a_bus_that_breaks_on(number: str) -> tuple[Bus, tuple[CreditRecord, CreditRecord, CreditRecord]]:
    story = a_story()
    bus = a_bus(*((record, PENALTY) for record in story))
    bus.broken = {number}
    return bus, story


def state_without_queue(bus: Bus) -> dict[bytes, bytes]:
    """The stored state, but for how often subjects were parked."""
    summary = bus.summary()
    summary.parked_from = summary.parked_to = 0
    return {key: value for key, value in bus.store.scan(b"", b"\xff", 10_000) if not key.startswith(b"s")}


def test_what_cannot_be_applied_waits_with_all_behind_it_and_others_flow_on() -> None:
    bus, (first, second, other) = a_bus_that_breaks_on("1")
    bus.send(first, second, other)
    assert bus.summary(OTHER).score == 680
    assert bus.summary().version == 0
    assert [(row.record_id, row.is_cause) for row in bus.parked] == [
        (first.record_id, True),
        (second.record_id, False),
    ]
    assert [change.outcome for change in bus.changes] == ["PARKED", "PARKED", "RECORDED"]
    assert [(note.action, note.record_id) for note in bus.notes] == [(PARK, first.record_id)]


def test_the_reason_names_the_error_and_its_place_but_no_data() -> None:
    bus, (first, _, _) = a_bus_that_breaks_on("1")
    bus.send(first)
    assert bus.parked[0].reason.startswith("KeyError in ")
    assert "foresaw" not in bus.parked[0].reason


def test_redriven_after_a_mend_everything_is_as_if_nothing_had_been() -> None:
    bus, story = a_bus_that_breaks_on("1")
    bus.send(*story)
    bus.broken.clear()
    bus.send(redrive(story[0].subject_key))
    clean, _ = a_bus_that_breaks_on("none")
    clean.send(*story)
    assert [row.value for row in bus.parked[2:]] == [None, None]
    assert not bus.summary().is_parked
    assert state_without_queue(bus) == state_without_queue(clean)
    assert bus.summary().score == clean.summary().score


def test_redriven_without_a_mend_it_waits_on_and_says_so() -> None:
    bus, story = a_bus_that_breaks_on("1")
    bus.send(*story)
    bus.send(redrive(story[0].subject_key))
    assert bus.summary().parked_to - bus.summary().parked_from == 2
    assert [note.record_id for note in bus.notes] == [story[0].record_id] * 2
    assert len({note.order_id for note in bus.notes}) == 2


def test_a_dropped_record_is_told_of_and_those_behind_it_go_on() -> None:
    bus, (first, second, _) = a_bus_that_breaks_on("1")
    bus.send(first, second)
    bus.send(QuarantineOrder("o1", DROP, first.subject_key, first.record_id, "sent by mistake"))
    assert bus.summary().version == 1
    assert not bus.summary().is_parked
    assert [change.outcome for change in bus.changes] == ["PARKED", "PARKED", "RECORDED", "DROPPED"]
    assert bus.summary().entries[0].record_id == second.record_id


def test_deadlines_and_lifts_of_a_parked_subject_go_on() -> None:
    listing = make_record("CourtEnforcement", decided_on=make_record().decided_on - 730)
    stuck = make_record(number="1")
    facts = {**COURT_FACTS, "effective_on": None, "published_on": DAY}
    bus = a_bus((listing, facts), (stuck, PENALTY))
    bus.broken = {"1"}
    bus.send(listing)
    bus.send(stuck)
    assert bus.summary().is_parked
    bus.send(*ticks(3))
    assert [one.state for one in bus.emissions if isinstance(one, ListingChange)] == ["LISTED", "REMOVED"]
    assert bus.summary().is_parked


def test_an_order_for_a_subject_without_queue_changes_nothing() -> None:
    bus, (first, _, _) = a_bus_that_breaks_on("none")
    bus.send(first)
    before = dict(bus.store.scan(b"", b"\xff", 10_000))
    bus.send(redrive(first.subject_key), redrive("nobody"))
    assert dict(bus.store.scan(b"", b"\xff", 10_000)) == before


def test_bytes_that_cannot_be_read_wait_under_their_key() -> None:
    bus, (first, _, other) = a_bus_that_breaks_on("none")
    bus.send(Unreadable(first.subject_key, "f" * 32, "NotAvroError in avro._read, line 1"), first, other)
    assert bus.summary(OTHER).version == 1
    assert bus.summary().version == 0
    assert [row.kind for row in bus.parked] == ["", "Penalty"]


def test_too_many_in_one_batch_stop_the_service_and_park_nothing() -> None:
    records = [make_record(number=str(n), subject_key=f"S{n}") for n in range(MOST_CAUSES_A_BATCH + 1)]
    bus = a_bus(*((record, PENALTY) for record in records))
    bus.broken = {record.document_number for record in records}
    with pytest.raises(StopError, match="nothing was parked"):
        bus.send(*records)
    assert not list(bus.store.scan(b"q", b"r", 10))


def entries(draw: st.DrawFn) -> list[Entry]:
    records = [make_record(number=str(n), subject_key=f"S{n % 3}") for n in range(8)]
    story: list[Entry] = draw(st.permutations([*records, *records[:2]]))
    for number in range(draw(st.integers(0, 3))):
        story.insert(draw(st.integers(0, len(story))), redrive(f"S{number}", f"o{number}"))
    return story


@given(st.composite(entries)(), st.sets(st.integers(0, 7), max_size=3), st.data())
def test_state_is_the_same_however_the_log_is_cut_into_batches_and_whoever_replays_it(
    story: list[Entry], broken: set[int], data: st.DataObject
) -> None:
    records = {one.record_id: one for one in story if isinstance(one, CreditRecord)}

    def a_partition() -> Bus:
        bus = a_bus(*((record, PENALTY) for record in records.values()))
        bus.broken = {str(number) for number in broken}
        return bus

    live, cut, mended = a_partition(), a_partition(), a_partition()
    live.send(*story)
    where = data.draw(st.integers(0, len(story)))
    cut.send(*story[:where])
    cut.send(*story[where:])
    mended.broken.clear()
    mended.notes_to_follow = frozenset(note.order_id for note in live.notes)
    mended.send(*story)
    states = [dict(bus.store.scan(b"", b"\xff", 10_000)) for bus in (live, cut, mended)]
    assert states[0] == states[1] == states[2]


def test_a_repair_that_waits_behind_a_poisoned_record_takes_effect_when_it_is_redriven() -> None:
    listing = make_record("CourtEnforcement")
    stuck = make_record(number="1")
    repair = make_record("Repair", number="r", **target_of(listing))
    bus = a_bus((listing, COURT_FACTS), (stuck, PENALTY), (repair, REPAIR))
    bus.broken = {"1"}
    bus.send(listing, stuck, repair)
    assert bus.summary().is_severely_listed
    bus.broken.clear()
    bus.send(redrive(listing.subject_key))
    assert not bus.summary().is_severely_listed
