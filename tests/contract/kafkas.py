"""The kinds of Kafka that a contract suite runs on: each says how its clients and its topics are made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creditbus.bus.clients import Clients, KafkaClients
from fake_kafka import FakeKafka
from topic_maker import make_topic

Create = Callable[..., None]
"""(topic, partitions, compacted = False) makes a topic."""


class AnyKafka:
    """What a suite asks of its kind of Kafka."""

    @pytest.fixture
    def clients(self) -> Clients:
        """The clients of one cluster."""
        raise NotImplementedError

    @pytest.fixture
    def create(self) -> Create:
        """Makes topics there."""
        raise NotImplementedError


class OnFake(AnyKafka):
    """In memory."""

    @pytest.fixture
    def clients(self) -> FakeKafka:
        return FakeKafka()

    @pytest.fixture
    def create(self, clients: Clients) -> Create:
        assert isinstance(clients, FakeKafka)
        make: Callable[[str, int], None] = clients.create
        return lambda topic, partitions, compacted=False: make(topic, partitions)


class OnKafka(AnyKafka):
    """The real one."""

    @pytest.fixture
    def clients(self, kafka_brokers: str) -> KafkaClients:
        return KafkaClients(kafka_brokers)

    @pytest.fixture
    def create(self, kafka_brokers: str) -> Create:
        def make(topic: str, partitions: int, compacted: bool = False) -> None:
            make_topic(kafka_brokers, topic, partitions, {"cleanup.policy": "compact"} if compacted else None)

        return make
