"""What the catalogue says is deleted is deleted when its time is over, and nothing brings it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.catalogue.loader import load
from creditbus.core.calendar import add_months, add_working_days
from creditbus.core.records import CreditRecord, day_of
from creditbus.dossier.steps import Entry, Tick
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus

CATALOGUE = load()
RULES = rules()
ROWS = {row.deletes: row for row in CATALOGUE.retention if row.deletes}
PERSON: dict[str, Any] = {"subject_key": "p:1:" + "a" * 40, "subject_kind": "NATURAL_PERSON"}
LEFT = 2
"""Days after DAY that a fact is kept still."""
Told = tuple[CreditRecord, Mapping[str, Any]]


def years_ago(years: int) -> int:
    """A day of so many years ago, and LEFT days."""
    return day_of(add_months(DAY + timedelta(days=LEFT), -12 * years))


def days_pass(bus: Bus, first: int, last: int) -> None:
    begin, end = DAY_MS + first * DAY_LENGTH, DAY_MS + last * DAY_LENGTH
    bus.send(*(Tick(at, at) for at in range(begin + 600_000, end + 1, 600_000)))


def deleted(bus: Bus) -> list[tuple[str, str | None]]:
    return [(one.record_id, one.event_key) for one in bus.changes if one.outcome == "DELETED"]


def rows_of(bus: Bus, record: CreditRecord) -> list[bytes | None]:
    fact, event = bytes.fromhex(record.natural_key), bytes.fromhex(record.event_key)
    subject = record.subject_key
    start = subject.encode() + b"\x00"
    return bus.store.get_many([b"n" + start + fact, b"e" + start + event])


OLD = make_record(**PERSON, decided_on=years_ago(ROWS["ADVERSE"].years))


@pytest.mark.parametrize("kind", ROWS["ADVERSE"].subjects)
def test_an_adverse_fact_about_a_person_is_deleted_after_its_years_on_the_day_and_not_before(kind: str) -> None:
    old = make_record(**{**PERSON, "subject_kind": kind}, decided_on=OLD.decided_on)
    bus = a_bus((old, PENALTY), rules=RULES)
    bus.send(old)
    days_pass(bus, 0, LEFT)
    assert deleted(bus) == []
    assert None not in rows_of(bus, old)
    days_pass(bus, LEFT, LEFT + 1)
    assert deleted(bus) == [(old.record_id, old.event_key)]
    mark, event = rows_of(bus, old)
    assert event is None
    assert mark is not None
    assert old.record_id.encode() not in mark
    assert bus.summary(old.subject_key).counts == {}
    assert bus.summary(old.subject_key).kept == []


def test_what_comes_again_stays_deleted() -> None:
    corrected = make_record(**PERSON, decided_on=OLD.decided_on, revision=2)
    bus = a_bus((OLD, PENALTY), (corrected, PENALTY), rules=RULES)
    bus.send(OLD)
    days_pass(bus, 0, LEFT + 1)
    bus.send(OLD)
    assert bus.outcomes[-1] == "DUPLICATE"
    bus.send(corrected)
    assert deleted(bus)[-1] == (corrected.record_id, corrected.event_key)
    days_pass(bus, LEFT + 1, LEFT + 3)
    mark, event = rows_of(bus, corrected)
    assert event is None
    assert mark is not None
    assert corrected.record_id.encode() not in mark
    assert bus.summary(OLD.subject_key).counts == {}


def test_facts_of_firms_and_facts_that_are_not_adverse_are_kept() -> None:
    firm = make_record(decided_on=OLD.decided_on)
    permit = make_record("Permit", **PERSON, item="C03-PERMIT", decided_on=OLD.decided_on)
    bus = a_bus((firm, PENALTY), (permit, {}), rules=RULES)
    bus.send(firm, permit)
    days_pass(bus, 0, LEFT + 1)
    assert deleted(bus) == []


def test_a_person_on_a_list_is_kept_there_and_the_years_run_from_leaving_it() -> None:
    facts = {**COURT_FACTS, "performance": "NONE"}  # on ground G1: until the duty is performed
    court = make_record("CourtEnforcement", **PERSON, item="C02-ENFORCEMENT", decided_on=OLD.decided_on)
    repair = make_record("Repair", number="修1", item="P02-REPAIR", **PERSON, **target_of(court))
    bus = a_bus((court, facts), (repair, {"stage": "GRANTED"}), rules=RULES)
    bus.send(court)
    days_pass(bus, 0, LEFT + 1)
    assert deleted(bus) == []
    assert [one.list_code for one in bus.summary(court.subject_key).listings] == ["L01"]
    bus.send(repair)
    end = DAY + timedelta(days=LEFT + 1)
    due = day_of(add_months(end, 12 * ROWS["ADVERSE"].years))
    assert bus.summary(court.subject_key).kept == [(due, court.natural_key, False)]


def test_a_decision_that_was_revoked_is_deleted_within_its_working_days() -> None:
    working_days = ROWS["REVOKED"].working_days
    assert working_days is not None
    penalty = make_record()
    revoked = make_record("Revocation", number="撤1", **target_of(penalty))
    bus = a_bus((penalty, PENALTY), (revoked, {}), rules=RULES)
    bus.send(penalty, revoked)
    last = (add_working_days(RULES.calendar, DAY, working_days).day - DAY).days
    days_pass(bus, 0, last)
    assert deleted(bus) == []
    days_pass(bus, last, last + 1)
    assert deleted(bus) == [(penalty.record_id, penalty.event_key)]
    again = make_record(event_id="another", revision=2)
    bus.send(again)
    assert deleted(bus)[-1] == (again.record_id, again.event_key), "a revoked decision does not come back"


def test_what_was_repaired_before_it_was_revoked_is_deleted_all_the_same() -> None:
    """Whichever of the two comes first: the state is the same."""
    penalty = make_record()
    repair = make_record("Repair", number="修1", **target_of(penalty))
    revoked = make_record("Revocation", number="撤1", **target_of(penalty))
    told: tuple[Told, ...] = ((penalty, PENALTY), (repair, {"stage": "GRANTED"}), (revoked, {}))
    kept = []
    for order in ((penalty, repair, revoked), (penalty, revoked, repair), (revoked, repair, penalty)):
        bus = a_bus(*told, rules=RULES)
        bus.send(*order)
        kept.append(bus.summary().kept)
    assert kept[0] == kept[1] == kept[2]
    assert [back for _, _, back in kept[0]] == [True]


def test_a_repair_is_no_revocation_and_what_was_repaired_stays_on_file() -> None:
    penalty = make_record()
    repair = make_record("Repair", number="修1", **target_of(penalty))
    bus = a_bus((penalty, PENALTY), (repair, {"stage": "GRANTED"}), rules=RULES)
    bus.send(penalty, repair)
    days_pass(bus, 0, 10)
    assert deleted(bus) == []


def test_an_entry_of_abnormal_operation_is_deleted_years_after_it_but_not_before_it_is_left() -> None:
    row = ROWS["LIST"]
    facts = {"list": row.lists[0], "action": "LIST", "effective_on": DAY}
    entry = make_record("ListDecision", sender="150000-scjg")
    removal = make_record("Revocation", number="撤1", **target_of(entry))
    off = make_record("ListDecision", number="移1", sender="150000-scjg", **target_of(entry))
    bus = a_bus((entry, facts), (off, {**facts, "action": "DELIST"}), (removal, {}), rules=RULES)
    bus.send(entry)
    assert bus.summary().kept == []
    bus.send(off)
    due = day_of(add_months(DAY, 12 * row.years))
    assert bus.summary().kept == [(due, entry.natural_key, False)]


def test_a_fact_that_a_correction_moves_to_somebody_else_is_not_deleted_there() -> None:
    """Both tell the same event: what deletes by its id must not reach the right person's file."""
    withdrawn = make_record(**PERSON, op="WITHDRAW", revision=2, decided_on=OLD.decided_on)
    bus = a_bus((OLD, PENALTY), (withdrawn, {}), rules=RULES)
    bus.send(OLD, withdrawn)
    days_pass(bus, 0, LEFT + 1)
    assert deleted(bus) == []


def send_on(bus: Bus, *entries: Entry) -> None:
    """Send entries, and the copies that they lead to."""
    bus.send(*entries)
    while bus.moved:
        copies, bus.moved = bus.moved, []
        bus.send(*copies)


def test_a_fact_under_two_numbers_is_deleted_under_both_and_a_split_does_not_bring_it_back() -> None:
    """A person got a new number: copies are kept no longer than what they are copies of."""
    new = "p:1:" + "b" * 40
    kept = make_record(**PERSON, number="罚近")
    link = make_record("IdentityLink", "联1", **PERSON, linked_key=new)
    split = make_record("IdentitySplit", "撤联1", **PERSON, **target_of(link))
    about = {"kind": link.kind, "authority": link.authority, "document_number": "联1", "item_number": ""}
    told = ((OLD, PENALTY), (kept, PENALTY), (link, {"reason": "NUMBER_CHANGE"}), (split, {"target": about}))
    bus = a_bus(*told, rules=RULES)

    send_on(bus, OLD, kept, link)
    assert bus.summary(new).counts["Penalty"] == 2
    days_pass(bus, 0, LEFT + 1)
    assert set(deleted(bus)) == {(OLD.record_id, OLD.event_key)}
    assert bus.summary(new).counts["Penalty"] == 1
    send_on(bus, OLD)
    assert bus.summary(new).counts["Penalty"] == 1, "what comes again stays deleted"
    send_on(bus, split)
    assert bus.summary(OLD.subject_key).counts["Penalty"] == 1
    assert bus.summary(new).counts.get("Penalty", 0) == 0
    send_on(bus, OLD)
    assert bus.summary(OLD.subject_key).counts["Penalty"] == 1
    assert None in rows_of(bus, OLD), "a bare mark and no event"
    assert None not in rows_of(bus, kept)


def test_what_was_deleted_under_the_new_number_stays_so_when_the_old_one_leads_there_no_more() -> None:
    """The dossier is made anew then, of everything but the copies; the mark is of no record any more."""
    before = {**PERSON, "subject_key": "p:1:" + "b" * 40}
    near, link = (
        make_record(number="罚近", **before),
        make_record("IdentityLink", "联1", **before, linked_key=OLD.subject_key),
    )
    split = make_record("IdentitySplit", "撤联1", **before, **target_of(link))
    about = {"kind": link.kind, "authority": link.authority, "document_number": "联1", "item_number": ""}
    told = ((OLD, PENALTY), (near, PENALTY), (link, {"reason": "NUMBER_CHANGE"}), (split, {"target": about}))
    bus = a_bus(*told, rules=RULES)
    send_on(bus, OLD, near, link)
    assert bus.summary(OLD.subject_key).counts["Penalty"] == 2
    days_pass(bus, 0, LEFT + 1)
    send_on(bus, split)
    assert "Penalty" not in bus.summary(OLD.subject_key).counts
    send_on(bus, OLD)
    assert "Penalty" not in bus.summary(OLD.subject_key).counts


def test_what_was_deleted_of_a_firm_does_not_go_to_its_new_code() -> None:
    fine, kept = make_record(), make_record(number="〔2026〕3号")
    gone = make_record("Revocation", number="撤1", **target_of(fine))
    link = make_record("IdentityLink", "联1", linked_key="o:new")
    about = {"kind": fine.kind, "authority": fine.authority, "document_number": fine.document_number, "item_number": ""}
    told = ((fine, PENALTY), (kept, PENALTY), (gone, {"target": about}), (link, {"reason": "CODE_CHANGE"}))
    bus = a_bus(*told, rules=RULES)
    bus.send(fine, kept, gone)
    days_pass(bus, 0, 20)
    assert [record for record, _ in deleted(bus)] == [fine.record_id]
    bus.send(link)
    assert fine.record_id not in [copy.record_id for copy in bus.moved]
    assert kept.record_id in [copy.record_id for copy in bus.moved]


@pytest.mark.parametrize("size", [1, 2, 10_000])
def test_where_batches_end_does_not_matter(size: int) -> None:
    """The same changes, ids included, whatever comes together."""
    later = make_record(number="〔2026〕2号", **PERSON)
    told = ((OLD, PENALTY), (later, PENALTY))

    def changes(step: int) -> list[Any]:
        bus = a_bus(*told, rules=RULES)
        ticks = [Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + 3 * DAY_LENGTH + 1, 600_000)]
        entries: list[Entry] = [OLD, *ticks, later]
        for start in range(0, len(entries), step):
            bus.send(*entries[start : start + step])
        return bus.changes

    assert changes(size) == changes(7)
