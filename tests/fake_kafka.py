"""A Kafka in memory, as far as the transactional loop can see one (creditbus.bus.clients.Clients).

What it keeps from the real thing, because exactly-once rests on it:

* partitions are logs; a transaction's end is a marker that takes an offset and is never delivered
* readers see committed messages only, and nothing behind the first message of an open transaction
* a new producer of a transactional id aborts what the last one left open and fences it
* offsets in a transaction count when it commits; until then nobody is told the group's offsets
* members of a group are static: one that returns gets its partitions back, and the one before it is fenced; otherwise
  everybody gives back everything before anybody is given anything (eager), in ranges
* offsets sent by a member of an earlier generation are refused

A transaction times out by the clock; a session when the test says so (``expire``), since heartbeats come from threads
that a fake has not. ``tests/contract/test_clients.py`` holds it against a real broker. For any number of threads; with
``virtual_time`` for one, where waiting takes no time and the clock moves on instead.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from creditbus.bus.clients import Moved
from creditbus.bus.kafka import Lost, ignored

Place = tuple[str, int]
_NONE = -1001
"""librdkafka's OFFSET_INVALID: the group has no offset there."""
_QUEUE = 100_000
"""Messages that a producer holds before it says that it is full."""


def failure(code: int, text: str, *, fatal: bool = False) -> KafkaException:
    """The exception that the real clients raise."""
    return KafkaException(KafkaError(code, text, fatal=fatal))


@dataclass(slots=True, eq=False)
class Transaction:
    """What one producer does between begin and commit."""

    due: float
    """When it times out."""
    places: dict[Place, int] = field(default_factory=dict)
    """Offset of its first message in each partition."""
    offsets: dict[str, dict[Place, int]] = field(default_factory=dict)
    """Of each group, by input partition."""
    state: str = "open"
    """Then "committed" or "aborted"."""


@dataclass(slots=True)
class FakeMessage:
    """An entry of a log; also what ``consume`` hands over."""

    place: Place
    at: int
    content: tuple[bytes | None, bytes | None] = (None, None)
    """Key and value."""
    transaction: Transaction | None = None
    is_marker: bool = False
    more: list[tuple[str, bytes]] | None = None
    wrong: KafkaError | None = None

    def topic(self) -> str:
        return self.place[0]

    def partition(self) -> int:
        return self.place[1]

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.content[0]

    def value(self) -> bytes | None:
        return self.content[1]

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self.more

    def timestamp(self) -> tuple[int, int]:
        return (1, self.at)

    def error(self) -> KafkaError | None:
        return self.wrong


@dataclass(slots=True)
class _Group:
    generation: int = 0
    members: dict[str, FakeMember] = field(default_factory=dict)
    """By instance id, each the newest of its name."""
    joined: set[str] = field(default_factory=set)
    """Who has given back everything and waits for the next generation."""
    shares: dict[str, list[Place]] | None = None
    """Partitions of each member; None while a generation is being made."""
    offsets: dict[Place, int] = field(default_factory=dict)


class FakeKafka:
    """One cluster, and the maker of its clients."""

    def __init__(self, *, virtual_time: bool = False) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._passed: float | None = 0.0 if virtual_time else None
        self.logs: dict[Place, list[FakeMessage]] = {}
        self.groups: dict[str, _Group] = defaultdict(_Group)
        self._partitions: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        self._numbers = count()
        self._producers: dict[str, FakeProducer] = {}
        self._open: dict[Transaction, str] = {}
        """Open transactions, and whose they are."""

    @property
    def now(self) -> float:
        """Seconds."""
        return time.monotonic() if self._passed is None else self._passed

    def wait(self, seconds: float) -> None:
        """Until something changes, or so long; then look again at what has timed out."""
        if self._passed is None:
            self.changed.wait(min(seconds, 0.05))
        else:
            self._passed += seconds
        for transaction, transactional_id in list(self._open.items()):
            if self.now >= transaction.due:
                self.expire_transaction(transactional_id)

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """For callbacks, which may wait for what another thread does here."""
        self.changed.release()
        try:
            yield
        finally:
            self.changed.acquire()

    # -- what a test does --------------------------------------------------------------------------------

    def create(self, topic: str, partitions: int) -> None:
        """A new topic; one of that name before it is gone with its messages."""
        with self.changed:
            self._partitions[topic] = partitions
            self._ids[topic] = f"topic-{next(self._numbers)}"
            for number in range(partitions):
                self.logs[topic, number] = []

    def put(self, topic: str, key: bytes, value: bytes) -> None:
        """A message outside any transaction, in the partition of its key."""
        self.append((topic, zlib.crc32(key) % self._partitions[topic]), (key, value))

    def expire(self, group: str, instance: str) -> None:
        """A member's session times out: the others are given its partitions."""
        with self.changed:
            if self.groups[group].members.pop(instance, None) is not None:
                self.rebalance(group)

    def expire_transaction(self, transactional_id: str) -> None:
        """A transaction times out: it is aborted, and its producer fenced."""
        with self.changed:
            producer = self._producers.pop(transactional_id, None)
            if producer is not None:
                self.end(producer.transaction, "aborted")

    def committed(self, topic: str) -> list[FakeMessage]:
        """What readers of a topic see, partition by partition."""
        with self.changed:
            return [one for number in range(self._partitions[topic]) for one in self.visible((topic, number), 0)]

    # -- Clients -----------------------------------------------------------------------------------------

    def member(self, group: str, **extra: Any) -> FakeMember:
        return FakeMember(self, group, str(extra.get("group_instance_id", f"member-{next(self._numbers)}")))

    def reader(self, group: str) -> FakeReader:
        return FakeReader(self)

    def producer(self, transactional_id: str, timeout_ms: int, lost: Lost = ignored) -> FakeProducer:
        with self.changed:
            before = self._producers.get(transactional_id)
            if before is not None:
                self.end(before.transaction, "aborted")
            self._producers[transactional_id] = made = FakeProducer(self, transactional_id, timeout_ms / 1000)
            return made

    def end_offset(self, topic: str, partition: int) -> int:
        with self.changed:
            return len(self.logs[topic, partition])

    def topic_ids(self, topics: Sequence[str]) -> list[str]:
        return [self._ids[topic] for topic in topics]

    # -- what the clients do -----------------------------------------------------------------------------

    def append(
        self, place: Place, content: tuple[bytes | None, bytes | None], transaction: Transaction | None = None
    ) -> FakeMessage:
        """Put an entry at the end of a log; no content makes a marker."""
        with self.changed:
            log = self.logs[place]
            log.append(FakeMessage(place, len(log), content, transaction))
            if transaction is not None:
                transaction.places.setdefault(place, log[-1].at)
            self.changed.notify_all()
            return log[-1]

    def partition_of(self, topic: str, key: bytes | None) -> int:
        return zlib.crc32(key or b"") % self._partitions[topic]

    def visible(self, place: Place, start: int) -> list[FakeMessage]:
        """Committed messages from an offset on, up to the first open transaction."""
        found = []
        for one in self.logs[place][start : self.stable_end(place)]:
            if not one.is_marker and (one.transaction is None or one.transaction.state == "committed"):
                found.append(one)
        return found

    def stable_end(self, place: Place) -> int:
        """The last stable offset."""
        firsts = [one.places[place] for one in self._open if place in one.places]
        return min(firsts, default=len(self.logs[place]))

    def begin(self, producer: FakeProducer, seconds: float) -> Transaction:
        """A transaction that may take so long."""
        transaction = Transaction(self.now + seconds)
        self._open[transaction] = producer.transactional_id
        return transaction

    def is_current(self, producer: FakeProducer) -> bool:
        return self._producers.get(producer.transactional_id) is producer

    def end(self, transaction: Transaction | None, state: str) -> None:
        """Commit or abort: a marker in every partition, and the offsets into their groups."""
        if transaction is None or transaction.state != "open":
            return
        transaction.state = state
        self._open.pop(transaction, None)
        for place in transaction.places:
            self.append(place, (None, None)).is_marker = True
        if state == "committed":
            for group, offsets in transaction.offsets.items():
                self.groups[group].offsets.update(offsets)

    def holds_open(self, group: str, place: Place) -> bool:
        """Whether an open transaction has offsets of that partition."""
        return any(place in one.offsets.get(group, {}) for one in self._open)

    def join(self, member: FakeMember) -> None:
        """A static member that returns takes its old place; a new one makes everybody join again."""
        group = self.groups[member.group]
        is_back = member.instance in group.members
        group.members[member.instance] = member
        if not is_back or group.shares is None:
            self.rebalance(member.group)

    def rebalance(self, name: str) -> None:
        """Begin a new generation."""
        group = self.groups[name]
        group.generation += 1
        group.joined, group.shares = set(), None
        self.changed.notify_all()

    def arrive(self, member: FakeMember) -> None:
        """A member has given back what it had; the last one to do so ends the rebalance."""
        group = self.groups[member.group]
        group.joined.add(member.instance)
        if group.joined != set(group.members):
            return
        members = sorted(group.members)
        group.shares = {name: [] for name in members}
        for topic in sorted({topic for one in group.members.values() for topic in one.topics}):
            partitions = self._partitions[topic]
            for number in range(partitions):
                group.shares[members[number * len(members) // partitions]].append((topic, number))
        self.changed.notify_all()


class FakeReader:
    """A consumer of given partitions, with an event at the end of each."""

    tells_ends = True

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._next: dict[Place, int] = {}
        self._told_end: dict[Place, int] = {}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._next = {(one.topic, one.partition): max(0, one.offset) for one in partitions}
        self._told_end = {}

    def unassign(self) -> None:
        self._next = {}

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(*place) for place in self._next]

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[FakeMessage]:
        kafka = self._kafka
        with kafka.changed:
            deadline = kafka.now + timeout
            while True:
                found = self._serve() or self._read(num_messages)
                left = deadline - kafka.now
                if found or left <= 0:
                    return found
                kafka.wait(left)

    def close(self) -> None:
        self._next = {}

    def _serve(self) -> list[FakeMessage]:
        """What happens inside ``consume`` apart from reading; returns what went wrong."""
        return []

    def _read(self, most: int) -> list[FakeMessage]:
        found: list[FakeMessage] = []
        for place, start in self._next.items():
            if len(found) >= most:
                break
            stable = self._kafka.stable_end(place)
            seen = self._kafka.visible(place, start)[: most - len(found)]
            found += seen
            self._next[place] = seen[-1].at + 1 if len(found) >= most and seen else stable
            if self.tells_ends and self._next[place] == stable != self._told_end.get(place) and len(found) < most:
                self._told_end[place] = stable
                found.append(FakeMessage(place, stable, wrong=KafkaError(KafkaError._PARTITION_EOF)))
        return found


@dataclass(frozen=True, slots=True)
class GroupMetadata:
    """Which member of which generation."""

    group: str
    generation: int
    member: FakeMember


class FakeMember(FakeReader):
    """A static member of a group with eager assignment."""

    tells_ends = False

    def __init__(self, kafka: FakeKafka, group: str, instance: str) -> None:
        super().__init__(kafka)
        self.group, self.instance = group, instance
        self.topics: list[str] = []
        self._moved: tuple[Moved, Moved] = (_nothing, _nothing)
        self._generation = -1

    def subscribe(self, topics: list[str], *, on_assign: Moved, on_revoke: Moved, on_lost: Moved) -> None:
        with self._kafka.changed:
            self.topics, self._moved = list(topics), (on_assign, on_revoke)
            self._kafka.join(self)

    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        with self._kafka.changed:
            deadline = self._kafka.now + timeout
            while any(self._kafka.holds_open(self.group, (one.topic, one.partition)) for one in partitions):
                if self._kafka.now >= deadline:
                    raise failure(KafkaError._TIMED_OUT, "offsets are part of an open transaction")
                self._kafka.wait(deadline - self._kafka.now)
            offsets = self._kafka.groups[self.group].offsets
            return [
                TopicPartition(one.topic, one.partition, offsets.get((one.topic, one.partition), _NONE))
                for one in partitions
            ]

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """Outside any transaction: what the loop never does, and its broken variants do."""
        with self._kafka.changed:
            self._kafka.groups[self.group].offsets.update({(one.topic, one.partition): one.offset for one in offsets})

    def consumer_group_metadata(self) -> GroupMetadata:
        return GroupMetadata(self.group, self._generation, self)

    def _serve(self) -> list[FakeMessage]:
        group = self._kafka.groups[self.group]
        if not self.topics:
            return []
        if group.members.get(self.instance) not in (self, None):
            wrong = KafkaError(KafkaError._FATAL, "another member has this instance id")
            return [FakeMessage(("", 0), 0, wrong=wrong)]
        if self.instance not in group.members:  # its session timed out: it comes back as a new member
            self._give_back()
            self._kafka.join(self)
        if self._generation != group.generation:
            self._give_back()
            if group.shares is None and self.instance not in group.joined:
                self._kafka.arrive(self)
            if group.shares is not None:
                self._generation = group.generation
                share = [TopicPartition(*place) for place in group.shares.get(self.instance, [])]
                with self._kafka.unlocked():
                    self._moved[0](self, share)
        return []

    def _give_back(self) -> None:
        if self._generation >= 0:
            self._generation = -1
            with self._kafka.unlocked():
                self._moved[1](self, self.assignment())


class FakeProducer:
    """The producer of a transactional id."""

    def __init__(self, kafka: FakeKafka, transactional_id: str, seconds: float) -> None:
        self._kafka = kafka
        self._seconds = seconds
        self.transactional_id = transactional_id
        self.transaction: Transaction | None = None
        self._queue: list[tuple[Place, tuple[bytes | None, bytes | None], Any, Any]] = []

    def begin_transaction(self) -> None:
        with self._kafka.changed:
            self._check()
            if self.transaction is not None and self.transaction.state == "open":
                raise failure(KafkaError._STATE, "a transaction is open already")
            self.transaction = self._kafka.begin(self, self._seconds)

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
        if len(self._queue) >= _QUEUE:
            raise BufferError("Local: Queue full")
        place = (topic, partition if partition >= 0 else self._kafka.partition_of(topic, key))
        self._queue.append(((place), (key, value), headers, on_delivery))

    def poll(self, timeout: float = 0) -> int:
        self.flush(timeout)
        return 0

    def flush(self, timeout: float = -1) -> int:
        """The brokers get what is queued, and the reports are served."""
        with self._kafka.changed:
            if self._kafka.is_current(self) and self.transaction is not None and self.transaction.state == "open":
                for place, content, headers, told in self._queue:
                    message = self._kafka.append(place, content, self.transaction)
                    message.more = headers
                    if told is not None:
                        told(None, message)
                self._queue = []
            return len(self._queue)

    def send_offsets_to_transaction(
        self, positions: list[TopicPartition], group_metadata: GroupMetadata, timeout: float = -1
    ) -> None:
        with self._kafka.changed:
            self._check()
            group = self._kafka.groups[group_metadata.group]
            member = group_metadata.member
            if group.members.get(member.instance) is not member:
                raise failure(KafkaError.FENCED_INSTANCE_ID, "another member has this instance id", fatal=True)
            if group.generation != group_metadata.generation:
                raise failure(KafkaError.ILLEGAL_GENERATION, "the group has moved on")
            assert self.transaction is not None
            offsets = {(one.topic, one.partition): one.offset for one in positions}
            self.transaction.offsets.setdefault(group_metadata.group, {}).update(offsets)

    def commit_transaction(self, timeout: float = -1) -> None:
        with self._kafka.changed:
            self._check()
            self.flush()
            self._kafka.end(self.transaction, "committed")

    def _check(self) -> None:
        if not self._kafka.is_current(self):
            raise failure(KafkaError._FENCED, "a newer producer has this transactional id", fatal=True)


def _nothing(consumer: Any, partitions: list[TopicPartition]) -> None:
    """Nobody wants to know."""
