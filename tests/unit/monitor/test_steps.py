"""Windows of counts and silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from creditbus.monitor.steps import (
    OTHER,
    Counts,
    Row,
    State,
    WindowPolicy,
    add,
    adopt,
    begin,
    last_window,
    silence_seconds,
)

POLICY = WindowPolicy(seconds=60, departments=frozenset({"market", "court"}))
NOW_MS = 1_790_000_000_000 - 1_790_000_000_000 % 60_000 + 30_000
MINUTE_MS = 60_000

counts = st.builds(Counts, **{name: st.integers(0, 1000) for name in Counts.__slots__})
departments = st.sampled_from(["market", "court", "made-up", ""])
near_rows = st.builds(Row, department=departments, at_ms=st.integers(NOW_MS - 89_999, NOW_MS + 89_999), counts=counts)
any_rows = st.builds(Row, department=departments, at_ms=st.integers(0, 2 * NOW_MS), counts=counts)


def counted(rows: Iterable[Row], now_ms: int = NOW_MS) -> State:
    return reduce(lambda state, row: add(state, row, POLICY, now_ms), rows, begin(POLICY, now_ms))


def total(parts: Iterable[Counts]) -> Counts:
    return sum(parts, Counts())


@given(st.lists(near_rows))
def test_every_row_near_now_is_counted_once(rows: list[Row]) -> None:
    state = counted(rows)
    windows = [number for window in state.windows.values() for number in window.values()]
    assert total(windows) == total(row.counts for row in rows)


@given(st.lists(near_rows, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: Random) -> None:
    shuffled: Sequence[Row] = random.sample(rows, len(rows))
    assert counted(shuffled) == counted(rows)


@given(st.lists(any_rows))
def test_memory_is_bounded_whatever_arrives(rows: list[Row]) -> None:
    state = counted(rows)
    assert len(state.windows) <= 3
    assert set(state.heard_ms) <= {"market", "court", OTHER}


@given(st.lists(any_rows), st.integers(0, 10**7))
def test_silence_is_never_negative_and_never_longer_than_the_monitor_runs(rows: list[Row], later_ms: int) -> None:
    silence = silence_seconds(counted(rows), NOW_MS + later_ms)
    assert all(seconds >= 0 for seconds in silence.values())
    assert all(silence[department] <= later_ms / 1000 for department in POLICY.departments)


def test_a_window_is_published_when_it_is_complete_and_once() -> None:
    state = counted([Row(department="market", at_ms=NOW_MS, counts=Counts(received=3, accepted=2, rejected=1))])
    assert last_window(state, POLICY, NOW_MS)["market"] == Counts()
    assert last_window(state, POLICY, NOW_MS + MINUTE_MS)["market"].received == 3
    assert last_window(state, POLICY, NOW_MS + 2 * MINUTE_MS)["market"] == Counts()


def test_a_department_that_sent_nothing_is_published_with_zeros_and_silence() -> None:
    state = begin(POLICY, NOW_MS)
    assert astuple(last_window(state, POLICY, NOW_MS)["court"]) == (0, 0, 0, 0, 0, 0)
    assert silence_seconds(state, NOW_MS + 5_000)["court"] == 5.0


def test_a_row_from_before_a_pause_tells_only_that_its_department_was_heard() -> None:
    state = counted([Row(department="elsewhere", at_ms=NOW_MS - 10 * MINUTE_MS, counts=Counts(received=9))])
    assert state.windows == {}
    assert silence_seconds(state, NOW_MS)[OTHER] == 600.0


def test_a_department_that_the_catalogue_does_not_name_shares_one_label() -> None:
    rows = [Row(department=name, at_ms=NOW_MS, counts=Counts(received=1)) for name in ("x", "y", "z")]
    state = counted(rows)
    assert last_window(state, POLICY, NOW_MS + MINUTE_MS)[OTHER].received == 3


def test_a_clock_that_is_ahead_does_not_hide_silence() -> None:
    state = counted([Row(department="market", at_ms=NOW_MS + 10**9, counts=Counts(received=1))])
    assert silence_seconds(state, NOW_MS + 7_000)["market"] == 7.0


@given(st.lists(near_rows))
def test_another_edition_keeps_the_counts_of_the_departments_that_stay(rows: list[Row]) -> None:
    state = counted(rows)
    policy = WindowPolicy(seconds=60, departments=frozenset({"market", "tax"}))
    after = adopt(state, policy, NOW_MS + MINUTE_MS)
    named = {"market", "tax", OTHER}
    assert last_window(after, policy, NOW_MS + MINUTE_MS) == {
        name: last_window(state, POLICY, NOW_MS + MINUTE_MS).get(name, Counts())
        for name in named
        if name in after.heard_ms
    }
    assert silence_seconds(after, NOW_MS + MINUTE_MS)["tax"] == 0
    assert set(after.heard_ms) <= named
