"""The transactional loop keeps its promises on the fake Kafka and on the real one: exactly once over crashes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.loops import Create, LoopContract
from creditbus.bus.clients import Clients, KafkaClients
from fake_kafka import FakeKafka
from topic_maker import make_topic


class TestFakeLoop(LoopContract):
    @pytest.fixture
    def clients(self) -> FakeKafka:
        return FakeKafka()

    @pytest.fixture
    def create(self, clients: Clients) -> Create:
        assert isinstance(clients, FakeKafka)
        make: Callable[[str, int], None] = clients.create
        return lambda topic, partitions, compacted: make(topic, partitions)

    def expel(self, clients: Clients, group: str, instance: str) -> None:
        assert isinstance(clients, FakeKafka)
        clients.expire(group, instance)


@pytest.mark.integration
class TestKafkaLoop(LoopContract):
    @pytest.fixture
    def clients(self, kafka_brokers: str) -> KafkaClients:
        return KafkaClients(kafka_brokers)

    @pytest.fixture
    def create(self, kafka_brokers: str) -> Create:
        def make(topic: str, partitions: int, compacted: bool) -> None:
            make_topic(kafka_brokers, topic, partitions, {"cleanup.policy": "compact"} if compacted else None)

        return make

    def expel(self, clients: Clients, group: str, instance: str) -> None:
        """The broker does that by itself, in six seconds."""
