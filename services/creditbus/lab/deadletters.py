"""Dead letters: reading them, and loading their messages into the tables once they can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.bus.reading import sources_of
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import load_topics
from creditbus.bus.wire import Types
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.deadletter import DeadLetter
from creditbus.core.framing import NotConfluentError, unframe
from creditbus.core.ports import PositionedRow
from creditbus.core.topics import DEAD_LETTERS
from creditbus.lab.reading import read_values
from creditbus.warehouse.routes import as_now, is_readable, route_finder
from creditbus.warehouse.steps import UNFRAMED, Table
from creditbus.warehouse.tables import table_specs, tables_of

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one message: its table, or empty when it still cannot be used and why."""

    letter: DeadLetter
    table: str
    problem: str = ""


class DeadLetterFile:
    """The dead letters of the bus."""

    def __init__(self, brokers: str, registry_url: str) -> None:
        self._brokers = brokers
        self._registry = Registry(registry_url)
        self._types = Types(self._registry)

    def close(self) -> None:
        """Release the connection to the registry."""
        self._registry.close()

    def letters(self) -> list[DeadLetter]:
        """Every dead letter once, by place."""
        found: dict[str, DeadLetter] = {}

        def note(_: str, value: dict[str, Any]) -> None:
            letter = DeadLetter(**value)
            found.setdefault(letter.dead_letter_id, letter)

        read_values(self._brokers, DEAD_LETTERS, self._types, note)
        return sorted(found.values(), key=lambda one: (one.topic, one.partition, one.offset))

    def load(self, clickhouse: ClickHouse) -> list[Loaded]:
        """Put the messages that can be read now into their tables; doing it again changes nothing."""
        topics = load_topics()
        tables = tables_of(topics)
        route_of = route_finder(self._types, tables, {topic.name: topic.records for topic in topics})
        rows = ClickHouseRows(clickhouse, table_specs(SchemaSet.load()))
        sources = sources_of(self._brokers, list(tables))
        loaded = []
        for letter in self.letters():
            value = self._message(letter)
            if value is None:
                loaded.append(Loaded(letter, "", "its topic does not hold it any more"))
                continue
            try:
                schema_id, payload = unframe(value)
            except NotConfluentError:
                schema_id, payload = UNFRAMED, value
            table = route_of(letter.topic, schema_id)
            if isinstance(table, Table) and is_readable(self._types, schema_id, payload):
                row = PositionedRow(sources[letter.topic], letter.partition, letter.offset, payload)
                rows.flush(table.name, as_now(self._types, schema_id, [row]))
                loaded.append(Loaded(letter, table.name))
            else:
                loaded.append(Loaded(letter, "", letter.reason))
        return loaded

    def _message(self, letter: DeadLetter) -> bytes | None:
        """The message itself, while its topic holds it."""
        consumer = Consumer(consumer_config(self._brokers, "creditbus-reading"))
        place = TopicPartition(letter.topic, letter.partition, letter.offset)
        try:
            with translated(f"reading {letter.topic}"):
                low, _ = consumer.get_watermark_offsets(place, timeout=_SECONDS)
                if letter.offset < low:
                    return None
                consumer.assign([place])
                message = consumer.poll(_SECONDS)
        finally:
            consumer.close()
        if message is None or message.error() is not None or message.offset() != letter.offset:
            return None
        return message.value()
