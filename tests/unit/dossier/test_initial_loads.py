"""An initial load builds dossiers and nothing else until two officers release it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY_MS, make_record, target_of
from creditbus.core.breaker import HOLD, RELEASE, ROLL_BACK, SourceOrder
from creditbus.core.loading import COMPLETE, load_source
from creditbus.core.records import ListingChange, MeasureOrder
from creditbus.dossier.steps import Entry, Tick
from creditbus.dossier.view import as_written_now
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus, minutes, ticks

RULES = rules()
LOADED: dict[str, Any] = {"load_id": "first"}
COURT = make_record("CourtEnforcement", **LOADED)
LIVE_COURT = make_record("CourtEnforcement", number="执2")
FINE = make_record("Penalty", number="罚1", **LOADED)
HONOUR = make_record("Honor", number="表1", **LOADED)
HONOUR_FACTS = {"honor": next(iter(RULES.deserving)), "valid_until": None, "granted_on": date(2026, 1, 1)}
DISPUTE = make_record("Dispute", number="异1", **LOADED, **target_of(COURT))
DECISION = make_record("Dispute", number="异2", **LOADED, **target_of(COURT))
REVOKED = make_record("Revocation", number="撤1", **LOADED, **target_of(COURT))
SOURCE = load_source(COURT.sender, "first")
OPENED = SourceOrder("a" * 32, HOLD, SOURCE)
COMPLETED = SourceOrder("b" * 32, COMPLETE, SOURCE)
RELEASED = SourceOrder("c" * 32, RELEASE, SOURCE)
ROLLED_BACK = SourceOrder("d" * 32, ROLL_BACK, SOURCE)


def a_loading_bus() -> Bus:
    bus = a_bus(
        (COURT, COURT_FACTS),
        (LIVE_COURT, COURT_FACTS),
        (FINE, PENALTY),
        (HONOUR, HONOUR_FACTS),
        (DISPUTE, {"stage": "FILED"}),
        (DECISION, {"stage": "DECIDED", "outcome": "REJECTED"}),
        (REVOKED, {}),
        rules=RULES,
    )
    bus.send(OPENED)
    return bus


def states(bus: Bus) -> list[tuple[str, str]]:
    return [(one.state, one.cause) for one in bus.emissions if isinstance(one, ListingChange)]


def test_a_load_tells_nobody_anything_but_that_listings_wait() -> None:
    bus = a_loading_bus()
    bus.send(*minutes(1, 1), FINE, COURT, HONOUR, *minutes(2, 30), COMPLETED, *minutes(31, 60))
    assert states(bus) == [("WAITING", "LOAD")]
    assert (bus.orders(), bus.alerts()) == ([], [])
    summary = bus.summary()
    assert summary.counts == {"Penalty": 1, "CourtEnforcement": 1, "Honor": 1}, "the dossier is built"
    assert (summary.is_listed, summary.is_severely_listed) == (False, False)


def test_a_release_brings_listings_and_their_orders_without_an_alert_of_anything_new() -> None:
    bus = a_loading_bus()
    bus.send(FINE, COURT, *minutes(1, 30), COMPLETED, *minutes(31, 32), RELEASED, *minutes(33, 33))
    assert states(bus) == [("WAITING", "LOAD"), ("LISTED", "LOADED")]
    assert {action for action, _ in bus.orders()} == {"ORDER"}
    assert bus.alerts() == []
    assert bus.summary().grade == "D"
    before = list(bus.emissions)
    bus.send(RELEASED, *minutes(34, 60))
    assert bus.emissions == before, "told once"


def test_offers_wait_too_and_are_made_at_the_release() -> None:
    bus = a_loading_bus()
    bus.send(HONOUR, *minutes(1, 5))
    assert bus.orders() == []
    bus.send(RELEASED, *minutes(6, 6))
    offers = [one for one in bus.emissions if isinstance(one, MeasureOrder)]
    assert {(one.action, one.cause) for one in offers} == {("ORDER", "LOADED")}


def test_what_is_rolled_back_never_takes_effect_and_lifts_nothing() -> None:
    bus = a_loading_bus()
    bus.send(COURT, HONOUR, *minutes(1, 5), ROLLED_BACK, *minutes(6, 9))
    assert states(bus) == [("WAITING", "LOAD"), ("REMOVED", "ROLLED_BACK")]
    assert (bus.orders(), bus.alerts()) == ([], [])
    assert bus.summary().on_hold == []


def test_what_comes_after_a_roll_back_never_takes_effect_either() -> None:
    """It was parked until then, or the mirror of its region was behind."""
    bus = a_loading_bus()
    bus.send(*minutes(1, 5), ROLLED_BACK, *minutes(6, 9), COURT, HONOUR, *minutes(10, 12))
    assert states(bus) == [("WAITING", "LOAD"), ("REMOVED", "ROLLED_BACK")]
    assert (bus.orders(), bus.alerts()) == ([], [])
    assert bus.summary().on_hold == []


def test_what_comes_after_a_release_takes_effect_as_quietly_as_the_others() -> None:
    bus = a_loading_bus()
    bus.send(*minutes(1, 5), RELEASED, *minutes(6, 9), COURT, *minutes(10, 12))
    assert states(bus) == [("WAITING", "LOAD"), ("LISTED", "LOADED")]
    assert {action for action, _ in bus.orders()} == {"ORDER"}
    assert bus.alerts() == []


def test_what_ended_before_the_release_has_no_effect() -> None:
    bus = a_loading_bus()
    bus.send(COURT, REVOKED, *minutes(1, 5), RELEASED, *minutes(6, 9))
    assert states(bus) == [("WAITING", "LOAD"), ("REMOVED", "REVOKED")]
    assert bus.orders() == []


def test_nobody_is_reminded_of_an_old_dispute_before_the_load_is_released() -> None:
    bus = a_loading_bus()
    bus.send(COURT, DISPUTE, *ticks(60))
    assert bus.alerts() == []
    start = DAY_MS + 60 * DAY_LENGTH
    bus.send(DECISION, RELEASED, *(Tick(at, at) for at in range(start, start + 9 * DAY_LENGTH, 600_000)))
    assert "DISPUTE_OVERDUE" not in bus.alerts()


def test_a_dispute_that_the_load_leaves_open_is_due_on_the_day_of_the_release_at_the_earliest() -> None:
    bus = a_loading_bus()
    bus.send(COURT, DISPUTE, *ticks(60))
    start = DAY_MS + 60 * DAY_LENGTH
    bus.send(RELEASED, Tick(start + 600_000, start + 600_000))
    assert bus.alerts() == []
    bus.send(*(Tick(at, at) for at in range(start + 1_200_000, start + 2 * DAY_LENGTH, 600_000)))
    assert "DISPUTE_OVERDUE" in bus.alerts()


def test_what_comes_meanwhile_without_the_load_s_id_takes_effect_at_once() -> None:
    bus = a_loading_bus()
    bus.send(COURT, LIVE_COURT)
    assert states(bus) == [("WAITING", "LOAD"), ("LISTED", "DECIDED")]
    assert bus.alerts() == ["DISHONEST_SUBJECT"]


def test_state_of_before_there_were_loads_is_the_same_as_a_replay_makes_now() -> None:
    """Listings had fewer fields: every subject that nothing has touched since differed from its replay."""
    bus = a_loading_bus()
    bus.send(LIVE_COURT, FINE)
    now = dict(bus.store.scan(b"", b"\xff", 1_000))
    [key] = [key for key in now if key.startswith(b"s")]
    summary = msgspec.msgpack.decode(now[key])
    for listing in summary[8]:
        assert listing.pop() == "", "the load that it came with"
    before = {**now, key: msgspec.msgpack.encode(summary)}
    assert before != now
    assert as_written_now(before) == as_written_now(now) == now


def test_an_id_that_nobody_opened_holds_nothing() -> None:
    bus = a_bus((COURT, COURT_FACTS), rules=RULES)
    bus.send(COURT)
    assert states(bus) == [("LISTED", "DECIDED")]


@given(st.data())
def test_where_batches_end_changes_nothing(data: st.DataObject) -> None:
    log: list[Entry] = [
        FINE, COURT, *minutes(1, 2), HONOUR, DISPUTE, *minutes(3, 4), COMPLETED, LIVE_COURT, RELEASED, *minutes(5, 6)
    ]  # fmt: skip
    whole, cut = a_loading_bus(), a_loading_bus()
    whole.send(*log)
    places = sorted(data.draw(st.sets(st.integers(1, len(log) - 1), max_size=5)))
    for start, end in zip([0, *places], [*places, len(log)], strict=True):
        cut.send(*log[start:end])
    assert _ids(cut) == _ids(whole)
    assert cut.summary() == whole.summary()


def _ids(bus: Bus) -> list[str]:
    return sorted(repr(one) for one in bus.emissions)
