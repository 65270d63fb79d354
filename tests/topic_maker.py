"""Topics of a test on a real Kafka: made, and known to the broker that is asked next."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from waiting import wait_until


def make_topic(brokers: str, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
    """Returns when the leader of every partition answers: it is named a moment before it does."""
    admin = AdminClient({"bootstrap.servers": brokers})  # kept: its futures fail when it is collected
    for future in admin.create_topics([NewTopic(topic, partitions, 1, config=dict(config or {}))]).values():
        future.result()

    def is_known() -> bool:
        found = admin.list_topics(topic, timeout=10).topics[topic]
        if len(found.partitions) < partitions or any(one.leader < 0 for one in found.partitions.values()):
            return False
        places = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(partitions)}  # type: ignore[no-untyped-call]
        try:
            return all(answer.result().offset == 0 for answer in admin.list_offsets(places).values())
        except KafkaException:
            return False

    wait_until(f"{topic} has its partitions", is_known)
