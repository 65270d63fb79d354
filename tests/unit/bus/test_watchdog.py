"""A call that never returns ends the process; one that returns in time is left alone."""

from __future__ import annotations

import subprocess
import sys
import threading

from creditbus.bus.watchdog import Watchdog

HANGING = """
import time
from creditbus.bus.logs import configure_logging
from creditbus.bus.watchdog import Watchdog
configure_logging("dossier")
with Watchdog().during("committing a transaction", 0.2):
    time.sleep(60)
"""


def test_a_call_that_never_returns_ends_the_process_and_says_so() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "committing a transaction" in done.stderr
    assert "never returned" in done.stderr


def test_calls_that_return_are_left_alone_and_only_the_hanging_one_is_told_of() -> None:
    told: list[str] = []
    gave_up = threading.Event()

    def give_up(doing: str, _: float) -> None:
        told.append(doing)
        gave_up.set()

    watchdog = Watchdog(give_up)
    for _ in range(100):
        with watchdog.during("quick", 0.3):
            pass
    with watchdog.during("slow", 0.3):
        assert gave_up.wait(10)
    watchdog.close()
    assert told == ["slow"]
