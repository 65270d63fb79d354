"""Reading messages of a partition again by their offsets: rare, so a consumer is made for it each time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.core.errors import ReconnectError

_GROUP = "creditbus-reading"
_READ_THROUGH = 2_000
"""Offsets this near to the next are read through; beyond that the reader jumps."""
_SECONDS = 20.0
"""Without any message for so long the brokers are given up."""


def read_places(brokers: str, topic: str, partition: int, places: Sequence[int]) -> Mapping[int, bytes]:
    """Values by offset. Raises ReconnectError when one does not come."""
    found: dict[int, bytes] = {}
    consumer = Consumer(consumer_config(brokers, _GROUP))
    try:
        for run in _runs(sorted(set(places))):
            wanted = set(run)
            consumer.assign([TopicPartition(topic, partition, run[0])])
            until = time.monotonic() + _SECONDS
            while wanted:
                with translated(f"reading {topic} again"):
                    messages = consumer.consume(min(5_000, run[-1] - run[0] + 1), 0.05)
                for message in messages:
                    offset, value = message.offset(), message.value()
                    if message.error() is None and offset in wanted and value is not None:
                        found[offset] = value
                        wanted.discard(offset)
                        until = time.monotonic() + _SECONDS
                if wanted and time.monotonic() > until:
                    raise ReconnectError(f"Kafka: {topic} [{partition}] does not give offset {min(wanted)} again")
    finally:
        consumer.close()
    return found


def _runs(places: Sequence[int]) -> Iterator[list[int]]:
    """Offsets in groups that are near to one another."""
    run: list[int] = []
    for place in places:
        if run and place - run[-1] > _READ_THROUGH:
            yield run
            run = []
        run.append(place)
    if run:
        yield run
