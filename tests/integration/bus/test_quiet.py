"""Clients of Kafka say that a broker is away in one line, whatever number of them tries however often."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]
TRY = """
from confluent_kafka import Consumer, Producer
from creditbus.bus.kafka import admin, consumer_config, producer_config
brokers = "127.0.0.1:{port}"
clients = [Consumer(consumer_config(brokers, "quiet")), Producer(producer_config(brokers)), admin(brokers)]
clients[0].poll(1.0)
clients[1].poll(1.0)
"""


def test_clients_say_once_that_a_broker_does_not_answer(free_port: Callable[[], int]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRY.format(port=free_port())], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    (told,) = done.stdout.splitlines()
    assert "a broker does not answer" in told
    assert "Connection refused" in told
