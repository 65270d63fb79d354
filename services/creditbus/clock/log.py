"""The clock's view of credit.records: the last tick of each partition, and writing new ones."""

from __future__ import annotations

from contextlib import closing

from confluent_kafka import Consumer, Producer, TopicPartition

from creditbus.bus.kafka import consumer_config, producer_config, translated
from creditbus.bus.reading import read_to_end
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writer, read_value
from creditbus.clock.steps import Tick
from creditbus.core.errors import ReconnectError
from creditbus.core.framing import WireError
from creditbus.core.topics import RECORDS

_GROUP = "creditbus-clock"
_TIMES = ("ClockTick", "ClockJump")
_BACK = 2_000
"""How far back the search for the last tick begins; it doubles until one is found."""


class TickLog:
    """Reads and writes the ticks of every partition."""

    def __init__(self, brokers: str, registry: Registry, schemas: SchemaSet) -> None:
        self._brokers = brokers
        self._types = Types(registry)
        self._write = Writer(registry, RECORDS, schemas.records["ClockTick"])
        self._producer = Producer(producer_config(brokers, linger_ms=0))

    def partitions(self) -> list[int]:
        """All partitions of the topic."""
        with translated("reading the partitions of credit.records"):
            return sorted(self._producer.list_topics(RECORDS, timeout=15).topics[RECORDS].partitions)

    def last_ticks(self) -> dict[int, int]:
        """Business time of the last tick of each partition that has one."""
        found = {partition: self._last_tick(partition, *bounds) for partition, bounds in self._bounds().items()}
        return {partition: at for partition, at in found.items() if at is not None}

    def write(self, partition: int, tick: Tick) -> None:
        """Queue one tick."""
        value = self._write({"at": tick.at_ms, "previous": tick.previous_ms})
        with translated("writing a tick"):
            self._producer.produce(RECORDS, value, None, partition)

    def flush(self) -> None:
        """Wait until the brokers have every queued tick. Raises ReconnectError when they do not answer."""
        if self._producer.flush(15):
            raise ReconnectError("Kafka: a tick was not acknowledged")

    def _bounds(self) -> dict[int, tuple[int, int]]:
        """First offset and end of each partition."""
        with (
            closing(Consumer(consumer_config(self._brokers, _GROUP))) as consumer,
            translated("looking for the last tick"),
        ):
            places = [TopicPartition(RECORDS, partition) for partition in self.partitions()]
            return {place.partition: consumer.get_watermark_offsets(place, timeout=15) for place in places}

    def _last_tick(self, partition: int, first: int, end: int) -> int | None:
        back = _BACK
        while True:
            start = max(first, end - back)
            at = self._newest_from(TopicPartition(RECORDS, partition, start))
            if at is not None or start == first:
                return at
            back *= 8

    def _newest_from(self, place: TopicPartition) -> int | None:
        newest: int | None = None
        for messages in read_to_end(self._brokers, _GROUP, [place]):
            for message in messages:
                newest = self._tick_of(message.value(), newest)
        return newest

    def _tick_of(self, value: bytes | None, newest: int | None) -> int | None:
        """The tick's time, or what is known so far for every other message; the dossier parks what nobody can read."""
        try:
            schema, fields = read_value(self._types, value)
        except (WireError, UnknownSchemaError):
            return newest
        return int(fields["at"]) if schema.short_name in _TIMES else newest
