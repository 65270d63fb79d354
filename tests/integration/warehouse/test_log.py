"""The warehouse's reading of Kafka: topics that nobody waits for are read in longer steps, and wholly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from creditbus.bus.kafka import consumer_config, producer_config
from creditbus.bus.lag import Lag
from creditbus.bus.metrics import Metrics
from creditbus.core.errors import ReconnectError
from creditbus.core.framing import frame
from creditbus.warehouse.log import GROUP, TopicLog
from topic_maker import make_topic
from waiting import wait_until

pytestmark = pytest.mark.integration
SECONDS = 3.0


@pytest.fixture
def topics(kafka_brokers: str, unique_name: Callable[[str], str]) -> tuple[str, str]:
    often, seldom = unique_name("often"), unique_name("seldom")
    for topic in (often, seldom):
        make_topic(kafka_brokers, topic, 2)
    return often, seldom


@pytest.fixture
def log(kafka_brokers: str, topics: tuple[str, str]) -> Iterator[TopicLog]:
    made = TopicLog(kafka_brokers, topics, Lag(Metrics("test")), topics[1:], SECONDS)
    wait_until("the group's coordinator", lambda: has_started(made))
    yield made
    made.close()


def has_started(log: TopicLog, newest: Callable[[tuple[str, int]], int | None] = lambda _: None) -> bool:
    """A broker that has just started may say that no broker coordinates the group yet; the service tries again too."""
    try:
        log.start(lambda topic, partition: newest((topic, partition)))
    except ReconnectError:
        return False
    return True


def read_all(log: TopicLog, count: int) -> list[tuple[str, bytes, float]]:
    """Topic and payload of so many messages, and when they were read."""
    found: list[tuple[str, bytes, float]] = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        found += [(one.topic, one.payload, time.monotonic()) for one in log.poll(1_000, 0.1)]
    return found


def test_a_topic_that_nobody_waits_for_is_left_alone_for_a_while_and_loses_nothing(
    kafka_brokers: str, topics: tuple[str, str], log: TopicLog
) -> None:
    often, seldom = topics
    producer = Producer(producer_config(kafka_brokers))

    def send(numbers: range) -> None:
        for number in numbers:
            for topic in topics:
                producer.produce(topic, frame(1, str(number).encode()), partition=number % 2)
        assert producer.flush(10) == 0

    send(range(2))
    first = read_all(log, 4)
    send(range(2, 40))
    rest = read_all(log, 76)
    assert sorted(payload for topic, payload, _ in first + rest if topic == seldom) == sorted(
        str(number).encode() for number in range(40)
    )
    left_at = min(at for topic, _, at in first if topic == seldom)
    assert min(at for topic, _, at in rest if topic == seldom) - left_at >= SECONDS
    assert max(at for topic, _, at in rest if topic == often) - left_at < SECONDS, "the others go on"


def test_tombstones_are_passed_so_that_nobody_takes_them_for_a_standstill(
    kafka_brokers: str, topics: tuple[str, str], log: TopicLog
) -> None:
    producer = Producer(producer_config(kafka_brokers))
    for _ in range(2):
        producer.produce(topics[0], None, b"p:1", 0)
    assert producer.flush(10) == 0
    with closing(Consumer(consumer_config(kafka_brokers, GROUP))) as other:

        def is_passed() -> bool:
            assert log.poll(10, 0.1) == []
            log.commit({})
            return bool(other.committed([TopicPartition(topics[0], 0)], 10)[0].offset == 2)

        wait_until("the position behind them", is_passed)


def test_an_offset_that_a_kill_left_behind_is_brought_up_to_the_rows(
    kafka_brokers: str, topics: tuple[str, str]
) -> None:
    producer = Producer(producer_config(kafka_brokers))
    for number in range(4):
        producer.produce(topics[0], frame(1, str(number).encode()), partition=0)
    assert producer.flush(10) == 0
    rows = {(topics[0], 0): 3}
    with closing(TopicLog(kafka_brokers, topics, Lag(Metrics("test")))) as log:
        wait_until("the group's coordinator", lambda: has_started(log, rows.get))
        log.commit({})
        with closing(Consumer(consumer_config(kafka_brokers, GROUP))) as other:
            places = [TopicPartition(topics[0], number) for number in (0, 1)]
            wait_until("the offset", lambda: other.committed(places, 10)[0].offset == 4)
            assert other.committed(places, 10)[1].offset < 0, "nothing is said of what has no rows"


def test_tables_that_are_made_anew_get_everything_that_the_log_has(
    kafka_brokers: str, topics: tuple[str, str], log: TopicLog
) -> None:
    """A lost ClickHouse stayed empty: partitions without rows began where the group had read to."""
    producer = Producer(producer_config(kafka_brokers))
    for number in range(4):
        for topic in topics:
            producer.produce(topic, frame(1, str(number).encode()), partition=0)
    assert producer.flush(10) == 0
    assert len(read_all(log, 8)) == 8
    log.commit({(topic, 0): 4 for topic in topics})
    with closing(Consumer(consumer_config(kafka_brokers, GROUP))) as other:
        places = [TopicPartition(topic, 0) for topic in topics]
        wait_until("the offsets", lambda: [one.offset for one in other.committed(places, 10)] == [4, 4])
    with closing(TopicLog(kafka_brokers, topics, Lag(Metrics("test")))) as again:
        again.begin_again(topics[:1])
        wait_until("the group's coordinator", lambda: has_started(again))
        assert [topic for topic, _, _ in read_all(again, 4)] == [topics[0]] * 4
        assert again.poll(10, 1.0) == [], "the other goes on where it was"
