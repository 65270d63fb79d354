"""Reading partitions from given places to their present end: what is committed, outside of any group."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from creditbus.bus.kafka import consumer_config, failed, translated
from creditbus.core.errors import ReconnectError

_MOST = 10_000
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 20.0


def read_to_end(brokers: str, group: str, places: Sequence[TopicPartition]) -> Iterator[list[Message]]:
    """Batches of messages, each partition in order, until every one was at its end once.

    ``places`` move on with what is handed out, past the markers of transactions too: they say where to read on.
    group: a name for the broker's logs. Raises ReconnectError when nothing comes for long.
    """
    at = {(place.topic, place.partition): place for place in places}
    left, heard_at = set(at), time.monotonic()
    with closing(Consumer(consumer_config(brokers, group, enable_partition_eof=True))) as consumer:
        consumer.assign(list(places))
        while left:
            batch: list[Message] = []
            with translated("reading to the end"):
                messages = consumer.consume(_MOST, _POLL_SECONDS)
            for message in messages:
                slot = (message.topic() or "", message.partition() or 0)
                error, offset = message.error(), message.offset() or 0
                if error is None:
                    batch.append(message)
                    at[slot].offset = offset + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(slot)
                    at[slot].offset = offset
                else:
                    raise failed(error, f"reading {slot[0]}")
            if batch:
                yield batch
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _PATIENCE_SECONDS:
                topics = ", ".join(sorted({topic for topic, _ in left}))
                raise ReconnectError(f"Kafka: {topics} gives nothing for {_PATIENCE_SECONDS:.0f} s")


def all_partitions(brokers: str, group: str, topic: str) -> list[TopicPartition]:
    """Every partition of a topic, from its beginning. Raises ReconnectError while the brokers are away."""
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated(f"reading {topic}"):
        found = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
    return [TopicPartition(topic, number, 0) for number in sorted(found)]
