"""kill -9 in mid-stream: whatever is killed, every event counts exactly once afterwards.

The short form runs with every test run; CREDITBUS_TEST_PROFILE=exhaustive (``make chaos``) sends more and kills more.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from running_lab import RunningLab

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(1800)]
IS_LONG = os.environ.get("CREDITBUS_TEST_PROFILE") == "exhaustive"
EVENTS = 200_000 if IS_LONG else 12_000
KILLS = 40 if IS_LONG else 6
VICTIMS = ("intake", "dossier", "warehouse")


def test_nothing_is_lost_or_doubled_when_services_are_killed_in_mid_stream(running_lab: RunningLab) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    command = [sys.executable, "-m", "creditbus", "simulate", "--events", str(EVENTS), "--seed", str(seed)]
    with subprocess.Popen([*command, "--via", "kafka"], env=running_lab.environment) as sender:
        for number in range(KILLS):
            time.sleep(chance.uniform(0.3, 1.5))  # the moment of a crash is chance, not a condition to wait for
            running_lab.kill(VICTIMS[number % len(VICTIMS)])
        assert sender.wait(600) == 0
    report = running_lab.verify()
    assert [check["wrong"] for check in report] == [[]] * len(report)
    assert report[0]["compared"] >= EVENTS
