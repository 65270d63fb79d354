"""The idempotent producer of a service that answers requests: publish, and know what the brokers have.

One thread serves delivery reports, so an event loop never waits for Kafka; another asks the brokers now and then
whether they are there, so a request need not be taken on in vain.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from creditbus.bus.kafka import producer_config
from creditbus.core.processing import Output

log = structlog.get_logger()

_PROBE_SECONDS = 2.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPolicy:
    """How much may be on its way, and for how long."""

    max_messages: int = 20_000
    max_bytes: int = 64 * 1024 * 1024
    delivery_seconds: float = 15.0
    """After this time without acknowledgement a message's fate is unknown."""
    compression: str = "lz4"


class Publisher:
    """Publishes messages for one event loop. ``admitted`` and ``publish`` are called from that loop's thread."""

    def __init__(self, brokers: str, policy: PublishPolicy) -> None:
        self._policy = policy
        self._producer = Producer(
            producer_config(
                brokers,
                compression_type=policy.compression,
                message_timeout_ms=int(policy.delivery_seconds * 1000),
                # a refused connection is tried again soon: the broker may just be starting
                reconnect_backoff_max_ms=1_000,
                error_cb=self._on_error,
            )
        )
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve_reports, name="delivery-reports", daemon=True),
            threading.Thread(target=self._probe, name="broker-probe", daemon=True),
        ]
        self.in_flight_messages = 0
        self.in_flight_bytes = 0
        self.is_connected = False
        self.fatal = ""
        """Why the producer cannot be used any more; the process must be started again."""

    def start(self) -> None:
        """Begin to serve delivery reports and to watch the brokers."""
        for thread in self._threads:
            thread.start()

    @contextmanager
    def admitted(self, messages: int, size_bytes: int) -> Iterator[bool]:
        """Hold so much room from now until the end of the block; False when there is none.

        Held from before anything is awaited, since requests that wait their turn would all be admitted otherwise. One
        request alone is always admitted.
        """
        has_room = self.in_flight_messages == 0 or (
            self.in_flight_messages + messages <= self._policy.max_messages
            and self.in_flight_bytes + size_bytes <= self._policy.max_bytes
        )
        if not has_room:
            yield False
            return
        self.in_flight_messages += messages
        self.in_flight_bytes += size_bytes
        try:
            yield True
        finally:
            self.in_flight_messages -= messages
            self.in_flight_bytes -= size_bytes

    async def publish(self, messages: Sequence[Output]) -> list[bool]:
        """For each message whether all in-sync replicas have it. False: nobody knows; sending it again is safe."""
        if not messages:
            return []
        delivery = _Delivery(len(messages))
        for number, message in enumerate(messages):
            self._produce(message, delivery, number)
        await delivery.future
        return delivery.acknowledged

    def close(self, timeout_seconds: float) -> int:
        """Wait for what is on its way, then stop. Returns how many messages were still unacknowledged."""
        left: int = self._producer.flush(timeout_seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join(_PROBE_SECONDS)
        return left

    def _produce(self, message: Output, delivery: _Delivery, number: int) -> None:
        try:
            self._producer.produce(
                message.topic,
                message.value,
                message.key,
                headers=list(message.headers),
                on_delivery=partial(delivery.report, number),
            )
        except (BufferError, KafkaException) as error:
            log.warning("not produced", problem=type(error).__name__)
            delivery.report(number, error)

    def _serve_reports(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(_POLL_SECONDS)

    def _probe(self) -> None:
        while not self._stop.is_set():
            connected = False
            with suppress(KafkaException):
                connected = bool(self._producer.list_topics(timeout=_PROBE_SECONDS).brokers)
            if connected != self.is_connected:
                log.info("brokers answer" if connected else "brokers do not answer")
                self.is_connected = connected
            self._stop.wait(_PROBE_SECONDS if connected else _POLL_SECONDS)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = error.str()
            log.error("producer cannot go on", problem=self.fatal)
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.is_connected = False


class _Delivery:
    """Delivery reports of the messages of one request; the future is set in its own loop when all are in."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self._loop.create_future()
        self.acknowledged = [False] * count
        self._left = count
        self._lock = threading.Lock()

    def report(self, number: int, error: object, message: object = None) -> None:
        """Called by the report thread, or by the loop's own when a message could not even be queued."""
        with self._lock:
            self.acknowledged[number] = error is None
            self._left -= 1
            is_last = self._left == 0
        if is_last:
            # the loop is closed when the service was told to stop in the meantime
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.future.done():
            self.future.set_result(None)
