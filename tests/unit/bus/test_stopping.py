"""A stop that a signal asks for is seen at any moment, by every thread that waits for it."""

from __future__ import annotations

import subprocess
import sys
import threading

from creditbus.bus.stopping import StopRequest

_UNDER_A_STORM_OF_SIGNALS = """
import signal
from creditbus.bus.stopping import StopRequest
request = StopRequest()
made = 0
def handle(*_):
    global made
    made += 1
    request.make()
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
while made < 2000:
    request = StopRequest()
    request.wait(0.00001)
signal.setitimer(signal.ITIMER_REAL, 0)
print("ended")
"""


def test_a_signal_at_any_moment_of_a_wait_is_survived() -> None:
    """With threading.Event the handler waits, within 2,000 signals, for the lock that its own thread holds."""
    done = subprocess.run(
        (sys.executable, "-c", _UNDER_A_STORM_OF_SIGNALS), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ended\n", done.stderr


def test_all_who_wait_are_told_and_it_stays_told() -> None:
    request = StopRequest()
    told: list[bool] = []
    waiting = [threading.Thread(target=lambda: told.append(request.wait(60))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert not request.is_made()
    request.make()
    request.make()
    for thread in waiting:
        thread.join(60)
    assert told == [True, True, True]
    assert request.is_made()
    assert request.wait()


def test_a_wait_ends_with_its_time() -> None:
    assert not StopRequest().wait(0.001)
