"""Counts, bands and approvals: when a source is watched, held and let go."""

from __future__ import annotations

from datetime import date

import pytest

from creditbus.breaker.steps import Approval, Breaker, Decision
from creditbus.core.breaker import CALM, HOLD, RELEASE, ROLL_BACK, WATCH
from creditbus.core.rules import BreakerRule, Span

RULE = BreakerRule(
    code="B", source="*", window_hours=1, soft=3, hard=6, wait_seconds=120, span=Span(since=date(2014, 1, 1))
)
HOUR_MS = 3_600_000
NOW = 100 * HOUR_MS


def a_breaker(listings: int = 0, at_ms: int = NOW - 1) -> Breaker:
    breaker = Breaker(lambda _: RULE)
    for number in range(listings):
        breaker.listed("court", f"{number}", at_ms)
    return breaker


def decide(breaker: Breaker, now_ms: int = NOW) -> list[str]:
    """What is due, obeyed as the log would."""
    due = list(breaker.due(now_ms))
    for one in due:
        breaker.ordered(one.source, one.action, one.control_id, one.at_ms)
    return [one.action for one in due]


def hold_of(breaker: Breaker) -> str:
    return breaker.sources["court"].control_id


@pytest.mark.parametrize(("listings", "expected"), [(3, []), (4, [WATCH]), (6, [WATCH]), (7, [HOLD])])
def test_a_source_is_watched_above_the_soft_band_and_held_above_the_hard_one(
    listings: int, expected: list[str]
) -> None:
    breaker = a_breaker(listings)
    assert decide(breaker) == expected
    assert decide(breaker) == [], "ordered once"


def test_a_listing_that_is_told_twice_counts_once() -> None:
    breaker = a_breaker(3)
    breaker.listed("court", "0", NOW)
    assert decide(breaker) == []


def test_a_watched_source_is_calm_again_when_the_window_has_passed_but_a_held_one_is_not() -> None:
    watched, held = a_breaker(4), a_breaker(7)
    decide(watched), decide(held)
    assert decide(watched, NOW + HOUR_MS) == [CALM]
    assert decide(held, NOW + HOUR_MS) == []


@pytest.mark.parametrize(
    ("officers", "expected"),
    [([], []), (["a"], []), (["a", "a"], []), (["a", "b"], [RELEASE])],
)
def test_only_two_different_officers_release_a_source(officers: list[str], expected: list[str]) -> None:
    breaker = a_breaker(7)
    decide(breaker)
    for officer in officers:
        breaker.approved(Approval(source="court", hold_id=hold_of(breaker), officer=officer))
    due: list[Decision] = list(breaker.due(NOW))
    assert [one.action for one in due] == expected
    assert [one.approved_by for one in due] == ([("a", "b")] if expected else [])


def test_two_officers_who_want_different_things_change_nothing_and_two_who_agree_roll_back() -> None:
    breaker = a_breaker(7)
    decide(breaker)
    hold = hold_of(breaker)
    breaker.approved(Approval(source="court", hold_id=hold, officer="a"))
    breaker.approved(Approval(source="court", hold_id=hold, officer="b", action=ROLL_BACK))
    assert decide(breaker) == []
    breaker.approved(Approval(source="court", hold_id=hold, officer="c", action=ROLL_BACK))
    [due] = breaker.due(NOW)
    assert (due.action, due.approved_by) == (ROLL_BACK, ("b", "c"))
    assert decide(breaker) == [ROLL_BACK]
    assert decide(breaker) == [], "the count begins anew"


def test_an_approval_counts_for_its_own_hold_only() -> None:
    breaker = a_breaker(7)
    decide(breaker)
    for officer in "ab":
        breaker.approved(Approval(source="court", hold_id="an earlier one", officer=officer))
    assert decide(breaker) == []


@pytest.mark.parametrize("listings_first", [True, False])
def test_after_a_release_the_count_begins_anew_in_whatever_order_the_log_is_read(listings_first: bool) -> None:
    breaker = a_breaker(7 if listings_first else 0, NOW - 10)
    breaker.ordered("court", HOLD, "h", NOW - 9)
    breaker.ordered("court", RELEASE, "r", NOW - 5)
    for number in range(0 if listings_first else 7):
        breaker.listed("court", f"{number}", NOW - 10)
    assert decide(breaker) == []
    for number in range(4):
        breaker.listed("court", f"new {number}", NOW - 1)
    assert decide(breaker) == [WATCH]
