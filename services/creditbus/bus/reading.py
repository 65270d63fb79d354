"""Reading partitions from given places to their present end: what is committed, outside of any group."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, Message, TopicCollection, TopicPartition

from creditbus.bus.kafka import admin, consumer_config, failed, translated
from creditbus.core.errors import ReconnectError

_MOST = 10_000
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 20.0


def read_to_end(
    brokers: str, group: str, places: Sequence[TopicPartition], most: int = _MOST
) -> Generator[list[Message]]:
    """Batches of messages, each partition in order, until every one was at its end once.

    ``places`` move on with what is handed out, past the markers of transactions too: they say where to read on.
    group: a name for the broker's logs; most: messages in a batch. Raises ReconnectError when nothing comes for long.
    """
    at = {(place.topic, place.partition): place for place in places}
    left, heard_at = set(at), time.monotonic()
    with closing(Consumer(consumer_config(brokers, group, enable_partition_eof=True))) as consumer:
        consumer.assign(list(places))
        while left:
            batch: list[Message] = []
            with translated("reading to the end"):
                messages = consumer.consume(most, _POLL_SECONDS)
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


class ReadingOn:
    """A topic from its beginning, read on whenever somebody asks."""

    def __init__(self, brokers: str, group: str, topic: str) -> None:
        """group: a name for the broker's logs."""
        self._brokers, self._group, self._topic = brokers, group, topic
        self._places: list[TopicPartition] = []
        """Where to read on."""

    def messages(self) -> Iterator[Message]:
        """What has come since, up to the end of what is committed. Raises ReconnectError while the brokers are away."""
        if not self._places:
            self._places = all_partitions(self._brokers, self._group, self._topic)
        for messages in read_to_end(self._brokers, self._group, self._places):
            yield from messages


def all_partitions(brokers: str, group: str, topic: str) -> list[TopicPartition]:
    """Every partition of a topic, from its beginning. Raises ReconnectError while the brokers are away."""
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated(f"reading {topic}"):
        found = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
    return [TopicPartition(topic, number, 0) for number in sorted(found)]


def bounds_of(brokers: str, group: str, topic: str) -> dict[int, tuple[int, int]]:
    """First offset and end of each partition, without what is not committed. Raises ReconnectError."""
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated(f"reading the ends of {topic}"):
        found = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in sorted(found)]
        return {place.partition: consumer.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS) for place in places}


def offsets_since(brokers: str, group: str, topic: str, at_ms: int) -> dict[int, int]:
    """First offset of each partition whose message came at a time (ms since 1970) or later; else its end."""
    ends = {number: end for number, (_, end) in bounds_of(brokers, group, topic).items()}
    with closing(Consumer(consumer_config(brokers, group))) as consumer, translated(f"looking for a time in {topic}"):
        found = consumer.offsets_for_times([TopicPartition(topic, one, at_ms) for one in ends], _PATIENCE_SECONDS)
    return {place.partition: ends[place.partition] if place.offset < 0 else place.offset for place in found}


def sources_of(brokers: str, topics: Sequence[str]) -> dict[str, str]:
    """Name of each topic's log: cluster, topic and topic id, so that a topic made anew is another log."""
    client = admin(brokers)  # kept: its futures fail when it is collected
    with translated("reading topic ids"):
        cluster = client.describe_cluster(request_timeout=15).result().cluster_id
        futures = client.describe_topics(TopicCollection(list(topics)), request_timeout=15)
        return {topic: f"{cluster}/{topic}/{futures[topic].result().topic_id}" for topic in topics}
