"""What the transactional loop owes its processors, whatever Kafka it runs on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from contract.kafkas import AnyKafka, Create
from counting_worker import Counting, make_broken
from creditbus.bus.clients import Clients
from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy
from creditbus.bus.restore import Restorer
from creditbus.bus.store import MemoryStores, RocksStores
from creditbus.bus.transaction import LoopSettings, Session, Work, run
from creditbus.core.errors import FencedError, ReconnectError, StopError
from creditbus.core.processing import StateStore
from waiting import wait_until

MESSAGES, KEYS, PARTITIONS = 2_000, 200, 2
OpenStore = Callable[[str, int], StateStore]


class CrashError(Exception):
    """The process ends here."""


class Job:
    """Topics of one test, the sessions that work on them, and the oracle."""

    def __init__(self, clients: Clients, create: Create, name: str) -> None:
        self.clients = clients
        self.group, self.input, self.output, self.log = name, f"{name}-in", f"{name}-out", f"{name}-log"
        create(self.input, PARTITIONS, False)
        create(self.output, PARTITIONS, False)
        create(self.log, PARTITIONS, True)
        self._sent = 0

    def send(self, count: int) -> None:
        """Put messages in, committed."""
        producer = self.clients.producer(f"{self.group}-sender", 10_000)
        producer.begin_transaction()
        for number in range(self._sent, self._sent + count):
            key = number % KEYS
            producer.produce(self.input, str(number).encode(), f"k{key}".encode(), key % PARTITIONS)
        producer.commit_transaction(30)
        self._sent += count

    def session(self, open_store: OpenStore, slot: int = 0) -> Session:
        """A new life of the processor."""
        metrics = Metrics("test")
        restorer = Restorer(
            brokers="",
            changelog=self.log,
            source=self.input,
            open_store=open_store,
            metrics=metrics,
            clients=self.clients,
        )
        settings = LoopSettings(
            brokers="",
            app=self.group,
            slot=slot,
            topics=(self.input,),
            changelog=self.log,
            batch=BatchPolicy(max_messages=200, every_seconds=0.01),
        )
        return Session(settings, Counting(self.output), metrics, restorer, self.clients)

    def results(self, seconds: float = 60) -> list[bytes]:
        """Committed output, read until all of it is there and no more comes; at most so long."""
        reader = self.clients.reader("oracle")
        reader.assign([TopicPartition(self.output, number, 0) for number in range(PARTITIONS)])
        found: list[bytes] = []
        deadline, quiet = time.monotonic() + seconds, 0
        while quiet < 4 and time.monotonic() < deadline:
            values = [one.value() for one in reader.consume(1_000, 0.25) if one.error() is None]
            found += values
            quiet = 0 if values or len(found) < self._sent else quiet + 1
        reader.close()
        return found

    def assert_exactly_once(self, results: list[bytes]) -> None:
        """Each message once, and its count right: no state was lost or applied twice."""
        expected = Counter(f"{number}:{number // KEYS + 1}".encode() for number in range(self._sent))
        assert Counter(results) == expected


@contextmanager
def running(session: Session) -> Iterator[None]:
    """The session works in a thread of its own; what ends it otherwise than by being told is raised."""
    stop = threading.Event()
    ended: list[BaseException] = []

    def work() -> None:
        try:
            run(session, stopping=stop.is_set)
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            ended.append(error)
        finally:
            session.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    if ended:
        raise ended[0]


def crash(session: Session, step: str, batch: int) -> None:
    """Run until the session would begin that step of that batch."""
    original: Callable[[Work], None] = getattr(session, step)
    calls = 0

    def stepped(work: Work) -> None:
        nonlocal calls
        calls += 1
        if calls == batch:
            raise CrashError
        original(work)

    setattr(session, step, stepped)
    run_until_crash(session)


def run_until_crash(session: Session) -> None:
    """Run until the process would end."""
    try:
        with pytest.raises(CrashError):
            run(session, stopping=lambda: False)
    finally:
        session.close()


class LoopContract(AnyKafka):
    """Inherited once for each kind of Kafka."""

    def expel(self, clients: Clients, group: str, instance: str) -> None:
        """A member does not come back: its session times out."""
        raise NotImplementedError

    def forget_offsets(self, clients: Clients, group: str) -> None:
        """The group was away for so long that the brokers have forgotten how far it was."""
        raise NotImplementedError

    @pytest.fixture
    def job(self, clients: Clients, create: Create, unique_name: Callable[[str], str]) -> Job:
        """A job with its messages."""
        made = Job(clients, create, unique_name("loop"))
        made.send(MESSAGES)
        return made

    @pytest.mark.parametrize("step", ["produce", "commit", "store"])
    @pytest.mark.parametrize("disk", ["kept", "lost"])
    def test_a_crash_before_any_step_loses_and_doubles_nothing(
        self, job: Job, tmp_path: Path, step: str, disk: str
    ) -> None:
        crash(job.session(RocksStores(tmp_path / "first")), step, batch=3)
        with running(job.session(RocksStores(tmp_path / ("first" if disk == "kept" else "second")))):
            job.assert_exactly_once(job.results())

    @pytest.mark.parametrize("variant", ["store-first", "offsets-outside"])
    def test_a_variant_that_is_broken_is_seen(self, job: Job, tmp_path: Path, variant: str) -> None:
        """State written before the commit doubles; offsets committed outside the transaction lose, which the restore
        sees first: less is in the changelog than was committed.
        """
        broken = job.session(RocksStores(tmp_path))
        make_broken(broken, variant)
        producer: Any = broken._producer
        broken._producer = _Dying(producer, batch=3)
        run_until_crash(broken)
        with pytest.raises((AssertionError, StopError)), running(job.session(RocksStores(tmp_path))):
            job.assert_exactly_once(job.results(seconds=5))

    def test_state_in_memory_is_restored_from_the_changelog(self, job: Job) -> None:
        with running(job.session(MemoryStores())):
            job.results()
        job.send(400)
        with running(job.session(MemoryStores())):
            job.assert_exactly_once(job.results())

    @pytest.mark.parametrize("disk", ["kept", "lost"])
    def test_a_group_whose_offsets_were_forgotten_goes_on_where_its_state_ends(
        self, job: Job, clients: Clients, tmp_path: Path, disk: str
    ) -> None:
        with running(job.session(RocksStores(tmp_path / "first"))):
            job.results()
        self.forget_offsets(clients, job.group)
        job.send(400)
        with running(job.session(RocksStores(tmp_path / ("first" if disk == "kept" else "second")))):
            job.assert_exactly_once(job.results())

    def test_nothing_is_seen_of_a_batch_before_its_commit(self, job: Job) -> None:
        session = job.session(MemoryStores())
        batch = session.poll()
        while not batch:
            batch = session.poll()
        work = session.decide(batch)
        session.produce(work)
        session._producer.flush(10)
        assert job.results(seconds=1) == []
        session.commit(work)
        assert len(job.results(seconds=2)) == len(batch)
        session.store(work)
        session.close()

    def test_the_next_batch_is_decided_while_one_is_committed_and_waits_for_it(self, job: Job) -> None:
        session = job.session(MemoryStores())
        held = threading.Event()
        session._producer = _Holding(session._producer, held)
        decided: list[int] = []
        decide = session.decide

        def counted(batch: Any) -> Work:
            work = decide(batch)
            if not work.is_empty:
                decided.append(work.messages)
            return work

        session.decide = counted  # type: ignore[method-assign]
        with running(session):
            wait_until("the second batch to be decided", lambda: len(decided) == 2)
            assert job.results(seconds=1) == []
            assert len(decided) == 2, "there is one batch on its way and one that waits for it, and no third"
            held.set()
            job.assert_exactly_once(job.results())

    def test_a_turn_of_the_loop_without_work_is_no_stage_of_a_batch(self, job: Job) -> None:
        session = job.session(MemoryStores())
        assert session.decide([]).is_empty
        assert 'stage="decide"' not in session._metrics.exposition().decode()
        session.close()

    def test_a_zombie_is_fenced_in_mid_transaction(self, job: Job, tmp_path: Path) -> None:
        zombie = job.session(RocksStores(tmp_path / "first"))
        batch = zombie.poll()
        while not batch:
            batch = zombie.poll()
        work = zombie.decide(batch)
        zombie.produce(work)
        zombie._producer.flush(10)
        with running(job.session(RocksStores(tmp_path / "second"))):
            job.assert_exactly_once(job.results())
            with pytest.raises(FencedError):
                zombie.commit(work)
        told = zombie._metrics.exposition().decode()
        assert 'result="aborted"' in told and 'result="committed"' not in told
        job.assert_exactly_once(job.results())
        zombie.close()

    def test_members_share_partitions_and_take_over_from_each_other(
        self, job: Job, clients: Clients, tmp_path: Path
    ) -> None:
        one, two = (job.session(RocksStores(tmp_path / str(slot)), slot) for slot in (0, 1))
        with running(two):
            with running(one):
                job.results()
                job.send(400)
                job.assert_exactly_once(job.results())
            self.expel(clients, job.group, f"{job.group}-0")
            job.send(400)
            job.assert_exactly_once(job.results())
        assert len(two._lag._seen_at_ms) == PARTITIONS, "the other has taken over both partitions"

    def test_a_partition_that_leaves_while_a_batch_is_read_takes_its_messages_with_it(self, job: Job) -> None:
        """Otherwise the batch's first message was decided without any state, and committed as a partition of ours."""
        session = job.session(MemoryStores())
        consumer: Any = session._consumer
        leaving = _Leaving(session, consumer)
        session._consumer = leaving
        while not leaving.has_left:
            assert session.poll() == []
        session._consumer = consumer
        session.close()

    def test_brokers_that_go_while_a_store_is_opened_leave_it_to_the_next_session(
        self, job: Job, tmp_path: Path
    ) -> None:
        """The lock on its files was held by the session that had failed, for as long as anything knew of its error."""
        stores = RocksStores(tmp_path)
        with running(job.session(stores)):
            job.results()
        job.send(400)
        failed = job.session(stores)
        restorer: Any = failed._restorer
        restorer._clients = _Away()
        with pytest.raises(ReconnectError):
            run(failed, stopping=lambda: False)
        failed.close()
        with running(job.session(stores)):
            job.assert_exactly_once(job.results())

    def test_a_producer_that_lost_its_brokers_begins_no_transaction(self, job: Job) -> None:
        """librdkafka's next transaction might never end (bus/watchdog.py): a new producer does the same work."""
        stores = MemoryStores()
        session = job.session(stores)
        session._were_away.set()
        with pytest.raises(ReconnectError, match="were away"):
            run(session, stopping=lambda: False)
        session.close()
        with running(job.session(stores)):
            job.assert_exactly_once(job.results())

    def test_a_store_that_knows_more_than_was_committed_stops_the_loop(self, job: Job, create: Create) -> None:
        """A changelog that was made anew lacks state that is committed: going on would lose it."""
        with running(job.session(MemoryStores())):
            job.results()
        job.log += "-anew"
        create(job.log, PARTITIONS, True)
        session = job.session(MemoryStores())
        with pytest.raises(StopError, match="state is missing"):
            run(session, stopping=lambda: False)
        session.close()


class _Away:
    """Clients of brokers that are away."""

    def end_offset(self, topic: str, partition: int) -> int:
        raise ReconnectError("Kafka: the brokers are away")


class _Dying:
    """The client, with an end of the process between the offsets and the commit of a batch."""

    def __init__(self, producer: Any, batch: int) -> None:
        self._producer = producer
        self._left = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, seconds: float) -> None:
        self._left -= 1
        if not self._left:
            raise CrashError
        self._producer.commit_transaction(seconds)


class _Holding:
    """The client, whose commits take until something happens."""

    def __init__(self, producer: Any, held: threading.Event) -> None:
        self._producer, self._held = producer, held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, seconds: float) -> None:
        assert self._held.wait(seconds)
        self._producer.commit_transaction(seconds)


class _Leaving:
    """The client, with a rebalance behind the first message that it reads."""

    def __init__(self, session: Session, consumer: Any) -> None:
        self._session, self._consumer = session, consumer
        self.has_left = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def consume(self, most: int, seconds: float) -> list[Any]:
        if most > 1:
            self._session._revoke(self._consumer, self._consumer.assignment())
            self.has_left = True
            return []
        found: list[Any] = self._consumer.consume(most, seconds)
        return found
