"""What an operator does about a record that cannot be applied, and the same answer from the same log."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config
from running_lab import RUBBISH, RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
SUBJECT = "MA0QUARANT"


def put_garbage(lab: RunningLab) -> None:
    """Bytes on credit.records that are no record, as a broken writer would leave them."""
    producer = Producer(producer_config(f"127.0.0.1:{lab.port('kafka')}"))
    producer.produce("credit.records", b"\x00\x00\x00\x00\x01" + RUBBISH, SUBJECT.encode())
    assert producer.flush(15) == 0


def test_garbage_on_the_log_is_parked_dropped_and_leaves_the_replay_the_same(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    put_garbage(running_lab)
    wait_until("the record to be parked", lambda: SUBJECT in running_lab.creditbus("quarantine", "list"))
    running_lab.creditbus("scenario", "hohhot")  # everybody else flows on

    told = running_lab.creditbus("quarantine", "show", SUBJECT)
    assert "UnknownSchemaError" in told or "NotAvroError" in told
    (waiting,) = [one for one in running_lab.told("quarantine", "list") if one["subject_key"] == SUBJECT]
    assert waiting["cause"] == running_lab.told("quarantine", "show", SUBJECT)["records"][0]
    running_lab.creditbus("quarantine", "redrive", SUBJECT, "--reason", "try again", "--yes")
    assert SUBJECT in running_lab.creditbus("quarantine", "list")

    record = waiting["cause"]["record_id"]
    assert record in told
    told = running_lab.creditbus("quarantine", "drop", SUBJECT, record, "--reason", "no record", "--yes")
    assert "still waiting" in told
    wait_until("the queue to be empty", lambda: SUBJECT not in running_lab.creditbus("quarantine", "list"))

    report = running_lab.told("replay", "--into", str(tmp_path / "sandbox"))
    assert [one["is_same"] for one in report] == [True] * 4
    assert sum(one["messages"] for one in report) > 8


def test_a_replay_on_four_processes_gives_the_same_bytes_and_refuses_a_full_folder(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    folder = str(tmp_path / "sandbox")
    report = running_lab.told("replay", "--into", folder, "--processes", "4")
    assert all(one["is_same"] for one in report)
    assert "is not empty" in running_lab.creditbus("replay", "--into", folder, expect=2)


def test_an_order_for_nobody_is_refused_with_the_remedy(running_lab: RunningLab) -> None:
    told = running_lab.creditbus("quarantine", "redrive", "NOBODY", "--reason", "x", "--yes", expect=1)
    assert "creditbus quarantine list" in told
