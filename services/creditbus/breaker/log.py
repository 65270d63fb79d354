"""The breaker's view of the log: listings and orders to read, orders to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from creditbus.breaker.steps import Decision
from creditbus.bus.kafka import consumer_config, failed, transactional_producer, translated
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers, read_value
from creditbus.core.framing import WireError
from creditbus.core.records import Alert
from creditbus.core.topics import ALERTS, BREAKER, LISTINGS, PERSON_SUFFIX, RECORDS

ALL_LISTINGS = (LISTINGS, f"{LISTINGS}{PERSON_SUFFIX}")
_ANSWER_SECONDS = 15.0


class BreakerLog:
    """Reads what the breaker counts, and writes what it decides. Raises ReconnectError when Kafka does not answer."""

    def __init__(self, brokers: str, registry: Registry, schemas: SchemaSet) -> None:
        self._types = Types(registry)
        self._writers = Writers(registry, schemas)
        self._producer = transactional_producer(brokers, "creditbus-breaker")
        self._consumer = Consumer(consumer_config(brokers, "creditbus-breaker", enable_partition_eof=True))
        self._behind: set[tuple[str, int]] = set()
        with translated("reading the partitions of the log"):
            topics = self._consumer.list_topics(timeout=_ANSWER_SECONDS).topics
        self._records = sorted(topics[RECORDS].partitions)
        self._listings = [TopicPartition(name, number) for name in ALL_LISTINGS for number in topics[name].partitions]

    def follow(self, since_ms: int) -> None:
        """Read listings from a time on, and every order and approval there ever was."""
        wanted = [TopicPartition(place.topic, place.partition, since_ms) for place in self._listings]
        with translated("looking for the window's beginning"):
            # the ends first: what comes while the beginnings are looked for is read, too
            ends = [self._consumer.get_watermark_offsets(place, _ANSWER_SECONDS)[1] for place in self._listings]
            places = self._consumer.offsets_for_times(wanted, _ANSWER_SECONDS)
        for place, end in zip(places, ends, strict=True):
            place.offset = place.offset if place.offset >= 0 else end
        places.append(TopicPartition(BREAKER, 0, OFFSET_BEGINNING))
        self._behind = {(place.topic, place.partition) for place in places}
        self._consumer.assign(places)

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that was there has been read once."""
        return not self._behind

    def read(self, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
        """(type, value) of what has come; a message that nobody can read is not the breaker's to tell of."""
        with translated("reading listings"):
            messages = self._consumer.consume(5_000, seconds)
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                self._behind.discard((message.topic() or "", message.partition() or 0))
                continue
            if error is not None:
                raise failed(error, f"reading {message.topic()}")
            try:
                schema, value = read_value(self._types, message.value())
            except (WireError, UnknownSchemaError):
                continue
            yield schema.short_name, value

    def order(self, decision: Decision, reason: str, alert: Alert | None) -> None:
        """Put an order into every partition of the records, and tell of it: everywhere or nowhere."""
        value = {
            "control_id": decision.control_id,
            "action": decision.action,
            "source": decision.source,
            "at": decision.at_ms,
            "listings": decision.listings,
            "band": decision.band,
            "window_hours": decision.window_hours,
            "approved_by": list(decision.approved_by),
            "reason": reason,
        }
        control = self._writers(RECORDS, "SourceOrder")(value)
        with translated("ordering about a source"):
            self._producer.begin_transaction()
            for partition in self._records:
                self._producer.produce(RECORDS, control, None, partition)
            self._producer.produce(BREAKER, self._writers(BREAKER, "SourceOrder")(value), decision.source.encode())
            if alert is not None:
                told = self._writers(ALERTS, "Alert").of_struct(alert)
                self._producer.produce(ALERTS, told, alert.subject_key.encode())
            self._producer.commit_transaction(_ANSWER_SECONDS)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
