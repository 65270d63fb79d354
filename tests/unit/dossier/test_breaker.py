"""A source that lists far more than usual: new listings wait, lifts do not, and two officers let it go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY_MS, make_record, target_of
from creditbus.core.breaker import CALM, HOLD, RELEASE, ROLL_BACK, WATCH, SourceOrder, rule_for
from creditbus.core.records import ListingChange, MeasureOrder
from creditbus.dossier.steps import Edition, Entry, Tick
from intake_harness import rules
from partition import COURT_FACTS, Bus, a_bus, minutes

RULES = rules()
COURT = make_record("CourtEnforcement")
SOURCE = COURT.sender
REVOKED = make_record("Revocation", number="撤1", **target_of(COURT))
WATCHED = SourceOrder("a" * 32, WATCH, SOURCE)
HELD = SourceOrder("b" * 32, HOLD, SOURCE)
RELEASED = SourceOrder("c" * 32, RELEASE, SOURCE)
ROLLED_BACK = SourceOrder("9" * 32, ROLL_BACK, SOURCE)
HELD_AGAIN = SourceOrder("d" * 32, HOLD, SOURCE)
CALMED = SourceOrder("e" * 32, CALM, SOURCE)
[ROW] = RULES.breakers
WAIT_MINUTES = ROW.wait_seconds // 60


def a_court_bus() -> Bus:
    return a_bus((COURT, COURT_FACTS), (REVOKED, {}), rules=RULES)


def states(bus: Bus) -> list[str]:
    return [one.state for one in bus.emissions if isinstance(one, ListingChange)]


def test_every_source_has_a_band() -> None:
    assert rule_for(RULES, SOURCE) == ROW
    assert ROW.soft < ROW.hard


def test_a_listing_of_a_watched_source_takes_effect_when_its_wait_is_over() -> None:
    bus = a_court_bus()
    bus.send(WATCHED, COURT)
    assert (states(bus), bus.orders(), bus.alerts()) == (["WAITING"], [], [])
    assert bus.summary().grade != "D", "what has no effect keeps no grade down"
    bus.send(*minutes(1, WAIT_MINUTES - 1))
    assert bus.orders() == []
    bus.send(*minutes(WAIT_MINUTES, WAIT_MINUTES))
    assert states(bus) == ["WAITING", "LISTED"]
    assert bus.alerts() == ["DISHONEST_SUBJECT"]
    assert {action for action, _ in bus.orders()} == {"ORDER"}
    assert bus.summary().grade == "D"


def test_a_listing_of_a_held_source_waits_for_its_release_however_long_it_takes() -> None:
    bus = a_court_bus()
    bus.send(HELD, COURT, *minutes(1, 600))
    assert (states(bus), bus.orders(), bus.alerts()) == (["WAITING"], [], [])
    bus.send(RELEASED)
    orders = [one for one in bus.emissions if isinstance(one, MeasureOrder)]
    assert {(one.action, one.cause) for one in orders} == {("ORDER", "RELEASED")}
    assert states(bus) == ["WAITING", "LISTED"]
    assert bus.alerts() == ["DISHONEST_SUBJECT"]
    before = list(bus.emissions)
    bus.send(RELEASED, *minutes(601, 610))
    assert bus.emissions == before, "told once"


def test_a_source_that_is_held_while_its_listing_waits_keeps_it_waiting() -> None:
    bus = a_court_bus()
    bus.send(WATCHED, COURT, *minutes(1, 1), HELD, *minutes(2, 60))
    assert bus.orders() == []
    bus.send(RELEASED)
    assert len(bus.orders()) > 0


def test_a_second_hold_does_not_keep_what_the_first_release_let_go() -> None:
    bus = a_court_bus()
    bus.send(HELD, COURT, *minutes(1, 5), RELEASED, *minutes(6, 7), HELD_AGAIN, *minutes(8, 9))
    assert states(bus) == ["WAITING", "LISTED"]


@pytest.mark.parametrize("control", [WATCHED, HELD], ids=["watched", "held"])
def test_a_lift_is_never_delayed(control: SourceOrder) -> None:
    bus = a_court_bus()
    bus.send(COURT)
    ordered = len(bus.orders())
    bus.send(control, REVOKED)
    assert [action for action, _ in bus.orders()[ordered:]] == ["LIFT"] * ordered
    assert bus.alerts() == ["DISHONEST_SUBJECT", "CLEARED_SUBJECT"]


@pytest.mark.parametrize("control", [WATCHED, HELD], ids=["watched", "held"])
def test_a_listing_that_ends_while_it_waits_never_had_any_effect(control: SourceOrder) -> None:
    bus = a_court_bus()
    bus.send(control, COURT, REVOKED, *minutes(1, 10), RELEASED, *minutes(11, 20))
    assert states(bus) == ["WAITING", "REMOVED"]
    assert (bus.orders(), bus.alerts()) == ([], [])


def test_what_waits_of_a_source_that_is_rolled_back_never_takes_effect_and_can_be_sent_again() -> None:
    bus = a_court_bus()
    bus.send(HELD, COURT, *minutes(1, 5), ROLLED_BACK)
    assert states(bus) == ["WAITING", "REMOVED"]
    assert (bus.orders(), bus.alerts()) == ([], [])
    removed = [one for one in bus.emissions if isinstance(one, ListingChange)][-1]
    assert removed.cause == "ROLLED_BACK"
    assert [one.outcome for one in bus.changes if one.record_id == COURT.record_id] == ["RECORDED", "ROLLED_BACK"]

    again = make_record("CourtEnforcement", revision=2)
    bus = a_bus((COURT, COURT_FACTS), (again, COURT_FACTS), rules=RULES)
    bus.send(HELD, COURT, *minutes(1, 5), ROLLED_BACK, again)
    assert states(bus) == ["WAITING", "REMOVED", "LISTED"], "its source is not held any more"


def test_another_source_goes_on_undisturbed() -> None:
    bus = a_court_bus()
    bus.send(SourceOrder("f" * 32, HOLD, "another"), COURT)
    assert states(bus) == ["LISTED"]


def test_a_calm_source_lists_at_once_again_but_a_held_one_is_not_calmed() -> None:
    calm, held = a_court_bus(), a_court_bus()
    calm.send(WATCHED, CALMED, COURT)
    held.send(HELD, CALMED, COURT)
    assert (states(calm), states(held)) == (["LISTED"], ["WAITING"])


STORY: list[Entry] = [
    Edition(RULES.edition, 1), Tick(DAY_MS, DAY_MS), WATCHED, COURT, *minutes(1, 1), HELD, *minutes(2, 4), RELEASED,
    *minutes(5, 5), HELD_AGAIN, *minutes(6, 7), REVOKED, *minutes(8, 9),
]  # fmt: skip


@given(st.lists(st.integers(1, len(STORY) - 1), max_size=8, unique=True))
def test_the_same_log_gives_the_same_answer_whatever_the_batches(cuts: list[int]) -> None:
    whole, parts = (Bus({COURT.record_id: COURT_FACTS}, RULES) for _ in range(2))
    whole.send(*STORY)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(STORY)], strict=True):
        parts.send(*STORY[start:end])
    assert parts.emissions == whole.emissions
    assert parts.summary() == whole.summary()
