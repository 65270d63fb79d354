"""The clock's view of credit.records: the last tick of each partition, and writing new ones."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from creditbus.bus.kafka import consumer_config, producer_config, translated
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writer, read_value
from creditbus.clock.steps import Tick
from creditbus.core.errors import ReconnectError
from creditbus.core.framing import WireError

TOPIC = "credit.records"
_TIMES = ("ClockTick", "ClockJump")
_BACK = 2_000
"""How far back the search for the last tick begins; it doubles until one is found."""


class TickLog:
    """Reads and writes the ticks of every partition."""

    def __init__(self, brokers: str, registry: Registry, schemas: SchemaSet) -> None:
        self._brokers = brokers
        self._types = Types(registry)
        self._write = Writer(registry, TOPIC, schemas.records["ClockTick"])
        self._producer = Producer(producer_config(brokers, linger_ms=0))

    def partitions(self) -> list[int]:
        """All partitions of the topic."""
        with translated("reading the partitions of credit.records"):
            return sorted(self._producer.list_topics(TOPIC, timeout=15).topics[TOPIC].partitions)

    def last_ticks(self) -> dict[int, int]:
        """Business time of the last tick of each partition that has one."""
        found = {partition: self._last_tick(partition) for partition in self.partitions()}
        return {partition: at for partition, at in found.items() if at is not None}

    def write(self, partition: int, tick: Tick) -> None:
        """Queue one tick."""
        value = self._write({"at": tick.at_ms, "previous": tick.previous_ms})
        with translated("writing a tick"):
            self._producer.produce(TOPIC, value, None, partition)

    def flush(self) -> None:
        """Wait until the brokers have every queued tick. Raises ReconnectError when they do not answer."""
        if self._producer.flush(15):
            raise ReconnectError("Kafka: a tick was not acknowledged; connecting again")

    def _last_tick(self, partition: int) -> int | None:
        consumer = Consumer(consumer_config(self._brokers, "creditbus-clock", enable_partition_eof=True))
        try:
            place = TopicPartition(TOPIC, partition)
            with translated("looking for the last tick"):
                first, end = consumer.get_watermark_offsets(place, timeout=15)
            back = _BACK
            while True:
                start = max(first, end - back)
                at = self._newest_from(consumer, TopicPartition(TOPIC, partition, start))
                if at is not None or start == first:
                    return at
                back *= 8
        finally:
            consumer.close()

    def _newest_from(self, consumer: Consumer, place: TopicPartition) -> int | None:
        newest: int | None = None
        consumer.assign([place])
        while True:
            with translated("looking for the last tick"):
                message = consumer.poll(10.0)
            if message is None:
                raise ReconnectError("Kafka: credit.records does not answer; connecting again")
            error = message.error()
            if error is None:
                newest = self._tick_of(message.value(), newest)
            elif error.code() == KafkaError._PARTITION_EOF:
                return newest
            else:
                raise ReconnectError(f"Kafka: {error.str()} while looking for the last tick; connecting again")

    def _tick_of(self, value: bytes | None, newest: int | None) -> int | None:
        """The tick's time, or what is known so far for every other message; the dossier parks what nobody can read."""
        try:
            schema, fields = read_value(self._types, value)
        except (WireError, UnknownSchemaError):
            return newest
        return int(fields["at"]) if schema.short_name in _TIMES else newest
