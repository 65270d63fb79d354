"""The transactional loop on a real broker: exactly once over crashes, with and without the local disk."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from creditbus.bus.kafka import consumer_config, producer_config
from creditbus.bus.metrics import Metrics
from creditbus.bus.restore import Restorer
from creditbus.bus.store import MemoryStores, RocksStores
from creditbus.bus.transaction import BatchPolicy, LoopSettings, Session, Work, run
from creditbus.core.processing import Effects, Message, Output, StateReader

pytestmark = pytest.mark.integration
MESSAGES, KEYS = 3_000, 200


class CrashError(Exception):
    """The process ends here."""


class Counting:
    """Counts messages per key and says each count: the smallest processor whose errors show."""

    def __init__(self, output: str) -> None:
        self._output = output

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        keys = list(dict.fromkeys(message.key() or b"" for message in messages))
        known = dict(zip(keys, state.get_many(keys), strict=True))
        effects = Effects()
        for message in messages:
            key = message.key() or b""
            count = str(int(known[key] or b"0") + 1).encode()
            known[key] = count
            effects.outputs.append(Output(self._output, key, (message.value() or b"") + b":" + count, partition))
        effects.state = dict(known)
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""


class Topics:
    """Input, output and changelog of one test."""

    def __init__(self, brokers: str, name: str) -> None:
        self.brokers = brokers
        self.group, self.input, self.output, self.log = name, f"{name}-in", f"{name}-out", f"{name}-log"
        new = [NewTopic(self.input, 2, 1), NewTopic(self.output, 2, 1)]
        new.append(NewTopic(self.log, 2, 1, config={"cleanup.policy": "compact"}))
        admin = AdminClient({"bootstrap.servers": brokers})  # kept: its futures fail when it is collected
        for future in admin.create_topics(new).values():
            future.result()

    def fill(self) -> None:
        """Put the messages in."""
        producer = Producer(producer_config(self.brokers))
        for number in range(MESSAGES):
            producer.produce(self.input, str(number).encode(), f"k{number % KEYS}".encode())
        assert producer.flush(30) == 0

    def session(self, open_store: Callable[[str, int], object]) -> Session:
        """A new life of the processor."""
        metrics = Metrics("test")
        restorer = Restorer(
            brokers=self.brokers,
            changelog=self.log,
            source=self.input,
            open_store=open_store,  # type: ignore[arg-type]
            metrics=metrics,
        )
        settings = LoopSettings(
            brokers=self.brokers,
            app=self.group,
            slot=0,
            topics=(self.input,),
            changelog=self.log,
            batch=BatchPolicy(max_messages=400, max_seconds=0.01),
        )
        return Session(settings, Counting(self.output), metrics, restorer)

    def results(self) -> list[bytes]:
        """Committed output, once all of it is there or none comes for a while."""
        consumer = Consumer(consumer_config(self.brokers, f"{self.group}-oracle"))
        consumer.assign([TopicPartition(self.output, number, 0) for number in range(2)])
        found: list[bytes] = []
        idle = 0
        while idle < 5:
            messages = consumer.consume(1_000, 0.5)
            idle = 0 if messages else idle + 1
            found += [message.value() or b"" for message in messages]
            if len(found) >= MESSAGES:
                idle += 1
        consumer.close()
        return found


@pytest.fixture
def topics(kafka_brokers: str, unique_name: Callable[[str], str]) -> Topics:
    made = Topics(kafka_brokers, unique_name("loop"))
    made.fill()
    return made


def assert_exactly_once(results: list[bytes]) -> None:
    """Each message once, and its count right: no state was lost or applied twice."""
    expected = Counter(f"{number}:{number // KEYS + 1}".encode() for number in range(MESSAGES))
    assert Counter(results) == expected


def run_until(session: Session, done: Callable[[], bool]) -> None:
    """Run in this thread until done, then close."""
    try:
        run(session, stopping=done)
    finally:
        session.close()


def test_a_partition_that_leaves_while_a_batch_is_read_takes_its_messages_with_it(
    topics: Topics, tmp_path: Path
) -> None:
    """Otherwise the batch's first message was decided without any state, and committed as a partition of ours."""
    session = topics.session(RocksStores(tmp_path))
    consumer = session._consumer

    class Leaving:
        """The client, with a rebalance behind the first message that it reads."""

        has_left = False

        def consume(self, most: int, seconds: float) -> list[KafkaMessage]:
            if most > 1:
                session._revoke(consumer, consumer.assignment())
                self.has_left = True
                return []
            return consumer.consume(most, seconds)

        def __getattr__(self, name: str) -> Any:
            return getattr(consumer, name)

    leaving = Leaving()
    session._consumer = leaving  # type: ignore[assignment]
    while not leaving.has_left:
        assert session.poll() == []
    session._consumer = consumer
    session.close()


@pytest.mark.parametrize("step", ["produce", "commit", "store"])
@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_crash_before_any_step_loses_and_doubles_nothing(
    topics: Topics, tmp_path: Path, step: str, disk: str
) -> None:
    first = topics.session(RocksStores(tmp_path / "first"))
    original = getattr(first, step)
    calls = 0

    def crash(work: Work) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise CrashError
        original(work)

    setattr(first, step, crash)
    with pytest.raises(CrashError):
        run_until(first, lambda: False)
    seen = 0
    second = topics.session(RocksStores(tmp_path / ("first" if disk == "kept" else "second")))
    committed = second.commit

    def counted(work: Work) -> None:
        nonlocal seen
        committed(work)
        seen = sum(work.offsets.values()) if work.offsets else seen

    second.commit = counted  # type: ignore[method-assign]
    stop = threading.Event()
    thread = threading.Thread(target=run_until, args=(second, stop.is_set))
    thread.start()
    results = topics.results()
    stop.set()
    thread.join(30)
    assert_exactly_once(results)


def test_a_store_that_is_written_before_the_commit_is_caught(topics: Topics, tmp_path: Path) -> None:
    """The broken variant that the test above must be able to catch: state survives a transaction that did not."""
    broken = topics.session(RocksStores(tmp_path))
    original = broken.commit
    calls = 0

    def store_first(work: Work) -> None:
        nonlocal calls
        calls += 1
        broken._producer.flush(10)
        broken.store(work)
        if calls == 3:
            raise CrashError
        original(work)

    broken.commit = store_first  # type: ignore[method-assign]
    broken.store_again = lambda work: None  # type: ignore[attr-defined]
    with pytest.raises(CrashError):
        run_until(broken, lambda: False)
    second = topics.session(RocksStores(tmp_path))
    stop = threading.Event()
    thread = threading.Thread(target=run_until, args=(second, stop.is_set))
    thread.start()
    results = topics.results()
    stop.set()
    thread.join(30)
    with pytest.raises(AssertionError):
        assert_exactly_once(results)


def test_state_in_memory_is_restored_from_the_changelog(topics: Topics) -> None:
    for _ in range(2):
        session = topics.session(MemoryStores())
        stop = threading.Event()
        thread = threading.Thread(target=run_until, args=(session, stop.is_set))
        thread.start()
        results = topics.results()
        stop.set()
        thread.join(30)
    assert_exactly_once(results)
