"""Other numbers of organisations are read from their topic when somebody asks, with real Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from creditbus.bus import othernumbers
from creditbus.bus.kafka import producer_config, transactional_producer
from creditbus.bus.othernumbers import OtherNumbers
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers
from creditbus.core.identity import Identity
from creditbus.lab.sandbox import MemoryRegistry
from topic_maker import make_topic
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


class Topic:
    """``credit.identities`` of a test."""

    def __init__(self, brokers: str, name: str) -> None:
        self.name = name
        registry = MemoryRegistry()
        self.types = Types(registry)
        self._writer = Writers(registry, SchemaSet.load())(name, "Identity")
        self._producer = Producer(producer_config(brokers))
        make_topic(brokers, name, 2)

    def value(self, row: Identity) -> bytes:
        return self._writer.of_struct(row)

    def tell(self, *rows: Identity) -> None:
        for row in rows:
            self._producer.produce(self.name, self.value(row), row.key.encode())
        assert self._producer.flush(30) == 0

    def delete(self, key: str) -> None:
        self._producer.produce(self.name, None, key.encode())
        assert self._producer.flush(30) == 0


@pytest.fixture
def topic(kafka_brokers: str, unique_name: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Topic:
    name = unique_name("identities")
    monkeypatch.setattr(othernumbers, "IDENTITIES", name)
    return Topic(kafka_brokers, name)


def of(number: int, subject: str) -> Identity:
    return Identity("REGISTRATION", f"{number:015}", subject)


def test_what_was_told_is_known_and_what_is_told_later_is_known_a_second_later(
    kafka_brokers: str, topic: Topic
) -> None:
    numbers = OtherNumbers(kafka_brokers, topic.types)
    assert numbers.leads_to(of(1, "").key) is None, "an empty topic tells nothing, and is not waited for"
    topic.tell(*(of(number, f"K{number}") for number in range(50)), Identity("TOKEN", "p:1:a", "p:1:a", 1, "k"))
    wait_until("it is read", lambda: numbers.leads_to(of(1, "").key) == "K1")
    assert [numbers.leads_to(of(number, "").key) for number in range(50)] == [f"K{number}" for number in range(50)]
    assert numbers.leads_to("TOKEN|p:1:a") is None, "persons are none of its business"
    fresh = OtherNumbers(kafka_brokers, topic.types)
    assert fresh.leads_to(of(49, "").key) == "K49", "known at the first question"


def test_what_a_transaction_has_not_committed_is_not_known_and_holds_nobody_up(
    kafka_brokers: str, topic: Topic
) -> None:
    numbers = OtherNumbers(kafka_brokers, topic.types)
    topic.tell(of(1, "K1"))
    producer = transactional_producer(kafka_brokers, f"{topic.name}-writer")
    producer.begin_transaction()
    producer.produce(topic.name, topic.value(of(2, "K2")), of(2, "").key.encode())
    assert producer.flush(30) == 0
    began = time.monotonic()
    assert (numbers.leads_to(of(1, "").key), numbers.leads_to(of(2, "").key)) == ("K1", None)
    assert time.monotonic() - began < 5
    producer.commit_transaction(30)
    wait_until("it is committed", lambda: numbers.leads_to(of(2, "").key) == "K2")


def test_a_number_that_is_deleted_leads_to_nobody(
    kafka_brokers: str, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(othernumbers, "_KNOWN_SECONDS", 0.5)
    numbers = OtherNumbers(kafka_brokers, topic.types)
    topic.tell(of(1, "K1"))
    assert numbers.leads_to(of(1, "").key) == "K1"
    topic.delete(of(1, "").key)
    wait_until("it is gone", lambda: numbers.leads_to(of(1, "").key) is None)
