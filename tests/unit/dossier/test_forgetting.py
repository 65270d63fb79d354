"""A person is forgotten: what subscribers were told is withdrawn, everything is deleted, and nothing comes back."""

from __future__ import annotations

from typing import Any

from builders import DAY_MS, FIRM_KEY, make_record
from creditbus.core.identity import Forgotten
from creditbus.core.records import CreditRecord, ListingChange, MeasureOrder
from creditbus.dossier.steps import Tick
from creditbus.dossier.view import META, forgotten_key
from partition import COURT_FACTS, PENALTY, Bus, a_bus, ticks

TOKEN = "p:2:" + "ab" * 20
PERSON: dict[str, Any] = {
    "subject_key": TOKEN,
    "subject_kind": "NATURAL_PERSON",
    "subject_name": "虚*",
    "identifier": "",
}
ORDER = Forgotten("c" * 32, TOKEN, "asked for", "tester", DAY_MS)


def of_person(kind: str = "CourtEnforcement", number: str = "〔2026〕1号", **changes: Any) -> CreditRecord:
    return make_record(kind, number, sender="150000-gy", **{**PERSON, **changes})


def about(bus: Bus) -> set[bytes]:
    """Keys of the state that are about the person."""
    return {key for key, _ in bus.store.scan(b"", b"\xff", 1000) if TOKEN.encode() in key}


def a_person() -> tuple[Bus, CreditRecord]:
    listed = of_person()
    waiting = of_person("Repair", "〔2026〕2号", target_key="ab" * 16)
    bus = a_bus((listed, COURT_FACTS), (waiting, {"stage": "APPLIED"}))
    bus.send(listed, waiting)
    assert bus.summary(TOKEN).listings
    assert about(bus) > {b"s" + TOKEN.encode()}
    return bus, listed


def test_orders_are_lifted_and_nothing_is_left_but_the_mark() -> None:
    bus, _ = a_person()
    ordered = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "ORDER"}
    decided = bus.send(ORDER)
    lifted = {one.order_id for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "LIFT"}
    assert ordered == lifted != set()
    removed = [one for one in decided.emissions if isinstance(one, ListingChange)]
    assert [(one.state, one.cause) for one in removed] == [("REMOVED", "FORGOTTEN")]
    assert about(bus) == {forgotten_key(TOKEN)}
    assert decided.forgotten == [ORDER]


def test_no_deadline_and_no_late_record_brings_the_person_back() -> None:
    bus, listed = a_person()
    bus.send(ORDER)
    bus.send(*ticks(900))
    decided = bus.send(listed, of_person(number="〔2026〕3号"))
    assert decided.dropped == {"forgotten": 2}
    assert (decided.changes, decided.emissions) == ([], [])
    assert about(bus) == {forgotten_key(TOKEN)}


def test_records_around_the_order_in_one_batch_end_the_same() -> None:
    listed, after = of_person(), of_person(number="〔2026〕3号")
    at_once = a_bus((listed, COURT_FACTS), (after, COURT_FACTS))
    at_once.send(listed, ORDER, after, Tick(DAY_MS + 1, DAY_MS + 1))
    apart = a_bus((listed, COURT_FACTS), (after, COURT_FACTS))
    for entry in (listed, ORDER, after, Tick(DAY_MS + 1, DAY_MS + 1)):
        apart.send(entry)
    assert dict(at_once.store.scan(b"", b"\xff", 1000)) == dict(apart.store.scan(b"", b"\xff", 1000))
    assert about(apart) == {forgotten_key(TOKEN)}


def test_what_waits_in_quarantine_is_forgotten_too() -> None:
    bus, _ = a_person()
    bus.broken.add("〔2026〕9号")
    bus.send(of_person(number="〔2026〕9号"), of_person(number="〔2026〕10号"))
    assert bus.summary(TOKEN).is_parked
    decided = bus.send(ORDER)
    assert [one.value for one in decided.parked] == [None, None]
    assert about(bus) == {forgotten_key(TOKEN)}


def test_others_stay_as_they_are_and_organisations_are_not_forgotten() -> None:
    bus, _ = a_person()
    firm = make_record()
    bus._facts = {**bus._facts, firm.record_id: PENALTY}
    bus.send(firm)
    before = {key: value for key, value in bus.store.scan(b"", b"\xff", 1000) if FIRM_KEY.encode() in key}
    decided = bus.send(ORDER, Forgotten("d" * 32, FIRM_KEY, "no", "tester", DAY_MS), ORDER)
    after = {key: value for key, value in bus.store.scan(b"", b"\xff", 1000) if FIRM_KEY.encode() in key}
    assert after == before != {}
    assert decided.dropped == {"nothing-to-forget": 2}
    assert META in dict(bus.store.scan(b"", b"\xff", 1000))
