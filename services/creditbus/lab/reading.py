"""Reading a topic from its beginning to its present end, outside of any consumer group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import ReconnectError

Progress = Callable[[str, int], None]
"""Told the topic and how many messages were read so far."""
_GROUP = "creditbus-reading"


def partitions_of(brokers: str, topic: str) -> list[int]:
    """Numbers of the topic's partitions."""
    consumer = Consumer(consumer_config(brokers, _GROUP))
    try:
        with translated(f"reading {topic}"):
            return sorted(consumer.list_topics(topic, timeout=15).topics[topic].partitions)
    finally:
        consumer.close()


def read_values(brokers: str, topic: str, types: Types, use: Callable[[str, dict[str, Any]], None]) -> None:
    """Call ``use`` with type and value of each message, each partition in order, up to its present end."""

    def use_all(messages: Sequence[Any]) -> None:
        for message in messages:
            schema, value = read_value(types, message.value())
            use(schema.short_name, value)

    read_topic(brokers, topic, use_all)


def read_topic(
    brokers: str,
    topic: str,
    use: Callable[[Sequence[Any]], None],
    *,
    progress: Progress = lambda _topic, _count: None,
    ends: Mapping[int, int] | None = None,
) -> None:
    """Call ``use`` with batches of messages, each partition in order, up to its present end.

    ends: offset to stop before, by partition; only these partitions are read. Messages beyond are not handed out.
    """
    numbers = partitions_of(brokers, topic) if ends is None else [number for number, end in ends.items() if end > 0]
    consumer = Consumer(consumer_config(brokers, _GROUP, enable_partition_eof=True))
    count = 0
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
        still_open = set(numbers)
        while still_open:
            with translated(f"reading {topic}"):
                messages: Sequence[Any] = consumer.consume(5_000, 0.05)
            batch = []
            for message in messages:
                error = message.error()
                number = message.partition()
                if error is None and (ends is None or message.offset() < ends[number]):
                    batch.append(message)
                    if ends is not None and message.offset() + 1 == ends[number]:
                        still_open.discard(number)
                elif error is None or error.code() == KafkaError._PARTITION_EOF:
                    still_open.discard(number)
                else:
                    raise ReconnectError(f"Kafka: {error.str()} while reading {topic}; run it again")
            count += len(batch)
            if batch:
                use(batch)
            progress(topic, count)
    finally:
        consumer.close()
