"""Editions of the catalogue on their topic: published by hash, read by hash.

The topic is compacted and keyed by hash, so every edition that was ever activated can be had, also by a replay
years later.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from creditbus.bus.kafka import consumer_config, producer_config, translated
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writer
from creditbus.core.errors import ReconnectError, RetryLaterError, StopError

TOPIC = "credit.editions"
RECORDS = "credit.records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Which edition takes effect, with which engine, when, and who approved it."""

    hash: str
    engine: int
    at_ms: int
    approved_by: tuple[str, ...]


def publish_edition(brokers: str, text: bytes) -> str:
    """Write an edition under its hash and wait until the brokers have it. Returns the hash."""
    name = hashlib.sha256(text).hexdigest()
    producer = Producer(producer_config(brokers, compression_type="zstd"))
    failures: list[str] = []
    with translated("publishing an edition"):
        producer.produce(TOPIC, text, name.encode(), 0, on_delivery=lambda e, _: failures.append(str(e)) if e else None)
        left = producer.flush(30)
    if left or failures:
        raise ReconnectError(f"Kafka: the edition was not acknowledged {failures}; trying again")
    return name


def activate_edition(brokers: str, registry: Registry, schemas: SchemaSet, edition: Activation) -> None:
    """Put an edition in force: a control record in every partition of credit.records. Repeating it changes nothing."""
    write = Writer(registry, RECORDS, schemas.records["EditionInForce"])
    producer = Producer(producer_config(brokers, linger_ms=0))
    value = write(
        {
            "edition": edition.hash,
            "engine": edition.engine,
            "activated_at": edition.at_ms,
            "approved_by": list(edition.approved_by),
        }
    )
    with translated("activating an edition"):
        for partition in producer.list_topics(RECORDS, timeout=15).topics[RECORDS].partitions:
            producer.produce(RECORDS, value, None, partition)
        left = producer.flush(30)
    if left:
        raise ReconnectError("Kafka: the activation was not acknowledged; trying again")


def read_editions(brokers: str) -> dict[str, bytes]:
    """Every published edition, by hash."""
    consumer = Consumer(consumer_config(brokers, "creditbus-editions", enable_partition_eof=True))
    editions: dict[str, bytes] = {}
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        while True:
            with translated("reading editions"):
                message = consumer.poll(10.0)
            if message is None:
                raise ReconnectError(f"Kafka: {TOPIC} does not answer; trying again")
            error = message.error()
            if error is None:
                key, value = message.key(), message.value()
                if key is not None and value is not None:
                    editions.pop(key.decode(), None)  # so that the order is that of the last publication
                    editions[key.decode()] = value
            elif error.code() == KafkaError._PARTITION_EOF:
                return editions
            else:
                raise ReconnectError(f"Kafka: {error.str()} while reading {TOPIC}; trying again")
    finally:
        consumer.close()


def newest_edition(brokers: str) -> str:
    """Hash of the edition that was published last. Raises RetryLaterError while there is none."""
    editions = list(read_editions(brokers))
    if not editions:
        raise RetryLaterError(f"{TOPIC} is empty: no catalogue was published yet (the lab's deploy step does it)")
    return editions[-1]


def edition_text(brokers: str, name: str) -> bytes:
    """The text of an edition, checked against its hash. Raises StopError when it is not on the topic."""
    text = read_editions(brokers).get(name)
    if text is None:
        raise StopError(f"edition {name} is in force but not on {TOPIC}: publish it with `creditbus catalogue publish`")
    if hashlib.sha256(text).hexdigest() != name:
        raise StopError(f"the text of edition {name} on {TOPIC} does not match its hash")
    return text
