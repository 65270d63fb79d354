"""Reading to the end of what is committed, with real Kafka."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import TopicPartition

from creditbus.bus import reading
from creditbus.bus.kafka import transactional_producer
from creditbus.bus.reading import all_partitions, read_to_end
from creditbus.core.errors import ReconnectError
from topic_maker import make_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def write(brokers: str, topic: str, values: dict[int, list[bytes]], *, commit: bool = True) -> None:
    """One transaction."""
    producer = transactional_producer(brokers, topic)
    producer.begin_transaction()
    for partition, some in values.items():
        for value in some:
            producer.produce(topic, value, None, partition)
    if commit:
        producer.commit_transaction(20)
    else:
        producer.flush(20)
        producer.abort_transaction(20)


def read(brokers: str, places: list[TopicPartition]) -> list[tuple[int | None, bytes | None]]:
    messages = [one for batch in read_to_end(brokers, "test", places) for one in batch]
    return sorted((one.partition(), one.value()) for one in messages)


def test_what_is_committed_is_read_once_and_the_places_say_where_to_go_on(
    kafka_brokers: str, unique_name: Callable[[str], str]
) -> None:
    topic = unique_name("reading")
    make_topic(kafka_brokers, topic, 3)
    places = all_partitions(kafka_brokers, "test", topic)
    assert [place.partition for place in places] == [0, 1, 2]
    write(kafka_brokers, topic, {0: [b"a", b"b"], 1: [b"c"]})
    write(kafka_brokers, topic, {1: [b"withdrawn"]}, commit=False)
    assert read(kafka_brokers, places) == [(0, b"a"), (0, b"b"), (1, b"c")]
    assert [place.offset for place in places] == [3, 4, 0], "behind the markers of the transactions"
    assert read(kafka_brokers, places) == []
    write(kafka_brokers, topic, {2: [b"d"]})
    assert read(kafka_brokers, places) == [(2, b"d")]


def test_brokers_that_are_away_are_told_of(free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_PATIENCE_SECONDS", 0.5)
    nobody = f"127.0.0.1:{free_port()}"
    with pytest.raises(ReconnectError):
        all_partitions(nobody, "test", "topic")
    with pytest.raises(ReconnectError, match="gives nothing|while reading"):
        read(nobody, [TopicPartition("topic", 0, 0)])
