"""What every kind of Kafka client owes the transactional loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from contract.kafkas import AnyKafka, Create
from creditbus.bus.clients import Clients, Member, Reader

NewTopic = Callable[..., str]
"""(partitions = 1) → name of a new topic."""
PATIENCE_SECONDS = 30.0


class Group:
    """Members of one group, with a diary of what came and went."""

    def __init__(self, clients: Clients, name: str, topic: str) -> None:
        self.diary: list[tuple[str, str]] = []
        self.shares: dict[str, int] = {}
        """Number of partitions of each member."""
        self._made: list[Member] = []
        self._clients, self._name, self._topic = clients, name, topic

    def member(self, instance: str) -> Member:
        """A new member."""
        made = self._clients.member(
            self._name,
            group_instance_id=instance,
            partition_assignment_strategy="range",
            session_timeout_ms=6_000,
            heartbeat_interval_ms=500,
        )

        def came(consumer: Any, partitions: list[TopicPartition]) -> None:
            self.diary.append(("came", instance))
            self.shares[instance] = len(partitions)
            consumer.assign(partitions)

        def left(consumer: Any, partitions: list[TopicPartition]) -> None:
            self.diary.append(("left", instance))
            self.shares.pop(instance, None)
            consumer.unassign()

        made.subscribe([self._topic], on_assign=came, on_revoke=left, on_lost=left)
        self._made.append(made)
        return made

    def until(self, holds: Callable[[], bool], *members: Member) -> list[Any]:
        """Have the members poll until it holds; what they read meanwhile."""
        found: list[Any] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {self.diary}"
            for one in members:
                found += one.consume(10, 0.1)
        return found

    def error_of(self, member: Member) -> KafkaError:
        """Have a member poll until it is told that something is wrong."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for one in member.consume(10, 0.1):
                if one.error() is not None:
                    return cast("KafkaError", one.error())
        raise AssertionError(f"no error within {PATIENCE_SECONDS} s")

    def close(self) -> None:
        """Release all."""
        for one in self._made:
            one.close()


class ClientContract(AnyKafka):
    """Inherited once for each kind of client."""

    @pytest.fixture
    def new_topic(self, create: Create, unique_name: Callable[[str], str]) -> NewTopic:
        """Makes topics of this test's own."""

        def make(partitions: int = 1) -> str:
            topic = unique_name("topic")
            create(topic, partitions)
            return topic

        return make

    @pytest.fixture
    def names(self, unique_name: Callable[[str], str]) -> Callable[[str], str]:
        """Transactional ids and groups of this test's own."""
        return unique_name

    @pytest.fixture
    def group(self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]) -> Iterator[Group]:
        """A group on a topic of four partitions."""
        made = Group(clients, names("group"), new_topic(4))
        yield made
        made.close()

    # -- transactions ------------------------------------------------------------------------------------

    def test_readers_see_a_transaction_when_it_is_committed_and_nothing_behind_it_before(
        self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]
    ) -> None:
        topic = new_topic()
        first, second = clients.producer(names("first"), 10_000), clients.producer(names("second"), 10_000)
        first.begin_transaction()
        first.produce(topic, b"1", b"k", 0)
        first.flush(10)
        second.begin_transaction()
        second.produce(topic, b"2", b"k", 0)
        second.commit_transaction(10)
        assert values(clients, topic) == []
        first.commit_transaction(10)
        assert values(clients, topic) == [b"1", b"2"]

    def test_what_was_aborted_is_never_read_and_each_end_takes_an_offset(
        self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]
    ) -> None:
        topic, name = new_topic(), names("producer")
        first = clients.producer(name, 10_000)
        first.begin_transaction()
        first.produce(topic, b"lost", b"k", 0)
        first.flush(10)
        second = clients.producer(name, 10_000)
        second.begin_transaction()
        second.produce(topic, b"kept", b"k", 0)
        second.commit_transaction(10)
        assert values(clients, topic) == [b"kept"]
        assert clients.end_offset(topic, 0) == 4  # two messages, two markers

    def test_a_reader_is_told_of_the_end_behind_the_last_marker(
        self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]
    ) -> None:
        topic = new_topic()
        producer = clients.producer(names("producer"), 10_000)
        producer.begin_transaction()
        producer.produce(topic, b"1", b"k", 0)
        producer.commit_transaction(10)
        assert [one.offset() for one in read(clients, topic, 0) if one.error() is not None] == [2]
        assert [one.offset() for one in read(clients, topic, 2) if one.error() is not None] == [2]

    def test_a_new_producer_of_an_id_fences_the_one_before(
        self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]
    ) -> None:
        topic, name = new_topic(), names("producer")
        zombie = clients.producer(name, 10_000)
        zombie.begin_transaction()
        zombie.produce(topic, b"zombie", b"k", 0)
        zombie.flush(10)
        clients.producer(name, 10_000)
        with pytest.raises(KafkaException) as refused:
            zombie.commit_transaction(10)
        assert refused.value.args[0].code() in {KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
        assert values(clients, topic) == []

    def test_reports_say_where_a_message_went(
        self, clients: Clients, new_topic: NewTopic, names: Callable[[str], str]
    ) -> None:
        topic = new_topic(2)
        producer = clients.producer(names("producer"), 10_000)
        told: list[tuple[int, int]] = []
        for _ in range(2):
            producer.begin_transaction()
            producer.produce(
                topic, b"1", b"k", 1, on_delivery=lambda error, one: told.append((one.partition(), one.offset()))
            )
            producer.commit_transaction(10)
        assert told == [(1, 0), (1, 2)]

    def test_a_topic_made_anew_has_another_id(self, clients: Clients, new_topic: NewTopic) -> None:
        first, second = clients.topic_ids([new_topic(), new_topic()])
        assert first != second

    # -- offsets and groups ------------------------------------------------------------------------------

    def test_offsets_count_when_their_transaction_is_committed(
        self, clients: Clients, group: Group, names: Callable[[str], str]
    ) -> None:
        member = group.member("one")
        group.until(lambda: group.shares.get("one") == 4, member)
        place = TopicPartition(group._topic, 0)
        assert member.committed([place], 10)[0].offset < 0
        name = names("producer")
        aborted = clients.producer(name, 10_000)
        aborted.begin_transaction()
        offsets = [TopicPartition(group._topic, 0, 7)]
        aborted.send_offsets_to_transaction(offsets, member.consumer_group_metadata(), 10)
        producer = clients.producer(name, 10_000)
        assert member.committed([place], 10)[0].offset < 0
        producer.begin_transaction()
        producer.send_offsets_to_transaction(offsets, member.consumer_group_metadata(), 10)
        producer.commit_transaction(10)
        assert member.committed([place], 10)[0].offset == 7

    def test_everybody_gives_back_before_anybody_is_given_and_old_generations_are_refused(
        self, clients: Clients, group: Group, names: Callable[[str], str]
    ) -> None:
        one = group.member("one")
        group.until(lambda: group.shares.get("one") == 4, one)
        old = one.consumer_group_metadata()
        two = group.member("two")
        group.until(lambda: group.shares == {"one": 2, "two": 2}, one, two)
        assert group.diary[:2] == [("came", "one"), ("left", "one")]
        assert sorted(group.diary[2:4]) == [("came", "one"), ("came", "two")]
        producer = clients.producer(names("producer"), 10_000)
        producer.begin_transaction()
        with pytest.raises(KafkaException):
            producer.send_offsets_to_transaction([TopicPartition(group._topic, 0, 7)], old, 10)

    def test_a_static_member_that_returns_has_its_partitions_and_the_one_before_it_is_out(self, group: Group) -> None:
        one, two = group.member("one"), group.member("two")
        group.until(lambda: group.shares == {"one": 2, "two": 2}, one, two)
        before = len(group.diary)
        again = group.member("one")
        group.until(lambda: group.diary[before:] == [("came", "one")], again, two)
        assert group.shares == {"one": 2, "two": 2}
        assert group.error_of(one).code() == KafkaError._FATAL


def read(clients: Clients, topic: str, start: int) -> list[Any]:
    """Everything that a reader of partition 0 is handed from an offset on, its end included."""
    reader: Reader = clients.reader("reader")
    reader.assign([TopicPartition(topic, 0, start)])
    found: list[Any] = []
    deadline = time.monotonic() + 10
    while not any(one.error() is not None for one in found):
        assert time.monotonic() < deadline, "no end within 10 s"
        found += reader.consume(100, 0.2)
    reader.close()
    return found


def values(clients: Clients, topic: str) -> list[bytes]:
    """Committed values of partition 0."""
    return [one.value() for one in read(clients, topic, 0) if one.error() is None]
