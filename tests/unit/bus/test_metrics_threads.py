"""Metrics that several threads use for the first time at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from creditbus.bus.metrics import Metrics

THREADS, ROUNDS = 8, 50


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_that_use_a_metric_for_the_first_time_at_once_share_it() -> None:
    """Two of them made it both, and the second was told that the name is taken."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(ROUNDS):
            metrics, together = Metrics("test"), Barrier(THREADS)

            def use(metrics: Metrics = metrics, together: Barrier = together) -> None:
                together.wait()
                metrics.count("creditbus_transactions_total", result="committed")
                metrics.observe("creditbus_commit_seconds", 0.1)

            for one in [pool.submit(use) for _ in range(THREADS)]:
                one.result()
            assert f'service="test"}} {THREADS}.0' in metrics.exposition().decode()
