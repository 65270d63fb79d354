"""Records in quarantine: reading them, what an order would do, and giving the order."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config, translated
from creditbus.bus.places import PlaceReader
from creditbus.bus.registry import Registry
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, Writer, body_reader, read_value
from creditbus.core.errors import ReconnectError
from creditbus.core.processing import Position
from creditbus.core.quarantine import QuarantineOrder
from creditbus.core.topics import PERSON_SUFFIX, QUARANTINE, RECORDS
from creditbus.dossier.processor import LogReader, lookups_of, records_at
from creditbus.dossier.steps import Decided, decide_or_park
from creditbus.lab.reading import read_topic
from creditbus.lab.snapshot import read_snapshots

TOPICS = (QUARANTINE, f"{QUARANTINE}{PERSON_SUFFIX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The queue of one subject."""

    subject_key: str
    partition: int
    records: tuple[Mapping[str, Any], ...]
    """Values of type Parked, in order."""

    @property
    def cause(self) -> Mapping[str, Any]:
        """The record that holds up the others."""
        return self.records[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would do, decided on the state as it is now by the program as it is here."""

    decided: Decided
    score_before: int | None
    score_after: int | None
    still_waiting: int


class Quarantine:
    """The queues as the topics hold them now."""

    def __init__(self, brokers: str, registry_url: str) -> None:
        self._brokers = brokers
        self._registry = Registry(registry_url)
        self._types = Types(self._registry)
        self._schemas = SchemaSet.load()

    def close(self) -> None:
        """Release the connection to the registry."""
        self._registry.close()

    def waiting(self) -> list[Waiting]:
        """Every queue, by subject."""
        found: dict[tuple[str, int], dict[bytes, Mapping[str, Any]]] = {}

        def use(messages: Sequence[Any]) -> None:
            for message in messages:
                subject = message.key().rpartition(b"|")[0].decode()
                queue = found.setdefault((subject, message.partition()), {})
                if message.value() is None:
                    queue.pop(message.key(), None)
                else:
                    queue[message.key()] = read_value(self._types, message.value())[1]

        for topic in TOPICS:
            read_topic(self._brokers, topic, use)
        return [
            Waiting(subject_key=subject, partition=partition, records=tuple(queue[key] for key in sorted(queue)))
            for (subject, partition), queue in sorted(found.items())
            if queue
        ]

    def preview(self, waiting: Waiting, order: QuarantineOrder) -> Preview:
        """What the order would do, without doing it."""
        snapshot = read_snapshots(self._brokers, contains=waiting.subject_key.encode())[waiting.partition]
        store = MemoryStore()
        store.write(dict(snapshot.values), Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0))
        reader = LogReader(self._types)
        lookups = lookups_of(reader, rules_by_hash(self._brokers), body_reader(self._schemas))
        with closing(PlaceReader(self._brokers, RECORDS)) as read_log:
            lookups = replace(lookups, records_at=partial(records_at, reader, read_log, waiting.partition))
            before, _ = decide_or_park(store, (), lookups)
            score_before = before.subject(waiting.subject_key).summary.score
            view, decided = decide_or_park(store, ((order, b"", -1),), lookups)
        summary = view.subject(waiting.subject_key).summary
        return Preview(
            decided=decided,
            score_before=score_before,
            score_after=summary.score,
            still_waiting=summary.parked_to - summary.parked_from,
        )

    def give(self, waiting: Waiting, order: QuarantineOrder, at_ms: int) -> None:
        """Put the order on the log, where the dossier and every replay obey it. Raises ReconnectError."""
        writer = Writer(self._registry, RECORDS, self._schemas.records["QuarantineOrder"])
        value = {
            "order_id": order.order_id,
            "action": order.action,
            "subject_key": order.subject_key,
            "record_id": order.record_id,
            "reason": order.reason,
            "ordered_by": getpass.getuser(),
            "ordered_at": at_ms,
            "engine": 0,
            "edition": "",
        }
        producer = Producer(producer_config(self._brokers))
        with translated("giving the order"):
            producer.produce(RECORDS, writer(value), order.subject_key.encode(), waiting.partition)
            if producer.flush(15):
                raise ReconnectError("Kafka: the order was not acknowledged; give it again")


def new_order(action: str, subject_key: str, record_id: str | None, reason: str) -> QuarantineOrder:
    """An order with an id of its own."""
    return QuarantineOrder(uuid.uuid4().hex, action, subject_key, record_id, reason)
