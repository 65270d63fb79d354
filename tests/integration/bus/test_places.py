"""Reading messages again by their offsets, with real Kafka."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from creditbus.bus import places
from creditbus.bus.kafka import transactional_producer
from creditbus.bus.places import PlaceReader
from creditbus.core.errors import ReconnectError
from topic_maker import make_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def write(brokers: str, topic: str, transactions: int, messages: int) -> None:
    """So many transactions to each of two partitions; after each of them there is a marker in its partition."""
    producer = transactional_producer(brokers, topic)
    for number in range(transactions):
        producer.begin_transaction()
        for index in range(messages):
            for partition in (0, 1):
                producer.produce(topic, b"%d:%d" % (partition, number * (messages + 1) + index), None, partition)
        producer.commit_transaction(20)


def test_messages_are_found_wherever_they_stand(kafka_brokers: str, unique_name: Callable[[str], str]) -> None:
    topic = unique_name("places")
    make_topic(kafka_brokers, topic, 2)
    write(kafka_brokers, topic, 2, 1_000)
    last = 2_000  # 1,000 and 2,001 are markers
    near, far, both_ends = [7, 8, 9], [3, 999, 1_001, 1_700], [0, last]
    with closing(PlaceReader(kafka_brokers, topic)) as read:
        for partition, asked in ((0, near), (1, far), (0, both_ends), (0, [last]), (1, [last, 0, last])):
            assert read(partition, asked) == {place: b"%d:%d" % (partition, place) for place in asked}
        write(kafka_brokers, topic, 1, 1)
        assert read(0, [0]) == {0: b"0:0"}, "written behind it meanwhile"


def test_what_is_not_there_is_told_of_and_the_next_question_is_answered(
    kafka_brokers: str, unique_name: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_SECONDS", 0.5)
    topic = unique_name("places")
    make_topic(kafka_brokers, topic, 2)
    write(kafka_brokers, topic, 1, 10)
    marker = 10
    with closing(PlaceReader(kafka_brokers, topic)) as read:
        with pytest.raises(ReconnectError, match=f"offset {marker} again"):
            read(0, [3, marker])
        assert read(0, [3]) == {3: b"0:3"}
