"""Editions of the catalogue on their topic: published by hash, read by hash, put in force by an event.

The topic is compacted and keyed by hash, so every edition that was ever activated can be had, also by a replay
years later. One more key says which edition is in force; it is written in the same transaction as the event.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from confluent_kafka import Producer, TopicPartition

from creditbus.bus.kafka import produce_everywhere, producer_config, transactional_producer, translated
from creditbus.bus.reading import read_to_end
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writer
from creditbus.catalogue.editions import Edition, named
from creditbus.core.errors import ReconnectError, RetryLaterError, StopError
from creditbus.core.processing import Output
from creditbus.core.topics import EDITIONS, RECORDS

_IN_FORCE = "in-force"
_ANSWER_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Which edition takes effect, with which engine, when, and who approved it."""

    hash: str
    engine: int
    at_ms: int
    approved_by: tuple[str, ...]


def publish_edition(brokers: str, text: bytes) -> str:
    """Write an edition under its hash and wait until the brokers have it. Returns the hash."""
    name = named(text).hash
    producer = Producer(producer_config(brokers, compression_type="zstd"))
    failures: list[str] = []
    with translated("publishing an edition"):
        producer.produce(
            EDITIONS, text, name.encode(), 0, on_delivery=lambda e, _: failures.append(str(e)) if e else None
        )
        left = producer.flush(30)
    if left or failures:
        raise ReconnectError(f"Kafka: the edition was not acknowledged ({failures[0] if failures else 'no answer'})")
    return name


def activate_edition(
    brokers: str, registry: Registry, schemas: SchemaSet, edition: Activation, also: Sequence[Output] = ()
) -> None:
    """Put an edition in force: everywhere or nowhere. Repeating it changes nothing.

    A control record in every partition of credit.records, and what else is told of it (``also``), in one transaction.
    """
    write = Writer(registry, RECORDS, schemas.records["EditionInForce"])
    value = write(
        {
            "edition": edition.hash,
            "engine": edition.engine,
            "activated_at": edition.at_ms,
            "approved_by": list(edition.approved_by),
        }
    )
    producer = transactional_producer(brokers, "creditbus-editions")
    with translated("activating an edition"):
        producer.begin_transaction()
        produce_everywhere(producer, RECORDS, value, _ANSWER_SECONDS)
        producer.produce(EDITIONS, json.dumps(asdict(edition)).encode(), _IN_FORCE.encode(), 0)
        for one in also:
            producer.produce(one.topic, one.value, one.key)
        producer.commit_transaction(_ANSWER_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the topic held when it was read."""

    texts: Mapping[str, bytes]
    """Every edition by its hash, in the order in which they were published."""
    in_force: Activation | None
    """What was activated last; None before anything was."""

    @property
    def current(self) -> str:
        """Hash of the edition in force. Raises RetryLaterError while there is none.

        On a log of before activations stood on the topic it is the one that was published last.
        """
        if self.in_force is not None:
            return self.in_force.hash
        if not self.texts:
            raise RetryLaterError(f"{EDITIONS} is empty: no catalogue was published (the lab's deploy step does)")
        return list(self.texts)[-1]

    @property
    def present(self) -> Edition:
        """The edition in force. Raises RetryLaterError while there is none."""
        return self.edition(self.current)

    def edition(self, name: str) -> Edition:
        """An edition, its text checked against its hash. Raises StopError when it is not on the topic."""
        text = self.texts.get(name)
        if text is None:
            raise StopError(
                f"edition {name} is in force but not on {EDITIONS}: publish it again, `creditbus rules propose`"
            )
        edition = named(text)
        if edition.hash != name:
            raise StopError(f"the text of edition {name} on {EDITIONS} does not match its hash")
        return edition


def read_editions(brokers: str) -> Published:
    """Everything on the topic now."""
    values: dict[str, bytes] = {}
    for messages in read_to_end(brokers, "creditbus-editions", [TopicPartition(EDITIONS, 0, 0)]):
        for message in messages:
            key, value = message.key(), message.value()
            if key is not None and value is not None:
                values.pop(key.decode(), None)
                values[key.decode()] = value
    told = values.pop(_IN_FORCE, None)
    return Published(texts=values, in_force=None if told is None else _activation(told))


def current_edition(brokers: str) -> str:
    """Hash of the edition in force. Raises RetryLaterError while there is none."""
    return read_editions(brokers).current


def watch_edition(brokers: str, name: str, every_seconds: float = 10.0) -> Callable[[], bool]:
    """A function that says whether another edition than this one is in force by now; it asks now and then."""
    asked_at, is_other = time.monotonic(), False

    def has_changed() -> bool:
        nonlocal asked_at, is_other
        if not is_other and time.monotonic() - asked_at > every_seconds:
            asked_at, is_other = time.monotonic(), current_edition(brokers) != name
        return is_other

    return has_changed


def _activation(told: bytes) -> Activation:
    value = json.loads(told)
    return Activation(**{**value, "approved_by": tuple(value["approved_by"])})
