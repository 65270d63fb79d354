"""Live alerts: read from the log as they come, handed to every open stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import structlog
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from creditbus.bus.kafka import PATIENT, consumer_config
from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import BusError
from creditbus.core.topics import ALERTS
from creditbus.lookup.steps import shown

log = structlog.get_logger()

_WAITING = 1_000
"""Alerts that a slow reader may be behind before it is cut off; it comes back with Last-Event-ID."""


class AlertFeed:
    """Reads alerts about legal persons from now on, in a thread of its own."""

    def __init__(self, brokers: str, registry: Registry) -> None:
        self._types = Types(registry)
        self._consumer = Consumer(consumer_config(brokers, "creditbus-lookup-feed", **PATIENT))
        partitions = self._consumer.list_topics(ALERTS, timeout=15).topics[ALERTS].partitions
        self._consumer.assign([TopicPartition(ALERTS, number, OFFSET_END) for number in partitions])
        self._readers: set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[dict[str, Any] | None]]] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="alert-feed", daemon=True)
        self._thread.start()

    async def alerts(self) -> AsyncIterator[dict[str, Any] | None]:
        """Alerts as they come; None every few seconds without any, so that a closed connection is noticed."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_WAITING)
        reader = (asyncio.get_running_loop(), queue)
        with self._lock:
            self._readers.add(reader)
        try:
            while not self._stop.is_set():
                try:
                    yield await asyncio.wait_for(queue.get(), 5.0)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._readers.discard(reader)

    def close(self) -> None:
        """End reading, and every stream."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            try:
                alert = read_value(self._types, message.value(), raw=False)[1]
            except (ValueError, LookupError, BusError) as error:
                log.error("an alert could not be read", problem=type(error).__name__)
                continue
            with self._lock:
                readers = list(self._readers)
            for loop, queue in readers:
                loop.call_soon_threadsafe(_offer, queue, shown(alert))


def _offer(queue: asyncio.Queue[dict[str, Any] | None], alert: dict[str, Any]) -> None:
    if not queue.full():
        queue.put_nowait(alert)
