"""When what follows from an event can be read: its change, and for a list decision the last of its orders."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from creditbus.bus.kafka import consumer_config
from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types, read_value
from creditbus.core.hashing import record_id
from creditbus.lab.simulator.story import Sent
from creditbus.lab.stack import LabAddresses

_CHANGES = "credit.changes"
_ORDERS = "credit.measures."
_LISTING = frozenset({"CourtEnforcement", "ListDecision"})


class Arrivals:
    """Reads the outputs while events are sent, as a subscriber does, and notes when each came."""

    def __init__(self, places: LabAddresses) -> None:
        self._types = Types(Registry(places.registry_url))
        self._sent_at: dict[str, float] = {}
        self._decisions: set[str] = set()
        self.changed: dict[str, float] = {}
        """Seconds until the change, by record."""
        self.ordered: dict[str, float] = {}
        """Seconds until the last order that follows from it at once, by record that lists."""
        self._is_over = threading.Event()
        self._consumer = Consumer(consumer_config(places.brokers, "bench", fetch_wait_max_ms=100))
        topics = self._consumer.list_topics(timeout=15).topics
        self._consumer.assign(
            [
                TopicPartition(name, partition, OFFSET_END)
                for name, topic in topics.items()
                if name == _CHANGES or name.startswith(_ORDERS)
                for partition in topic.partitions
            ]
        )
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Arrivals:
        self._reader.start()
        time.sleep(2)  # the end of each partition is looked up
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._reader.join()
        self._consumer.close()

    def paced(self, events: Iterator[Sent], rate: int) -> Iterator[Sent]:
        """The events at a steady rate, with the time of each noted."""
        began = time.perf_counter()
        for number, sent in enumerate(events):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            record = record_id(sent.department, sent.event["event_id"], 1)
            if sent.event["kind"] in _LISTING:
                self._decisions.add(record)
            self._sent_at[record] = time.perf_counter()
            yield sent

    def wait(self, seconds: float = 60) -> None:
        """Until nearly every event has its change: what was sent twice, or is refused, has none of its own."""
        deadline = time.monotonic() + seconds
        while len(self.changed) < len(self._sent_at) * 0.999 and time.monotonic() < deadline:
            time.sleep(0.1)

    def _read(self) -> None:
        while not self._is_over.is_set():
            for message in self._consumer.consume(500, 0.01):
                if message.error() is None:
                    self._note(message, time.perf_counter())

    def _note(self, message: Any, now: float) -> None:
        if message.topic() == _CHANGES:
            record = read_value(self._types, message.value())[1]["record_id"]
            if record in self._sent_at:
                self.changed.setdefault(record, now - self._sent_at[record])
            return
        told = dict(message.headers() or ())
        record = told.get("record_id", b"").decode()
        if record in self._decisions and told.get("cause_id", b"").decode() == record:  # later it may be lifted
            self.ordered[record] = now - self._sent_at[record]
