"""Where dead letters go: on their topic, acknowledged before the reader moves past the message."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from creditbus.bus.kafka import producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writer
from creditbus.core.deadletter import DeadLetter
from creditbus.core.errors import DeadLetterError
from creditbus.core.topics import DEAD_LETTERS

_SECONDS = 15.0


class DeadLetters:
    """Writes dead letters. They are rare, so each batch of them is flushed by itself."""

    def __init__(self, brokers: str, registry: Registry, schemas: SchemaSet) -> None:
        self._producer = Producer(producer_config(brokers, message_timeout_ms=int(_SECONDS * 1000)))
        self._writer = Writer(registry, DEAD_LETTERS, schemas.records["DeadLetter"])

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Return when all in-sync replicas have them. Raises DeadLetterError otherwise."""
        failed: list[str] = []

        def reported(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error.str())

        try:
            for letter in letters:
                self._producer.produce(DEAD_LETTERS, self._writer.of_struct(letter), letter.key, on_delivery=reported)
            left = self._producer.flush(_SECONDS + 1)
        except (KafkaException, BufferError) as error:
            raise DeadLetterError(f"Kafka: {error} while writing dead letters; starting again") from error
        if failed or left:
            problem = failed[0] if failed else "no acknowledgement"
            raise DeadLetterError(f"Kafka: {problem} while writing {len(letters)} dead letters; starting again")
