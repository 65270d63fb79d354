"""Kafka clients: their settings, and the translation of their errors into ours.

``partitioner=murmur2_random`` is the Java clients' default, set so that every language agrees on partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from creditbus.bus.logs import Seldom
from creditbus.bus.security import KafkaSecurity
from creditbus.core.errors import FencedError, ReconnectError, RetryLaterError

log = structlog.get_logger()

_FENCED = frozenset(
    {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.FENCED_INSTANCE_ID}
)
_TOLD = {
    KafkaError._TRANSPORT: "a broker does not answer",
    KafkaError._AUTHENTICATION: "a broker refuses this user: see CREDITBUS_KAFKA_SASL_USERNAME, _SASL_PASSWORD_FILE",
    KafkaError._SSL: "no TLS with a broker: see CREDITBUS_KAFKA_SECURITY_PROTOCOL and _CA_FILE",
}


class _Teller:
    """Says what is wrong with a broker, each trouble once in a while, whichever clients of the process notice it."""

    def __init__(self) -> None:
        self._is_due = Seldom()

    def __call__(self, error: KafkaError) -> None:
        code = error.code()
        if code in _TOLD and self._is_due(code):
            log.warning(_TOLD[code], problem=error.str())


LOG: dict[str, Any] = {"log_level": 2, "error_cb": _Teller()}
"""What clients say by themselves. From severity 3 on they have a line for every try to connect: two hundred while a
broker was started again."""
_AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})
"""What the client says of brokers that are gone: none is left, and connecting failed. The first alone is told when a
broker closes idle connections, the second alone of one broker of several."""
_RETRY_MS = 20
"""A transaction that begins while the broker still ends the one before is refused and asked for again after so long, as
the Java client does; librdkafka's own 100 ms made most of the latest commits late. It doubles up to a second."""

Lost = Callable[[], None]
"""Called when the brokers are, or were, away."""
ConfigValue = Any
"""A number, a text, a truth value, or a callback."""


def _dotted(extra: Mapping[str, ConfigValue]) -> dict[str, ConfigValue]:
    """Keyword arguments as librdkafka names them: dots, but for callbacks."""
    return {name if name.endswith("_cb") else name.replace("_", "."): value for name, value in extra.items()}


def reaching(brokers: str) -> dict[str, ConfigValue]:
    """Where the brokers are and how to prove to them who asks. Raises SettingsError."""
    return {"bootstrap.servers": brokers, **KafkaSecurity().for_librdkafka()}


PATIENT = {"fetch_wait_max_ms": 500}
"""For who reads for long: each fetch names every partition, and an idle broker had most of its work with them.

Whoever reads to an end, or begins anew at another place, waits for the answer to the fetch before.
"""


def consumer_config(brokers: str, group: str, **extra: ConfigValue) -> dict[str, ConfigValue]:
    """A consumer that sees committed messages only and commits nothing by itself."""
    return {
        **reaching(brokers),
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 32768,
        **LOG,
        **_dotted(extra),
    }


def producer_config(brokers: str, **extra: ConfigValue) -> dict[str, ConfigValue]:
    """An idempotent producer whose messages count only when all in-sync replicas have them."""
    return {
        **reaching(brokers),
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 131_072,
        **LOG,
        **_dotted(extra),
    }


def admin(brokers: str) -> AdminClient:
    """An admin client."""
    return AdminClient({**reaching(brokers), **LOG})


def ignored() -> None:
    """For whom it does not matter that the brokers were away."""


def when_away(lost: Lost) -> Callable[[KafkaError], None]:
    """Calls ``lost`` once the errors of a client say that no broker can be reached, for its setting ``error_cb``."""
    seen: set[int] = set()

    def note(error: KafkaError) -> None:
        seen.add(error.code())
        if seen >= _AWAY:
            lost()

    return note


def failed(error: KafkaError, doing: str) -> ReconnectError:
    """What to raise about an error that a consumer hands over like a message. ``doing`` completes 'while …'."""
    return ReconnectError(f"Kafka: {error.str()} while {doing}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn a client's error into the error that says what to do next. ``doing`` completes 'while …'."""
    try:
        yield
    except KafkaException as exception:
        error = exception.args[0]
        code = error.code() if isinstance(error, KafkaError) else None
        text = f"Kafka: {error.str() if isinstance(error, KafkaError) else exception} while {doing}"
        if code in _FENCED:
            raise FencedError(f"{text}; another process owns this slot, so this one ends") from exception
        raise ReconnectError(text) from exception
    except BufferError as exception:
        raise RetryLaterError(
            f"Kafka: the producer's queue is full while {doing}", retry_after_seconds=0.2
        ) from exception


def end_offset(brokers: str, topic: str, partition: int, timeout: float = 10.0) -> int:
    """End of a partition including open transactions: a restore that stops earlier could miss committed state."""
    consumer = Consumer(
        {
            **reaching(brokers),
            "group.id": "creditbus-watermarks",
            "isolation.level": "read_uncommitted",
            **LOG,
        }
    )
    try:
        with translated(f"reading the end of {topic} [{partition}]"):
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout)
    finally:
        consumer.close()
    return int(end)


def produce_everywhere(producer: Producer, topic: str, value: bytes, seconds: float) -> None:
    """Queue a message without a key for every partition of a topic. seconds: how long to ask which there are."""
    for partition in producer.list_topics(topic, timeout=seconds).topics[topic].partitions:
        producer.produce(topic, value, None, partition)


def transactional_producer(
    brokers: str, transactional_id: str, timeout_ms: int = 10_000, lost: Lost = ignored
) -> Producer:
    """A producer for transactions, with every older producer of this id fenced and its open transaction aborted.

    lost: called while the producer is polled when the brokers are, or were, away.
    """
    producer = Producer(
        producer_config(
            brokers,
            transactional_id=transactional_id,
            transaction_timeout_ms=timeout_ms,
            retry_backoff_ms=_RETRY_MS,
            error_cb=when_away(lost),
        )
    )
    with translated("starting transactions"):
        producer.init_transactions(30.0)
    return producer
