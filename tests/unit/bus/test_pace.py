"""Batches that fit their time, and gauges that show a loop or a partition that does not move."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.lag import Lag
from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy, Pace

POLICY = BatchPolicy(max_messages=4_000, min_messages=50, target_seconds=0.5, every_seconds=0.1)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 100)), max_size=50))
def test_the_limit_stays_within_its_bounds(batches: list[tuple[int, float]]) -> None:
    pace = Pace(POLICY)
    for messages, seconds in batches:
        pace.took(messages, seconds)
        assert POLICY.min_messages <= pace.limit <= POLICY.max_messages


def test_slow_batches_shrink_until_they_fit_and_quick_ones_grow_again() -> None:
    pace = Pace(POLICY)
    for _ in range(10):
        pace.took(pace.limit, pace.limit * 0.001)  # a millisecond a message
    assert 450 <= pace.limit <= 500
    for _ in range(20):
        pace.took(pace.limit, 0.1)
    assert pace.limit == POLICY.max_messages


def test_a_small_batch_that_waited_for_messages_does_not_let_the_limit_grow() -> None:
    pace = Pace(POLICY)
    pace.took(4_000, 2.0)
    limit = pace.limit
    pace.took(1, 0.03)
    assert pace.limit == limit


def test_batches_come_at_their_interval_and_a_commit_counts_into_it() -> None:
    pace = Pace(POLICY)
    assert pace.wait(5.0) == 0, "the first one waits for nothing"
    pace.filled(5.0)
    assert pace.wait(5.0) == pytest.approx(0.1)
    assert pace.wait(5.06) == pytest.approx(0.04), "deciding and committing took 60 ms; what came meanwhile has waited"
    assert pace.wait(5.5) == 0, "nothing came for long: the first message goes at once"


def test_behind_a_full_batch_another_full_one_is_waited_for() -> None:
    pace = Pace(POLICY)
    pace.filled(5.0)
    pace.took(4_000, 0.4)
    assert pace.wait(5.4) == pytest.approx(0.1)
    pace.filled(5.5)
    pace.took(3_999, 0.4)
    assert pace.wait(5.9) == 0


def statistics(lag: int) -> str:
    partition = {"fetch_state": "active", "consumer_lag": lag}
    return orjson.dumps({"topics": {"t": {"partitions": {"0": partition}}}}).decode()


def gauge(metrics: Metrics, name: str) -> float:
    for line in metrics.exposition().decode().splitlines():
        if line.startswith(name):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no {name}")


def test_a_partition_with_messages_that_does_not_move_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    metrics = Metrics("test")
    lag = Lag(metrics)
    report = lag.config["stats_cb"]
    report(statistics(0))
    now += 60
    report(statistics(500))
    assert gauge(metrics, "creditbus_stalled_seconds") == 0
    now += 8
    report(statistics(600))
    assert gauge(metrics, "creditbus_stalled_seconds") == 8
    lag.saw("t", 0, 1)
    assert gauge(metrics, "creditbus_stalled_seconds") == 0
    now += 5
    assert gauge(metrics, "creditbus_loop_seconds") == 73
    lag.polled()
    assert gauge(metrics, "creditbus_loop_seconds") == 0
