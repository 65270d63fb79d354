"""When a jump of the clock may happen."""

from __future__ import annotations

from typing import Any

import pytest

from creditbus.clock.steps import waits_for_a_jump
from creditbus.lab.clock_jumps import ClockJump, note, refusal_of

_HOUR_MS = 3_600_000


def approval(officer: str, **changes: Any) -> dict[str, Any]:
    return {"jump_id": "j1", "since": 1_000, "until": 9_000, "officer": officer, "reason": "停运三周", **changes}


def approved(*officers: str) -> ClockJump:
    found: dict[str, ClockJump] = {}
    for officer in officers:
        note(found, "ClockJumpApproval", approval(officer))
    note(found, "EditionApproval", {"edition": "e", "officer": "150000-fgw"})
    (one,) = found.values()
    return one


@pytest.mark.parametrize(
    ("officers", "last", "now_ms", "why"),
    [
        (("150000-xxzx",), {0: 1_000}, 10_000, "two departments"),
        (("150000-xxzx", "150000-xxzx"), {0: 1_000}, 10_000, "two departments"),
        (("150000-xxzx", "150000-fgw"), {0: 1_000}, 8_000, "future"),
        (("150000-xxzx", "150000-fgw"), {0: 1_000, 1: 2_000}, 10_000, "time has gone on"),
        (("150000-xxzx", "150000-fgw"), {0: 1_000, 1: 500}, 10_000, ""),
    ],
)
def test_a_jump_happens_with_two_officers_and_from_where_it_was_approved(
    officers: tuple[str, ...], last: dict[int, int], now_ms: int, why: str
) -> None:
    refusal = refusal_of(approved(*officers), last, now_ms)
    assert (refusal is None) is (not why)
    assert refusal is None or (why in refusal.text.en and refusal.text.zh)


@pytest.mark.parametrize(
    ("stood_ms", "longest_ms", "waits"),
    [(_HOUR_MS, 0, False), (_HOUR_MS, _HOUR_MS, False), (_HOUR_MS + 1, _HOUR_MS, True)],
)
def test_a_clock_waits_for_a_jump_only_where_it_is_told_how_long_a_chain_may_be(
    stood_ms: int, longest_ms: int, waits: bool
) -> None:
    assert waits_for_a_jump(1_000, 1_000 + stood_ms, longest_ms) is waits
    assert not waits_for_a_jump(None, stood_ms, longest_ms)
