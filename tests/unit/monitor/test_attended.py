"""Work that may hang is left behind when the process is told to stop, and not before."""

from __future__ import annotations

import threading
import time

import pytest

from creditbus.core.errors import ReconnectError
from creditbus.monitor.attended import attended


def test_work_that_ends_is_waited_for() -> None:
    done: list[str] = []
    attended(lambda: done.append("work"), lambda: False, 0)
    assert done == ["work"]


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise ReconnectError("Kafka is away")

    with pytest.raises(ReconnectError, match="away"):
        attended(work, lambda: False, 0)


def test_work_that_hangs_is_left_behind_once_a_stop_was_asked_for() -> None:
    never, told = threading.Event(), threading.Event()

    def hang() -> None:
        never.wait(60)

    threading.Timer(0.2, told.set).start()
    began = time.monotonic()
    attended(hang, told.is_set, 0.2)
    assert time.monotonic() - began < 30
    never.set()


def test_what_goes_wrong_while_it_stops_is_nobody_s_business() -> None:
    told = threading.Event()

    def work() -> None:
        told.wait(5)
        raise RuntimeError("closed twice")

    threading.Timer(0.1, told.set).start()
    attended(work, told.is_set, 5)
