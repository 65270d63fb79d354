"""The warehouse's view of Kafka: every partition of its topics, read from where the tables end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import PATIENT, consumer_config, failed, translated
from creditbus.bus.lag import Lag
from creditbus.bus.reading import sources_of
from creditbus.bus.watchdog import Watchdog
from creditbus.core.framing import NotConfluentError, unframe
from creditbus.warehouse.steps import UNFRAMED, Framed, Place, resume_offset

GROUP = "creditbus-warehouse"
_CLOSE_SECONDS = 5.0


class TopicLog:
    """All partitions of some topics, assigned by hand; one process reads them all."""

    def __init__(
        self, brokers: str, topics: Sequence[str], lag: Lag, seldom: Sequence[str] = (), seconds: float = 0
    ) -> None:
        """seldom: topics that are left alone for so many seconds after messages of theirs were read, since each batch
        is an insert, and an insert costs as much as a look-up.
        """
        self._topics = topics
        self._seldom = frozenset(seldom)
        self._seconds = seconds
        self._passed: dict[Place, int] = {}
        """Behind tombstones, which become no rows."""
        self._left: dict[Place, float] = {}
        """Partitions that are left alone, and since when."""
        config = consumer_config(brokers, GROUP, auto_offset_reset="error", **PATIENT, **lag.config)
        self._consumer = Consumer(config)
        self.sources = sources_of(brokers, topics)
        self._lag = lag

    def begin_again(self, topics: Sequence[str]) -> None:
        """Forget how far these topics were read, durably: their tables are about to be made, without any row."""
        with translated("beginning again"):
            metadata = self._consumer.list_topics(timeout=15).topics
            places = [TopicPartition(topic, number, 0) for topic in topics for number in metadata[topic].partitions]
            self._consumer.commit(offsets=places, asynchronous=False)

    def start(self, newest_row: Callable[[str, int], int | None]) -> None:
        """Go to where each partition's rows end. newest_row: offset by topic and partition, None without rows.

        A kill between the rows and their offset leaves the offset behind: the next commit brings it up to the rows, or
        a partition where nothing comes any more would seem to stand still.
        """
        with translated("reading the ends of the topics"):
            metadata = self._consumer.list_topics(timeout=15).topics
            places = [TopicPartition(topic, number) for topic in self._topics for number in metadata[topic].partitions]
            committed = {(one.topic, one.partition): one.offset for one in self._consumer.committed(places, 15)}
            for place in places:
                low, high = self._consumer.get_watermark_offsets(place, timeout=15)
                key = (place.topic, place.partition)
                newest = newest_row(*key)
                place.offset = resume_offset(newest, committed.get(key), low, high, key)
                if newest is not None and committed.get(key, -1) < place.offset:
                    self._passed[key] = place.offset
        self._consumer.assign(places)

    def poll(self, most: int, seconds: float) -> list[Framed]:
        """The next messages, in the order of each partition."""
        self._lag.polled()
        with translated("reading a batch"):
            self._take_up()
            messages: list[Any] = self._consumer.consume(most, seconds)
        batch = []
        for message in messages:
            error = message.error()
            if error is not None:
                raise failed(error, f"reading {message.topic()}")
            value = message.value()
            if value is None:  # a tombstone: the subject was forgotten, its rows are deleted elsewhere
                self._passed[message.topic(), message.partition()] = message.offset() + 1
                continue
            try:
                schema_id, payload = unframe(value)
            except NotConfluentError:
                schema_id, payload = UNFRAMED, value
            place = (message.topic(), message.partition(), message.offset())
            batch.append(Framed(*place, schema_id, payload, message.key()))
            self._lag.saw(message.topic(), message.partition(), message.timestamp()[1])
        self._leave({(one.topic, one.partition) for one in batch if one.topic in self._seldom})
        return batch

    def _leave(self, places: Iterable[Place]) -> None:
        now = time.monotonic()
        for place in places:
            self._left.setdefault(place, now)
        self._consumer.pause([TopicPartition(*place) for place in places])

    def _take_up(self) -> None:
        due = [place for place, since in self._left.items() if time.monotonic() - since >= self._seconds]
        for place in due:
            del self._left[place]
        self._consumer.resume([TopicPartition(*place) for place in due])

    def commit(self, offsets: dict[Place, int]) -> None:
        """Show how far the tables are, tombstones passed; nothing is resumed from it where there are rows."""
        reached = {place: max(offsets.get(place, 0), self._passed.get(place, 0)) for place in offsets | self._passed}
        self._passed.clear()
        if reached:
            places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in reached.items()]
            with translated("committing offsets"):
                self._consumer.commit(offsets=places, asynchronous=True)

    def close(self) -> None:
        """Close the consumer. It waits for an offset that is on its way, without end when its broker is gone: then the
        process ends, to be started again; nothing is resumed from that offset.
        """
        watchdog = Watchdog()
        with watchdog.during("closing the consumer", _CLOSE_SECONDS):
            self._consumer.close()
        watchdog.close()
