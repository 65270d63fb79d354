"""The registry is away while services start: they wait, say so, and go on by themselves. No crash loop."""

from __future__ import annotations

import os
import signal

import pytest

from creditbus.lab.state import read_state
from creditbus.lab.steps import Phase
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
PARTS = ("gateway", "intake", "dossier", "warehouse", "lookup")


def test_services_that_start_without_the_registry_wait_for_it_and_lose_nothing(running_lab: RunningLab) -> None:
    registry = running_lab.pid("registry")
    waits = {part: _waits(running_lab, part) for part in PARTS}
    os.kill(registry, signal.SIGSTOP)
    try:
        killed = {part: running_lab.pid(part) for part in PARTS}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        wait_until(
            "all are started again and wait", lambda: all(_waits(running_lab, part) > waits[part] for part in PARTS)
        )
        started = {part: running_lab.pid(part) for part in PARTS}
        again = {part: _waits(running_lab, part) for part in ("intake", "dossier", "warehouse")}
        wait_until("they go on waiting", lambda: all(_waits(running_lab, part) > again[part] for part in again))
    finally:
        os.kill(registry, signal.SIGCONT)
    assert not killed.items() & started.items()
    wait_until("all are ready", lambda: _are_ready(running_lab))
    running_lab.creditbus("simulate", "--events", "300", "--seed", "4711")
    assert [check["wrong"] for check in running_lab.verify() if check["wrong"]] == []
    assert {part: running_lab.pid(part) for part in PARTS} == started, "nobody ended meanwhile"


def _are_ready(lab: RunningLab) -> bool:
    state = read_state(lab.folder)
    return state is not None and all(part.phase is Phase.READY for part in state.processes)


def _waits(lab: RunningLab, part: str) -> int:
    """How often a part has said that the registry does not answer."""
    return (lab.folder / "logs" / f"{part}.log").read_text(encoding="utf-8").count("schema registry")
