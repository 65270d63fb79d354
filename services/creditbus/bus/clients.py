"""The Kafka clients that the transactional loop works with: its port, and the real ones.

Whoever stands in for them has the same methods, hands over the same values and raises the same exceptions
(KafkaException with a KafkaError); ``bus/kafka.py`` translates those for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from confluent_kafka import Consumer, TopicCollection, TopicPartition

from creditbus.bus.kafka import Lost, admin, consumer_config, end_offset, ignored, transactional_producer, translated

Moved = Callable[[Any, list[TopicPartition]], None]
"""Called from within ``consume`` with the consumer and the partitions that come or go."""


class Reader(Protocol):
    """A consumer of committed messages that belongs to one thread."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Read these partitions from these offsets on."""

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        """At most so many messages, within so many seconds; what is wrong with a partition comes as a message."""

    def close(self) -> None:
        """Release it. A static member stays in its group until its session times out."""


class Member(Reader, Protocol):
    """A consumer that shares the partitions of its topics with the other members of its group."""

    def subscribe(self, topics: list[str], *, on_assign: Moved, on_revoke: Moved, on_lost: Moved) -> None:
        """Join the group."""

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The group's offsets, once no transaction holds them open; negative where there is none."""

    def unassign(self) -> None:
        """Read nothing."""

    def consumer_group_metadata(self) -> Any:
        """Which member of which generation this is: fences zombies when it goes into a transaction (KIP-447)."""


class TransactionalProducer(Protocol):
    """A producer whose older namesakes are fenced and their transactions aborted."""

    def begin_transaction(self) -> None:
        """Everything produced from here on is of one transaction."""

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        *,
        on_delivery: Any = None,
        headers: Any = None,
    ) -> None:
        """Queue a message. Raises BufferError when the queue is full."""

    def poll(self, timeout: float) -> int:
        """Serve delivery reports."""

    def flush(self, timeout: float) -> int:
        """Wait until everything is acknowledged."""

    def send_offsets_to_transaction(self, positions: list[TopicPartition], group_metadata: Any, timeout: float) -> None:
        """The group's offsets become part of the transaction."""

    def commit_transaction(self, timeout: float) -> None:
        """All or nothing, from here on."""


class Clients(Protocol):
    """Makes clients of one cluster."""

    def member(self, group: str, **extra: Any) -> Member:
        """A member of a consumer group; extra: settings as keyword arguments (bus/kafka.py)."""

    def reader(self, group: str) -> Reader:
        """A reader of partitions that it is told of, with an event at the end of each."""

    def producer(self, transactional_id: str, timeout_ms: int, lost: Lost = ignored) -> TransactionalProducer:
        """The one producer of that id. lost: called from within ``poll`` when no broker could be reached."""

    def end_offset(self, topic: str, partition: int) -> int:
        """End of a partition, open transactions included."""

    def topic_ids(self, topics: Sequence[str]) -> list[str]:
        """Ids of topics: a topic that was made anew has another."""


class KafkaClients:
    """The real ones."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers

    def member(self, group: str, **extra: Any) -> Member:
        """See Clients."""
        return Consumer(consumer_config(self._brokers, group, **extra))

    def reader(self, group: str) -> Reader:
        """See Clients."""
        return Consumer(consumer_config(self._brokers, group, enable_partition_eof=True))

    def producer(self, transactional_id: str, timeout_ms: int, lost: Lost = ignored) -> TransactionalProducer:
        """See Clients."""
        return transactional_producer(self._brokers, transactional_id, timeout_ms, lost)

    def end_offset(self, topic: str, partition: int) -> int:
        """See Clients."""
        return end_offset(self._brokers, topic, partition)

    def topic_ids(self, topics: Sequence[str]) -> list[str]:
        """See Clients."""
        with translated("reading topic ids"):
            client = admin(self._brokers)  # kept: its futures fail when it is collected
            futures = client.describe_topics(TopicCollection(list(topics)), request_timeout=15)
            return [str(futures[name].result().topic_id) for name in topics]
