"""Who opens, closes, releases and rolls back an initial load."""

from __future__ import annotations

import pytest

from creditbus.breaker.loads import Loads, reason_of
from creditbus.breaker.steps import Approval
from creditbus.core.breaker import HOLD, RELEASE, ROLL_BACK
from creditbus.core.loading import COMPLETE, OPEN, load_source

OWN = "150100-scjg"
SOURCE = load_source(OWN, "first")
OPENED = [(OPEN, "a"), (OPEN, "b")]
CLOSED = [*OPENED, (COMPLETE, OWN)]


def what_comes(*said: tuple[str, str]) -> list[str]:
    """The orders that follow, each obeyed as the log would."""
    loads, orders = Loads(), []
    for action, department in said:
        loads.approved(Approval(source=SOURCE, hold_id="", officer=department, action=action))
        for one in loads.due(0):
            loads.ordered(one.source, one.action)
            orders.append(one.action)
    return orders


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(OPEN, "a")], []),
        ([(OPEN, "a"), (OPEN, "a")], []),
        ([(OPEN, "a"), (OPEN, OWN)], []),
        (OPENED, [HOLD]),
        ([*OPENED, (COMPLETE, "a")], [HOLD]),
        (CLOSED, [HOLD, COMPLETE]),
        ([(COMPLETE, OWN), *OPENED], [HOLD]),
        ([*OPENED, (RELEASE, "a"), (RELEASE, "b"), (COMPLETE, OWN)], [HOLD, COMPLETE]),
        ([*CLOSED, (RELEASE, "a")], [HOLD, COMPLETE]),
        ([*CLOSED, (RELEASE, "a"), (RELEASE, OWN)], [HOLD, COMPLETE]),
        ([*CLOSED, (RELEASE, "a"), (ROLL_BACK, "b")], [HOLD, COMPLETE]),
        ([*CLOSED, (RELEASE, "a"), (RELEASE, "c")], [HOLD, COMPLETE, RELEASE]),
        ([*CLOSED, (ROLL_BACK, "a"), (ROLL_BACK, "c")], [HOLD, COMPLETE, ROLL_BACK]),
        ([*OPENED, (ROLL_BACK, "a"), (ROLL_BACK, "c"), (COMPLETE, OWN)], [HOLD, ROLL_BACK]),
        ([*CLOSED, (RELEASE, "a"), (RELEASE, "c"), *OPENED], [HOLD, COMPLETE, RELEASE]),
    ],
)
def test_two_officers_of_other_departments_open_and_end_a_load_which_its_own_closes(
    said: list[tuple[str, str]], expected: list[str]
) -> None:
    assert what_comes(*said) == expected


def test_the_log_says_who_it_was() -> None:
    loads = Loads()
    for _, officer in OPENED:
        loads.approved(Approval(source=SOURCE, hold_id="", officer=officer, action=OPEN))
    [opened] = loads.due(7)
    assert (opened.approved_by, reason_of(opened)) == (("a", "b"), "initial load opened by a and b")
    loads.ordered(SOURCE, HOLD)
    assert (loads.count(HOLD), list(loads.due(8))) == (1, [])
