"""The fake Kafka keeps the promises of the real one that the transactional loop rests on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.clients import ClientContract, Create
from creditbus.bus.clients import Clients, KafkaClients
from fake_kafka import FakeKafka
from topic_maker import make_topic


class TestFakeClients(ClientContract):
    @pytest.fixture
    def clients(self) -> FakeKafka:
        return FakeKafka()

    @pytest.fixture
    def create(self, clients: Clients, unique_name: Callable[[str], str]) -> Create:
        def make(partitions: int = 1) -> str:
            assert isinstance(clients, FakeKafka)
            topic = unique_name("topic")
            clients.create(topic, partitions)
            return topic

        return make


@pytest.mark.integration
class TestKafkaClients(ClientContract):
    @pytest.fixture
    def clients(self, kafka_brokers: str) -> KafkaClients:
        return KafkaClients(kafka_brokers)

    @pytest.fixture
    def create(self, kafka_brokers: str, unique_name: Callable[[str], str]) -> Create:
        def make(partitions: int = 1) -> str:
            topic = unique_name("topic")
            make_topic(kafka_brokers, topic, partitions)
            return topic

        return make
