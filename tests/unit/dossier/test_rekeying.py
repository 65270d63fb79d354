"""One subject under two keys: what is known follows the link, and a split gives everything back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.core.hashing import natural_key
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder, day_of
from creditbus.core.state import Summary
from creditbus.dossier.steps import Entry
from partition import COURT_FACTS, PENALTY, Bus, a_bus, ticks

OLD, NEW, THIRD = "MA0N12340", "MA0N99990", "MA0N77770"
Told = tuple[CreditRecord, Mapping[str, Any]]


def link(old: str, new: str, number: str = "并1", day: int = 0) -> Told:
    record = make_record(
        "IdentityLink", number, subject_key=old, linked_key=new, decided_on=day_of(DAY) + day, event_id=f"{number}{old}"
    )
    return record, {"reason": "MERGER"}


def split(of: CreditRecord, number: str = "分1") -> Told:
    record = make_record("IdentitySplit", number, subject_key=of.subject_key, **target_of(of))
    return record, {"target": target(of)}


def target(record: CreditRecord) -> dict[str, str]:
    return {
        "kind": record.kind,
        "authority": record.authority,
        "document_number": record.document_number,
        "item_number": record.item_number,
    }


def about(kind: str, number: str, of: CreditRecord, **facts: Any) -> Told:
    record = make_record(kind, number, subject_key=of.subject_key, **target_of(of))
    return record, {**facts, "target": target(of)}


def again(kind: str, number: str, of: CreditRecord, **facts: Any) -> Told:
    """A correction: it is about another fact."""
    record = make_record(kind, number, subject_key=of.subject_key, revision=2, **target_of(of))
    return record, {**facts, "target": target(of)}


def withdrawal(kind: str, number: str) -> Told:
    """The fact was reported about the wrong subject; as intake makes it, it says what the fact was told under."""
    record = make_record(kind, number, subject_key=OLD, op="WITHDRAW", revision=3)
    return msgspec.structs.replace(record, corrected=[record.authority, number, "", kind]), {}


COURT = make_record("CourtEnforcement", "执1", subject_key=OLD)
FINE = make_record(number="罚1", subject_key=OLD)
LINKED = link(OLD, NEW)
SPLIT = split(LINKED[0])
OWN = make_record(number="罚2", subject_key=NEW)
SAME = make_record(number="罚1", subject_key=NEW, event_id="the same decision by its new name", sender="150000-gy")
POOL: tuple[Told, ...] = (
    (COURT, COURT_FACTS),
    (FINE, PENALTY),
    (make_record(number="罚1", subject_key=OLD, revision=2), {**PENALTY, "severity": "GENERAL"}),
    about("Repair", "修1", FINE, stage="GRANTED"),
    about("Dispute", "异1", COURT, stage="FILED", outcome=None),
    (make_record("Honor", "荣1", subject_key=OLD), {"honor": "X", "valid_until": None}),
    (make_record("Registration", "登1", subject_key=OLD), {"former_identifiers": [], "status": "ACTIVE"}),
    (OWN, PENALTY),
    (SAME, PENALTY),
    (make_record("CourtEnforcement", "执2", subject_key=NEW), COURT_FACTS),
    (make_record("Registration", "登2", subject_key=NEW, subject_name="新"), {"former_identifiers": []}),
    about("Revocation", "撤2", OWN, reason="x"),
    again("Dispute", "异1", FINE, stage="FILED", outcome=None),
    about("Repair", "屏1", COURT, stage="SHIELDED"),
    again("Repair", "屏1", FINE, stage="SHIELDED"),
    withdrawal("Dispute", "异1"),
    about("Dispute", "异9", make_record(number="罚1", subject_key=NEW), stage="FILED", outcome=None),
)
EVERYTHING = (*POOL, LINKED, SPLIT, link(NEW, THIRD, "并2"), link(NEW, OLD, "并3", day=1))
ONE_SENDER_EACH = [place for place, (record, _) in enumerate(EVERYTHING) if record is not SAME]
"""Whose record tells a decision that two departments send is whose comes first."""
REGISTRATIONS = (6, 10)
PARTS = st.lists(st.sampled_from([one for one in range(len(POOL)) if one not in REGISTRATIONS]), unique=True)


def send(bus: Bus, *entries: Entry) -> None:
    """Send entries, then the copies that they lead to, as the log would bring them."""
    bus.send(*entries)
    rounds = 0
    while bus.moved:
        copies, bus.moved = bus.moved, []
        bus._facts = {**bus._facts}
        bus.send(*copies)
        rounds += 1
        assert rounds < 30, "copies go round in circles"


def a_world(*more: Told) -> Bus:
    return a_bus(*EVERYTHING, *more)


def state_of(summary: Summary) -> dict[str, Any]:
    """What is true of a subject, but for ids of messages, how it came to be, and who waits for an answer."""
    if summary.redirect:
        return {
            "redirect": summary.redirect
        }  # what it laid by depends on what came before the link, and shows after it
    if not summary.name and not summary.held:
        return {}  # nothing is on file: whether something ever was makes no difference
    fields = dict(zip(Summary.__struct_fields__, msgspec.to_builtins(summary), strict=False))
    for name in ("version", "links", "linked", "is_lent", "terms", "answers", "timer", "receipt", "scored_on"):
        del fields[name]
    fields["counts"] = {kind: n for kind, n in summary.counts.items() if not kind.startswith("Identity")}
    fields["listings"] = sorted((one.list_code, one.natural_key, one.until, one.disputed) for one in summary.listings)
    fields["incentives"] = sorted((one.natural_key, one.is_offered) for one in summary.incentives)
    fields["entries"] = sorted(msgspec.to_builtins(one) for one in summary.entries)
    fields["aliases"], fields["held"] = sorted(summary.aliases), sorted(summary.held)
    return fields


def open_orders(bus: Bus, key: str) -> set[str]:
    """Orders that subscribers apply, as the messages told them."""
    found: dict[str, str] = {}
    for one in bus.emissions:
        if isinstance(one, MeasureOrder) and one.subject_key == key:
            found[one.order_id] = one.action
    return {order for order, action in found.items() if action != "LIFT"}


def test_a_link_moves_what_is_known_and_subscribers_stop_and_begin() -> None:
    bus = a_world()
    send(bus, COURT, FINE, OWN)
    assert (len(open_orders(bus, OLD)), len(open_orders(bus, NEW))) == (2, 0)
    send(bus, LINKED[0])
    old, new = bus.summary(OLD), bus.summary(NEW)
    assert (old.redirect, old.listings, old.entries, old.score) == (NEW, [], [], None)
    assert sorted(one.document_number for one in new.entries) == ["罚1", "罚2"]
    assert [one.list_code for one in new.listings] == ["L01"]
    assert (len(open_orders(bus, OLD)), len(open_orders(bus, NEW))) == (0, 2)
    lifts = [one for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "LIFT"]
    assert {one.cause for one in lifts} == {"IDENTITY"}
    assert not [one for one in bus.emissions if isinstance(one, Alert) and one.kind == "CLEARED_SUBJECT"]
    assert [one.key for one in new.linked] == [OLD]


def test_copies_keep_their_record_id_and_say_where_they_come_from() -> None:
    bus = a_world()
    bus.send(COURT, LINKED[0])
    assert [(one.record_id, one.subject_key, one.rekeyed_from) for one in bus.moved] == [
        (LINKED[0].record_id, NEW, [OLD]),
        (COURT.record_id, NEW, [OLD]),
    ]
    assert bus.moved[1].natural_key == natural_key(COURT.authority, "执1", "", NEW, "CourtEnforcement")
    assert {one.rekeyed_by for one in bus.moved} == {LINKED[0].record_id}


def test_what_arrives_for_the_old_key_goes_on_once_and_finds_what_it_is_about() -> None:
    bus = a_world()
    send(bus, FINE, LINKED[0])
    repair, _ = POOL[3]
    send(bus, repair, repair, COURT)
    assert bus.outcomes.count("FORWARDED") == 2
    assert bus.summary(NEW).entries == [], "the repair reached the fine under its new key"
    assert [one.list_code for one in bus.summary(NEW).listings] == ["L01"]


def test_the_same_decision_under_both_keys_counts_once() -> None:
    bus = a_world()
    send(bus, FINE, SAME, LINKED[0])
    assert len(bus.summary(NEW).entries) == 1
    send(bus, SPLIT[0])
    assert len(bus.summary(NEW).entries) == len(bus.summary(OLD).entries) == 1


@given(before=PARTS, after=PARTS)
@settings(max_examples=80, deadline=None)
def test_link_then_split_gives_back_the_same_states(before: list[int], after: list[int]) -> None:
    after = [one for one in after if one not in before]
    plain, linked = a_world(), a_world()
    for bus in (plain, linked):
        send(bus, *(POOL[one][0] for one in REGISTRATIONS))  # a link is a record itself: its subjects are known by it
    send(plain, *(POOL[one][0] for one in before))
    send(linked, *(POOL[one][0] for one in before))
    send(linked, LINKED[0])
    for one in after:
        send(plain, POOL[one][0])
        send(linked, POOL[one][0])
    send(linked, SPLIT[0])
    for key in (OLD, NEW):
        assert state_of(linked.summary(key)) == state_of(plain.summary(key))
        assert len(open_orders(linked, key)) == len(open_orders(plain, key))


@given(story=st.lists(st.sampled_from(ONE_SENDER_EACH), unique=True, min_size=2), data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_order_of_delivery_between_two_ticks_gives_the_same_states(story: list[int], data: st.DataObject) -> None:
    one, two = a_world(), a_world()
    for place in story:
        send(one, EVERYTHING[place][0])
    for place in data.draw(st.permutations(story)):
        send(two, EVERYTHING[place][0])
    for key in (OLD, NEW, THIRD):
        assert state_of(one.summary(key)) == state_of(two.summary(key)), key


@given(story=st.lists(st.sampled_from(range(len(EVERYTHING))), unique=True))
@settings(max_examples=6, deadline=None)
def test_every_order_is_lifted_in_the_end(story: list[int]) -> None:
    bus = a_world()
    for place in story:
        send(bus, EVERYTHING[place][0])
    send(bus, *ticks(900))
    for key in (OLD, NEW, THIRD):
        assert open_orders(bus, key) == set()


def test_time_goes_on_while_linked_and_what_ended_meanwhile_has_ended_after_the_split() -> None:
    bus = a_world()
    send(bus, COURT, FINE, OWN, LINKED[0])
    send(bus, *ticks(900))
    assert bus.summary(NEW).listings == []
    send(bus, SPLIT[0])
    send(bus, *ticks(902)[-2:])
    assert bus.summary(OLD).listings == []
    assert open_orders(bus, OLD) == open_orders(bus, NEW) == set()


def test_links_in_a_circle_leave_one_open_and_lose_nobody() -> None:
    back = link(NEW, OLD, "并3", day=1)
    for first, second in ((LINKED, back), (back, LINKED)):
        bus = a_world()
        send(bus, COURT, OWN, first[0], second[0])
        assert (bus.summary(OLD).redirect, bus.summary(NEW).redirect) == ("", OLD), "the later decision holds"
        assert len(bus.summary(OLD).entries) == 1
        assert len(bus.summary(OLD).listings) == 1


def test_a_chain_carries_on_and_a_split_in_the_middle_takes_only_its_own_back() -> None:
    onward = link(NEW, THIRD, "并2")
    back = split(onward[0], "分2")
    bus = a_world(back)
    send(bus, COURT, OWN, LINKED[0], onward[0])
    assert [len(bus.summary(key).listings) for key in (OLD, NEW, THIRD)] == [0, 0, 1]
    send(bus, SPLIT[0])
    assert [len(bus.summary(key).listings) for key in (OLD, NEW, THIRD)] == [1, 0, 0]
    assert [len(bus.summary(key).entries) for key in (OLD, NEW, THIRD)] == [0, 0, 1]
    send(bus, back[0])
    assert [len(bus.summary(key).entries) for key in (OLD, NEW, THIRD)] == [0, 1, 0]
    assert (bus.summary(NEW).redirect, bus.summary(NEW).linked) == ("", [])


def test_a_link_that_is_revoked_or_corrected_is_taken_back_too() -> None:
    elsewhere = msgspec.structs.replace(
        make_record("IdentityLink", "并1", subject_key=OLD, linked_key=THIRD, event_id=LINKED[0].event_id, revision=2)
    )
    revoked = about("Revocation", "撤9", LINKED[0], reason="x")
    bus = a_world((elsewhere, {"reason": "MERGER"}), revoked)
    send(bus, FINE, LINKED[0], elsewhere)
    assert bus.summary(OLD).redirect == THIRD
    assert (len(bus.summary(NEW).entries), len(bus.summary(THIRD).entries)) == (0, 1)
    send(bus, revoked[0])
    assert bus.summary(OLD).redirect == ""
    assert [len(bus.summary(key).entries) for key in (OLD, NEW, THIRD)] == [1, 0, 0]


def test_a_split_before_its_link_leaves_everything_where_it_is() -> None:
    bus = a_world()
    send(bus, FINE, SPLIT[0], LINKED[0])
    assert bus.summary(OLD).redirect == ""
    assert bus.moved == []
    assert not [one for one in bus.emissions if isinstance(one, ListingChange)]


def test_batches_do_not_show_in_the_states() -> None:
    records = [COURT, FINE, OWN, SAME, LINKED[0]]
    at_once, apart = a_world(), a_world()
    send(at_once, *records)
    for record in records:
        send(apart, record)
    for key in (OLD, NEW):
        assert state_of(at_once.summary(key)) == state_of(apart.summary(key))
    assert DAY_MS


@given(story=st.permutations(range(len(EVERYTHING))), size=st.integers(1, len(EVERYTHING)))
@settings(max_examples=80, deadline=None)
def test_what_was_told_of_the_records_says_which_are_in_force(story: list[int], size: int) -> None:
    bus = a_world()
    for place in story[:size]:
        send(bus, EVERYTHING[place][0])
    for key in (OLD, NEW, THIRD):
        summary = bus.summary(key)
        if not summary.redirect:
            # of one record the warehouse has the last row, and shows a copy as long as its key leads here
            rows = {one.record_id: one for one in bus.log if isinstance(one, CreditRecord) and one.subject_key == key}
            leading = {one.key for one in summary.linked}
            strangers = {one.record_id for one in rows.values() if not leading.issuperset(one.rekeyed_from)}
            assert bus.told_in_force(key) == bus.told_in_force(key) - strangers == bus.active(key), key
