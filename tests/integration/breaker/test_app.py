"""The breaker on a real Kafka and registry: a flood is held in every partition, a crash changes nothing, two let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from creditbus.breaker.app import run
from creditbus.breaker.log import ALL_LISTINGS, BreakerLog
from creditbus.bus.kafka import consumer_config, producer_config
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import ensure_topics, load_topics, schemas_of
from creditbus.bus.wire import Types, Writers, read_value
from creditbus.core.rules import BreakerRule, Span
from creditbus.core.topics import ALERTS, BREAKER, LISTINGS, RECORDS
from intake_harness import rules
from waiting import wait_until

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
SMALL = BreakerRule(
    code="B", source="*", window_hours=1, soft=3, hard=6, wait_seconds=60, span=Span(since=date(2014, 1, 1))
)
SOURCE = next(iter(rules().departments))


class World:
    """The topics, what is written to them, and what the breaker wrote."""

    def __init__(self, brokers: str, registry: Registry) -> None:
        self._producer = Producer(producer_config(brokers))
        self._writers = Writers(registry, SCHEMAS)
        self._types = Types(registry)
        self._consumer = Consumer(consumer_config(brokers, "breaker-test"))
        topics = self._consumer.list_topics(timeout=15).topics
        self.partitions = len(topics[RECORDS].partitions)
        wanted = [TopicPartition(name, number) for name in (RECORDS, ALERTS) for number in topics[name].partitions]
        for place in wanted:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=15)[1]
        self._consumer.assign(wanted)
        self._orders: list[tuple[int, str, str]] = []
        self._alerts: list[str] = []

    def list_subjects(self, first: int, last: int, at_ms: int) -> None:
        """The source decides some listings."""
        for number in range(first, last):
            value: dict[str, object] = {
                **dict.fromkeys(
                    ("change_id", "subject_name", "identifier", "record_id", "cause_id", "authority", "region",
                     "document_number", "text_zh", "text_en"),
                    "x",
                ),
                "listing_id": f"listing {number}", "subject_key": f"subject {number}", "subject_kind": "LEGAL_PERSON",
                "list": "L01", "state": "LISTED", "cause": "DECIDED", "basis": [], "effective_on": 0, "until": None,
                "fictitious": True, "at": at_ms, "source": SOURCE,
            }  # fmt: skip
            self._producer.produce(LISTINGS, self._writers(LISTINGS, "ListingChange")(value), b"subject")
        assert self._producer.flush(15) == 0

    def approve(self, hold_id: str, officer: str) -> None:
        """An officer approves the release."""
        value = {"approval_id": officer, "source": SOURCE, "hold_id": hold_id, "officer": officer, "reason": "checked"}
        self._producer.produce(
            BREAKER, self._writers(BREAKER, "ReleaseApproval")({**value, "at": int(time.time() * 1000)}), b"s"
        )
        assert self._producer.flush(15) == 0

    def orders(self) -> list[tuple[int, str, str]]:
        """(partition, action, id) of each order in the records so far."""
        for message in self._consumer.consume(1_000, 0.3):
            schema, value = read_value(self._types, message.value())
            if schema.short_name == "SourceOrder" and value["source"] == SOURCE:
                self._orders.append((message.partition() or 0, value["action"], value["control_id"]))
            elif schema.short_name == "Alert":
                self._alerts.append(value["kind"])
        return self._orders

    def actions(self) -> list[str]:
        """What was ordered in partition 0, once all partitions have the same."""
        found = self.orders()
        by_partition = [[one[1:] for one in found if one[0] == number] for number in range(self.partitions)]
        assert all(one == by_partition[0] for one in by_partition) or len(found) % self.partitions
        return [action for action, _ in by_partition[0]] if len(found) % self.partitions == 0 else []

    def alerts(self) -> list[str]:
        """Kinds of the alerts so far."""
        self.orders()
        return self._alerts


@pytest.fixture
def registry(registry_url: str) -> Iterator[Registry]:
    made = Registry(registry_url)
    yield made
    made.close()


@pytest.fixture
def world(kafka_brokers: str, registry: Registry) -> World:
    topics = [topic for topic in load_topics() if topic.name in (RECORDS, ALERTS, BREAKER, *ALL_LISTINGS)]
    ensure_topics(kafka_brokers, topics)
    list(registry.push(schemas_of(topics, SCHEMAS)))
    return World(kafka_brokers, registry)


@contextmanager
def breaking(brokers: str, registry: Registry) -> Iterator[None]:
    """The breaker at work, with a small band; its end is not waited for, as a crash would not."""
    stop = threading.Event()
    log = BreakerLog(brokers, registry, SCHEMAS)
    small = replace(rules(), breakers=(SMALL,))
    arguments: tuple[Any, ...] = (log, small, 0.1, Metrics("test"), stop.is_set)
    thread = threading.Thread(target=run, args=arguments)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        log.close()


def test_a_flood_is_held_everywhere_once_and_released_by_two_officers(
    kafka_brokers: str, registry: Registry, world: World
) -> None:
    with breaking(kafka_brokers, registry):
        world.list_subjects(0, 5, int(time.time() * 1000))
        wait_until("the source to be watched", lambda: world.actions() == ["WATCH"])
        world.list_subjects(5, 9, int(time.time() * 1000))
        wait_until("the source to be held", lambda: world.actions() == ["WATCH", "HOLD"])
    hold = world.orders()[-1][2]
    with breaking(kafka_brokers, registry):  # counted anew, and nothing is ordered twice
        world.approve(hold, "officer a")
        world.approve(hold, "officer a")
        world.approve("another hold", "officer b")
        world.list_subjects(9, 10, int(time.time() * 1000))
    with breaking(kafka_brokers, registry):
        assert world.actions() == ["WATCH", "HOLD"], "one officer is not enough"
        world.approve(hold, "officer b")
        wait_until("the release", lambda: world.actions() == ["WATCH", "HOLD", "RELEASE"])
    wait_until("both alerts", lambda: world.alerts() == ["SOURCE_HELD", "SOURCE_RELEASED"])
