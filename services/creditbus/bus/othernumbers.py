"""What other numbers of organisations lead to, as ``credit.identities`` tells: read when somebody asks, kept in memory.

Nearly every event names its subject by a code, so nothing is followed: whoever asks for a number that is not known has
what is new read first. Rows of persons are passed over.
"""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

from creditbus.bus.kafka import consumer_config, translated
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import ReconnectError
from creditbus.core.identity import TOKEN, Identity

TOPIC = "credit.identities"
_UNKNOWN_SECONDS, _KNOWN_SECONDS = 1.0, 30.0
"""So old may be what was read when a number is not known, and when it is."""
_ANSWER_SECONDS = 20.0
_GROUP = "creditbus-other-numbers"


class OtherNumbers:
    """A copy of the rows of organisations."""

    def __init__(self, brokers: str, types: Types) -> None:
        self._brokers = brokers
        self._types = types
        self._known: dict[str, str] = {}
        self._places: dict[int, int] = {}
        """Where to read on, by partition."""
        self._read_at = -_KNOWN_SECONDS

    def leads_to(self, key: str) -> str | None:
        """Subject that the number under this key leads to. Raises ReconnectError while the brokers are away."""
        age = time.monotonic() - self._read_at
        if age > (_KNOWN_SECONDS if key in self._known else _UNKNOWN_SECONDS):
            self._read_on()
            self._read_at = time.monotonic()
        return self._known.get(key)

    def _read_on(self) -> None:
        """Up to the end of what is committed."""
        consumer = Consumer(consumer_config(self._brokers, _GROUP, enable_partition_eof=True))
        try:
            with translated(f"reading {TOPIC}"):
                partitions = consumer.list_topics(TOPIC, timeout=_ANSWER_SECONDS).topics[TOPIC].partitions
                left = set(partitions)
                consumer.assign([TopicPartition(TOPIC, one, self._places.get(one, 0)) for one in left])
                until = time.monotonic() + _ANSWER_SECONDS
                while left:
                    for message in consumer.consume(10_000, 0.05):
                        error = message.error()
                        if error is None:
                            self._take(message.key() or b"", message.value())
                            until = time.monotonic() + _ANSWER_SECONDS
                        elif error.code() == KafkaError._PARTITION_EOF:
                            left.discard(message.partition() or 0)
                        else:
                            raise ReconnectError(f"Kafka: {error.str()} while reading {TOPIC}; connecting again")
                        self._places[message.partition() or 0] = (message.offset() or 0) + (error is None)
                    if left and time.monotonic() > until:
                        raise ReconnectError(f"Kafka: {TOPIC} gives nothing for {_ANSWER_SECONDS:.0f} s")
        finally:
            consumer.close()

    def _take(self, key: bytes, value: bytes | None) -> None:
        if key.startswith(f"{TOKEN}|".encode()):
            return
        if value is None:
            self._known.pop(key.decode(), None)
            return
        _, row = read_value(self._types, value, raw=False)
        told = Identity(row["scheme"], row["alias"], row["subject_key"])
        self._known[told.key] = told.subject_key
