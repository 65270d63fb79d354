"""Rubbish on the bus's own topics: the warehouse tells of it, goes on, and everything else is looked up as before."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config
from running_lab import RUBBISH, RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]

LEFT = {
    "credit.dossiers": RUBBISH,
    "credit.rejections": b"\x00\x7f\xff\xff\xff" + RUBBISH,
    "credit.access": b"",
}


def test_rubbish_is_told_of_and_everything_else_arrives(running_lab: RunningLab) -> None:
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    producer = Producer(producer_config(brokers))
    for topic, value in LEFT.items():
        producer.produce(topic, value, b"nobody")
    assert producer.flush(15) == 0

    told = ""

    def all_told() -> bool:
        nonlocal told
        told = running_lab.creditbus("deadletters", "list")
        return all(topic in told for topic in LEFT)

    wait_until("every message to be told of", all_told)
    assert "not in the Confluent wire format" in told
    assert "schema that the registry does not know" in told
    assert {one["topic"] for one in running_lab.told("deadletters", "list")} >= set(LEFT)
    running_lab.any_cleared_firm()
    assert not any(check["wrong"] for check in running_lab.verify())

    loaded = running_lab.creditbus("deadletters", "load")
    assert "0 of" in loaded, "rubbish stays rubbish"
