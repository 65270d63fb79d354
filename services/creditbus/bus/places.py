"""Reading messages of a topic again by their offsets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.core.errors import ReconnectError

_GROUP = "creditbus-reading"
_READ_THROUGH = 500
"""Offsets this near to the next are read through; beyond that the reader jumps."""
_FETCH = {"fetch_message_max_bytes": 65_536, "fetch_wait_max_ms": 5}
"""A little at a time, since most of what stands beside a message is not asked for; and never waiting at the end of the
log, which the next jump would have to wait for too."""
_AT_ONCE = 2_000
_SECONDS = 20.0
"""Without any message for so long the brokers are given up."""


class PlaceReader:
    """Values of one topic's messages by partition and offset. For one thread.

    Connects when it is first asked, and stays connected, which is three quarters of what a question takes otherwise;
    between questions it reads nothing.
    """

    def __init__(self, brokers: str, topic: str) -> None:
        self._brokers = brokers
        self._topic = topic
        self._consumer: Consumer | None = None

    def __call__(self, partition: int, places: Sequence[int]) -> Mapping[int, bytes]:
        """Values by offset. Raises ReconnectError when one does not come; the next question connects anew."""
        if self._consumer is None:
            self._consumer = Consumer(consumer_config(self._brokers, _GROUP, **_FETCH))
        found: dict[int, bytes] = {}
        try:
            for run in _runs(sorted(set(places))):
                found |= self._read(self._consumer, partition, run)
            self._consumer.unassign()
        except BaseException:
            self.close()
            raise
        return found

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _read(self, consumer: Consumer, partition: int, run: Sequence[int]) -> Mapping[int, bytes]:
        found: dict[int, bytes] = {}
        wanted = set(run)
        until = time.monotonic() + _SECONDS
        consumer.assign([TopicPartition(self._topic, partition, run[0])])
        while wanted:
            with translated(f"reading {self._topic} again"):
                first = consumer.consume(1, 0.05)
                messages = [*first, *consumer.consume(_AT_ONCE, 0)] if first else []
            for message in messages:
                offset, value = message.offset(), message.value()
                if message.error() is None and offset in wanted and value is not None:
                    found[offset] = value
                    wanted.discard(offset)
                    until = time.monotonic() + _SECONDS
            if wanted and time.monotonic() > until:
                raise ReconnectError(f"Kafka: {self._topic} [{partition}] does not give offset {min(wanted)} again")
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
