"""The transactional loop keeps its promises on the fake Kafka and on the real one: exactly once over crashes."""

from __future__ import annotations

import pytest

from contract.kafkas import OnFake, OnKafka
from contract.loops import LoopContract
from creditbus.bus.clients import Clients, KafkaClients
from creditbus.bus.kafka import admin
from fake_kafka import FakeKafka
from waiting import wait_until


class TestFakeLoop(OnFake, LoopContract):
    def expel(self, clients: Clients, group: str, instance: str) -> None:
        assert isinstance(clients, FakeKafka)
        clients.expire(group, instance)

    def forget_offsets(self, clients: Clients, group: str) -> None:
        assert isinstance(clients, FakeKafka)
        clients.groups[group].offsets.clear()


@pytest.mark.integration
class TestKafkaLoop(OnKafka, LoopContract):
    def expel(self, clients: Clients, group: str, instance: str) -> None:
        """The broker does that by itself, in six seconds."""

    def forget_offsets(self, clients: Clients, group: str) -> None:
        """A broker does that after days without members; deleting a group without members is the same."""
        assert isinstance(clients, KafkaClients)
        client = admin(clients._brokers)

        def is_gone() -> bool:
            return client.delete_consumer_groups([group], request_timeout=10)[group].exception() is None

        wait_until("the group to be deleted", is_gone)
