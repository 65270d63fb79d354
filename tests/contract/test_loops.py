"""The transactional loop keeps its promises on the fake Kafka and on the real one: exactly once over crashes."""

from __future__ import annotations

import pytest

from contract.kafkas import OnFake, OnKafka
from contract.loops import LoopContract
from creditbus.bus.clients import Clients
from fake_kafka import FakeKafka


class TestFakeLoop(OnFake, LoopContract):
    def expel(self, clients: Clients, group: str, instance: str) -> None:
        assert isinstance(clients, FakeKafka)
        clients.expire(group, instance)


@pytest.mark.integration
class TestKafkaLoop(OnKafka, LoopContract):
    def expel(self, clients: Clients, group: str, instance: str) -> None:
        """The broker does that by itself, in six seconds."""
