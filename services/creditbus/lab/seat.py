"""The place of a group's only member: nobody works while its state is changed from outside."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from creditbus.bus.kafka import admin, consumer_config, translated
from creditbus.lab.errors import AtWorkError

_LEAVES_SECONDS = 10.0
"""A process that ended is a member until its session times out (bus/transaction.py)."""
_JOINS_SECONDS = 30.0
_ANSWER_SECONDS = 15.0
_KILLED_MS = 10_000
"""How long the place stays taken after a kill."""
_LONGEST_MS = 86_400_000
"""It asks for no messages; the group waits for it for so long."""


class Seat:
    """Held until it is left. What is committed as ``member`` fails when another one has come meanwhile (KIP-447)."""

    def __init__(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        with translated("reading committed offsets"):
            found = consumer.committed(partitions, _ANSWER_SECONDS)
        self.committed: Mapping[int, int] = {one.partition: one.offset for one in found}
        """The group's offsets by partition; negative where there is none."""

    @property
    def member(self) -> Any:
        """Which member of which generation this is."""
        return self._consumer.consumer_group_metadata()


@contextmanager
def only_member(brokers: str, group: str, topic: str) -> Iterator[Seat]:
    """Take the place of the only member of a group that reads a topic.

    Raises AtWorkError when there are others, ReconnectError when the brokers do not answer.
    """
    _wait_until_empty(brokers, group)
    config = consumer_config(
        brokers,
        group,
        partition_assignment_strategy="range",
        session_timeout_ms=_KILLED_MS,
        max_poll_interval_ms=_LONGEST_MS,
    )
    with closing(Consumer(config)) as consumer:
        assigned: list[TopicPartition] = []

        def keep(_: Consumer, partitions: list[TopicPartition]) -> None:
            assigned.extend(partitions)
            consumer.assign([])  # nothing is read

        with translated(f"joining {group}"):
            consumer.subscribe([topic], on_assign=keep)
            until = time.monotonic() + _JOINS_SECONDS
            while not assigned and time.monotonic() < until:
                consumer.poll(0.2)
            everything = len(consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions)
        if len(assigned) != everything:
            raise _at_work(group)
        yield Seat(consumer, assigned)


def _wait_until_empty(brokers: str, group: str) -> None:
    client = admin(brokers)  # kept: its futures fail when it is collected
    until = time.monotonic() + _LEAVES_SECONDS
    while True:
        with translated(f"asking who works in {group}"):
            found = client.describe_consumer_groups([group], request_timeout=_ANSWER_SECONDS)[group].result()
        if not found.members:
            return
        if time.monotonic() > until:
            raise _at_work(group)
        time.sleep(0.5)


def _at_work(group: str) -> AtWorkError:
    return AtWorkError(
        en=f"{group} is at work: stop it first. In a lab `creditbus down`, then "
        "`creditbus up --detach --services none`; elsewhere leave it no replica",
        zh=f"{group} 正在运行，请先停止。lab 中先执行 `creditbus down`，再执行 "
        "`creditbus up --detach --services none`；其他环境将其副本数设为零",
    )
