"""Bringing a local store up to the changelog before its partition is processed.

The changelog ends in transaction markers that are never delivered, so the end is recognised by the
end-of-partition event, not by the last message. The target is the end including open transactions: the
predecessor's was aborted when this slot's producer started, another slot's runs out within the transaction
timeout, and stopping at the last stable offset would miss what commits in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import KafkaError, TopicPartition

from creditbus.bus.changelog import SOURCE_KEY, changes_of
from creditbus.bus.clients import Clients, KafkaClients, Reader
from creditbus.bus.kafka import failed, translated
from creditbus.bus.metrics import Metrics
from creditbus.core.errors import StopError
from creditbus.core.processing import Position, StateStore

log = structlog.get_logger()

_MAX_AGE_MS = 20 * 3600 * 1000
"""A store that was last written longer ago than this may have missed tombstones that compaction removed
(the changelog keeps them for 24 hours), so it is restored from the start."""


class Restorer:
    """Opens the store of an input partition and replays what its changelog has more."""

    def __init__(
        self,
        *,
        brokers: str,
        changelog: str,
        source: str,
        open_store: Callable[[str, int], StateStore],
        metrics: Metrics,
        clients: Clients | None = None,
    ) -> None:
        """clients: those of ``brokers`` unless others are given."""
        self._clients = clients or KafkaClients(brokers)
        self._changelog = changelog
        self._open_store = open_store
        self._metrics = metrics
        # ids of both topics: offsets of a topic that was deleted and created again mean something else
        self.lineage = "/".join(self._clients.topic_ids((source, changelog)))

    def open(self, topic: str, partition: int, committed: int) -> StateStore:
        """A store that includes everything up to the group's committed offset (negative: none yet).

        Raises StopError when the changelog has less than was committed: going on would lose state. Whatever it raises,
        the store is closed again: what holds the error may hold the store for long, and with it the lock on its files.
        """
        store = self._open_store(topic, partition)
        try:
            self._bring_up(store, partition, committed)
        except BaseException:
            store.close()
            raise
        return store

    def _bring_up(self, store: StateStore, partition: int, committed: int) -> None:
        now_ms = int(time.time() * 1000)
        position = store.position()
        if position is not None and not self._is_usable(position, now_ms):
            log.info("local state wiped", partition=partition, reason="other topics, or older than the changelog keeps")
            store.wipe()
            position = None
        position = self._replay(store, partition, position, now_ms)
        source = position.source_offset if position is not None else 0
        if committed > source:
            raise StopError(
                f"{self._changelog} [{partition}] holds the state up to offset {source}, but {committed} is committed: "
                "state is missing; `creditbus rebuild --into DIR` makes it from the log"
            )

    def _is_usable(self, position: Position, now_ms: int) -> bool:
        return position.lineage == self.lineage and now_ms - position.written_at_ms < _MAX_AGE_MS

    def _replay(self, store: StateStore, partition: int, position: Position | None, now_ms: int) -> Position | None:
        start = position.changelog_offset if position is not None else 0
        target = self._clients.end_offset(self._changelog, partition)
        if target <= start + 1:  # nothing but the marker that ends the transaction of the last note
            return position
        log.info("restoring state", partition=partition, messages=target - start)
        source = position.source_offset if position is not None else 0
        consumer = self._clients.reader("creditbus-restore")
        try:
            consumer.assign([TopicPartition(self._changelog, partition, start)])
            reached, began = start, time.monotonic()
            while reached < target:
                reached, source = self._replay_some(consumer, store, (reached, source, now_ms))
                self._tell(partition, min(1.0, (reached - start) / (target - start)), time.monotonic() - began)
        finally:
            consumer.close()
        log.info("state restored", partition=partition, source_offset=source)
        return Position(source_offset=source, changelog_offset=reached, lineage=self.lineage, written_at_ms=now_ms)

    def _tell(self, partition: int, done: float, seconds: float) -> None:
        """Progress, and how long it will still take at this pace."""
        self._metrics.set("creditbus_restore_progress_ratio", done, partition=str(partition))
        if done:
            remaining = seconds * (1 - done) / done
            self._metrics.set("creditbus_restore_remaining_seconds", remaining, partition=str(partition))

    def _replay_some(self, consumer: Reader, store: StateStore, at: tuple[int, int, int]) -> tuple[int, int]:
        """Apply one batch of changelog messages. Returns the position reached in the changelog and in the input."""
        reached, source, now_ms = at
        changes: dict[bytes, bytes | None] = {}
        with translated("restoring state"):
            messages: list[Any] = consumer.consume(10_000, 0.2)
        for message in messages:
            error = message.error()
            if error is None:
                reached = max(reached, message.offset() + 1)
                if message.key() == SOURCE_KEY:
                    source = int.from_bytes(message.value(), "big")
                else:
                    changes.update(changes_of(message.key(), message.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                reached = max(reached, message.offset())
            else:
                raise failed(error, f"restoring {self._changelog}")
        if messages:
            store.write(
                changes,
                Position(source_offset=source, changelog_offset=reached, lineage=self.lineage, written_at_ms=now_ms),
            )
        return reached, source
