"""The transactional loop under kill -9, zombies and rebalances: nothing lost, nothing twice, in order.

The oracle is a ledger of what was sent and a single-threaded count; broken variants prove that it can see. Seeds are
printed; CREDITBUS_TEST_SEED replays one, CREDITBUS_TEST_PROFILE=exhaustive (``make chaos``) runs long.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from counting_job import Job
from counting_worker import STEPS
from creditbus.lab import kafka
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.process import running

pytestmark = [pytest.mark.chaos, pytest.mark.integration, pytest.mark.timeout(900)]
IS_LONG = os.environ.get("CREDITBUS_TEST_PROFILE") == "exhaustive"
SESSION_TIMEOUT_SECONDS = 6.0


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("CREDITBUS_TEST_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}: CREDITBUS_TEST_SEED={seed} runs this again")
    return random.Random(seed)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_any_step_twice_in_a_row_loses_and_doubles_nothing(job: Job, step: str) -> None:
    job.send(3_000)
    for batch in (3, 1):  # the second dies within the transaction timeout of the first
        assert job.start(die_at=step, die_in_batch=batch).wait(60) == -signal.SIGKILL
    job.start()
    assert job.wrongs() == []


def test_a_killed_process_that_loses_its_disk_restores_from_the_changelog(job: Job) -> None:
    job.send(3_000)
    assert job.start(die_at="after commit", die_in_batch=4).wait(60) == -signal.SIGKILL
    shutil.rmtree(job.folder / "0")
    job.start()
    assert job.wrongs() == []


@pytest.mark.parametrize("broken", ["store-first", "offsets-outside"])
def test_the_oracle_sees_a_variant_that_is_broken(job: Job, broken: str) -> None:
    """State written before the commit doubles, offsets committed outside the transaction lose."""
    job.send(3_000)
    step = "after offsets"
    assert job.start(die_at=step, die_in_batch=4, broken=broken).wait(60) == -signal.SIGKILL
    job.start()
    assert job.wrongs(seconds=15) != []


def test_two_processes_killed_at_random_share_the_work_exactly_once(job: Job, chance: random.Random) -> None:
    kills = 60 if IS_LONG else 6
    sending = job.sending(4_000 * kills // 3, rate=2_500)
    for slot in (0, 1):
        job.start(slot)
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.5))  # the moment of a crash is chance, not a condition to wait for
        slot = chance.randrange(2)
        job.kill(slot)
        job.start(slot)
    sending.join()
    assert job.wrongs() == []


def test_a_zombie_that_wakes_after_its_partitions_were_taken_over_writes_nothing(job: Job) -> None:
    job.send(1_000)
    zombie = job.start(0)
    sending = job.sending(20_000, rate=1_500)
    time.sleep(3)
    zombie.send_signal(signal.SIGSTOP)
    job.start(1)
    time.sleep(SESSION_TIMEOUT_SECONDS + 3)  # the group gives its partitions to the other
    zombie.send_signal(signal.SIGCONT)
    sending.join()
    assert job.wrongs() == []


def test_members_that_come_and_go_all_the_time_lose_and_double_nothing(job: Job, chance: random.Random) -> None:
    seconds = 60 if IS_LONG else 12
    job.start(0)
    sending = job.sending(1_000 * seconds, rate=1_000)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        slot = chance.choice((1, 2))
        job.start(slot)
        time.sleep(2)
        job.kill(slot, chance.choice((signal.SIGTERM, signal.SIGKILL)))
    sending.join()
    assert job.wrongs() == []


def test_a_broker_killed_and_started_again_loses_nothing(
    lab_artifacts: Artifacts, free_port: Callable[[], int], tmp_path: Path, unique_name: Callable[[str], str]
) -> None:
    node = kafka.KafkaNode(folder=tmp_path / "kafka", port=free_port(), controller_port=free_port())
    (tmp_path / "kafka").mkdir()
    log = tmp_path / "kafka.log"
    command = kafka.kafka_process(node, lab_artifacts)
    with running(command, log) as broker:
        job = Job(node.brokers, unique_name("chaos"), tmp_path)
        try:
            job.start()
            job.send(4_000)
            broker.kill()
            broker.wait(30)
            with running(command, log):
                job.send(4_000)
                assert job.wrongs() == []
                assert job.workers[0].poll() is None, "the worker waited and went on; it did not end"
        finally:
            job.close()
