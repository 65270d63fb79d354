"""Files of the local state are damaged: the process wipes it, says so, and has all of it back from the changelog."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from counting_job import Job
from waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.timeout(300)]


def garble(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def test_damaged_state_comes_back_from_the_changelog_and_nothing_is_lost_or_doubled(job: Job) -> None:
    job.start()
    job.send(20_000)
    assert job.wrongs() == []
    job.kill(0, signal.SIGTERM)
    manifests = sorted(job.folder.rglob("MANIFEST-*"))
    assert manifests
    garble(manifests[0])
    for table in manifests[-1].parent.glob("*.sst"):
        table.unlink()
    worker = job.start()
    job.send(20_000)
    assert job.wrongs() == [], "counts go on from where they were"
    assert worker.poll() is None
    assert "local state is damaged" in job.told()
    wait_until("the log tells of the remedy", lambda: "wiped; all of it is restored from the changelog" in job.told())
