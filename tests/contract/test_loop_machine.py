"""The transactional loop against everything at once: any order of messages, crashes, zombies, rebalances, lost disks.

Hypothesis chooses what happens and says it as a program when something is wrong. The loop is the real one, on the fake
Kafka with a virtual clock; the oracle knows only what was sent and what readers see. Broken variants prove it.
What the loop leaves to a thread is done at once, or when the loop cannot do without it any longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from counting_worker import STEPS, make_broken
from creditbus.bus.changelog import SOURCE_KEY, changes_of
from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy
from creditbus.bus.restore import Restorer
from creditbus.bus.store import MemoryStores
from creditbus.bus.transaction import LoopSettings, Session, Work
from creditbus.core.errors import BusError, FencedError, StopError
from creditbus.core.processing import Effects, Message, Output, StateReader
from fake_kafka import FakeKafka

GROUP, INPUT, OUTPUT, LOG = "job", "in", "out", "log"
PARTITIONS = 2
SLOTS = st.sampled_from([0, 1])
PLACES = ("decided", *STEPS)
KEYS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=1, max_size=8)
IS_LONG = os.environ.get("CREDITBUS_TEST_PROFILE") == "exhaustive"


class CrashError(Exception):
    """The process ends here."""


class Once:
    """Counts the messages of each key, each message once however often it comes."""

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        effects = Effects()

        def known(key: bytes) -> bytes | None:
            return effects.state[key] if key in effects.state else state.get_many([key])[0]

        for message in messages:
            key, value = message.key() or b"", message.value() or b""
            if known(b"seen:" + value) is None:
                count = str(int(known(b"count:" + key) or b"0") + 1).encode()
                effects.state |= {b"seen:" + value: b"", b"count:" + key: count}
                effects.outputs.append(Output(OUTPUT, key, value + b":" + count, partition))
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""


class LoopMachine(RuleBasedStateMachine):
    """Two slots of one group, each on a disk of its own."""

    variant = ""
    """One of the broken ones of ``make_broken``."""

    def __init__(self) -> None:
        super().__init__()
        self.kafka = FakeKafka(virtual_time=True)
        for topic in (INPUT, OUTPUT, LOG):
            self.kafka.create(topic, PARTITIONS)
        self.disks = {slot: MemoryStores() for slot in (0, 1)}
        self.alive: dict[int, Session] = {}
        self.zombies: list[tuple[Session, Iterator[str]]] = []
        self.sent: list[tuple[bytes, bytes]] = []

    # -- what happens ------------------------------------------------------------------------------------

    @initialize(keys=KEYS)
    def begin(self, keys: list[bytes]) -> None:
        """A process at work."""
        self.deliver(keys)
        self.start(0)
        self.work(0, 4)

    @rule(keys=KEYS)
    def deliver(self, keys: list[bytes]) -> None:
        for key in keys:
            self.sent.append((key, str(len(self.sent)).encode()))
            self.kafka.put(INPUT, *self.sent[-1])

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        self.kafka.put(INPUT, *data.draw(st.sampled_from(self.sent)))

    @rule(slot=SLOTS)
    def start(self, slot: int) -> None:
        """A process of that slot; one that runs already is a zombie from now on, on another disk."""
        if slot in self.alive:
            self.freeze(slot, 1, [b"a"])
        self.alive[slot] = self._session(slot)

    @precondition(lambda self: self.alive)
    @rule(slot=SLOTS, turns=st.integers(1, 8), is_late=st.booleans())
    def work(self, slot: int, turns: int, is_late: bool = False) -> None:
        """Turns of the loop; all members poll, as processes do, and one that is dead is not waited for for ever."""
        for number in range(turns):
            if number > 2 and self.kafka.groups[GROUP].shares is None:
                for dead in {0, 1} - self.alive.keys():
                    self.time_out(dead)
            for other in (slot, 1 - slot):
                if other in self.alive:
                    self._finish(other, self._turn(self.alive[other], is_late))

    @precondition(lambda self: self.alive)
    @rule(slot=SLOTS, place=st.sampled_from(PLACES), keys=KEYS, has_arrived=st.booleans())
    def crash(self, slot: int, place: str, keys: list[bytes], has_arrived: bool) -> None:
        """kill -9 at a place of the next batch; has_arrived: whether the brokers had got what was produced."""
        session = self.alive.pop(slot, None)
        if session is None:
            return
        self.deliver(keys)
        session._producer = _Dying(session._producer, place == "after offsets")
        if place == "after commit":
            session.store = _die  # type: ignore[method-assign]
        try:
            for reached in self._turn(session):
                if has_arrived:
                    session._producer.flush(1)
                if reached == place:
                    break
        except (CrashError, BusError) as error:
            self._excuse(error)
        session._watchdog.close()

    @rule(slot=SLOTS)
    def lose_disk(self, slot: int) -> None:
        if slot not in self.alive:
            self.disks[slot] = MemoryStores()

    @rule(slot=SLOTS)
    def time_out(self, slot: int) -> None:
        """The group's coordinator has not heard of a member for long, dead or alive."""
        self.kafka.expire(GROUP, f"{GROUP}-{slot}")

    @precondition(lambda self: self.alive)
    @rule(slot=SLOTS, steps=st.integers(1, 3), keys=KEYS)
    def freeze(self, slot: int, steps: int, keys: list[bytes]) -> None:
        """A process stands still in the middle of a batch; whoever takes its slot over has another disk."""
        session = self.alive.pop(slot, None)
        if session is None:
            return
        self.deliver(keys)
        turn = self._turn(session)
        try:
            for _ in range(steps):
                next(turn, None)
        except BusError as error:
            self._excuse(error)
            self._end(session)
            return
        self.zombies.append((session, turn))
        self.disks[slot] = MemoryStores()

    @precondition(lambda self: self.zombies)
    @rule()
    def thaw(self) -> None:
        """It goes on where it stood, whatever has happened since, and for another turn."""
        session, turn = self.zombies.pop()
        try:
            for _ in turn:
                pass
            for _ in self._turn(session):
                pass
        except BusError as error:
            self._excuse(error)
        self._end(session)

    # -- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def readers_see_each_message_once_in_order(self) -> None:
        for partition in range(PARTITIONS):
            seen = [(one.key(), one.value()) for one in self.kafka.committed(OUTPUT) if one.partition() == partition]
            assert seen == self._expected(partition)[: len(seen)]

    def teardown(self) -> None:
        """Whatever happened: a process that is left alone afterwards gets everything done."""
        for slot, session in list(self.alive.items()):
            self._end(session)
            del self.alive[slot]
        for zombie, _ in self.zombies:
            self._end(zombie)
        for slot in (0, 1):
            self.kafka.expire(GROUP, f"{GROUP}-{slot}")
        self.alive[0] = self._session(0)
        expected = sum(len(self._expected(partition)) for partition in range(PARTITIONS))
        for _ in range(200):
            self._finish(0, self._turn(self.alive[0]))
            if 0 not in self.alive:
                self.alive[0] = self._session(0)
            if len(self.kafka.committed(OUTPUT)) == expected:
                break
        self.readers_see_each_message_once_in_order()
        assert len(self.kafka.committed(OUTPUT)) == expected, "something was lost"
        self._compare_state()
        self._end(self.alive[0])

    # -- how it is done ----------------------------------------------------------------------------------

    def _compare_state(self) -> None:
        """What the changelog holds is what a single thread would count."""
        counts: dict[bytes, bytes | None] = {}
        for one in self.kafka.committed(LOG):
            if one.key() != SOURCE_KEY:
                counts.update(changes_of(one.key() or b"", one.value()))
        reference = {b"count:" + key: str(self._ids(key)).encode() for key, _ in self.sent}
        assert {key: value for key, value in counts.items() if key.startswith(b"count:")} == reference

    def _session(self, slot: int) -> Session:
        metrics = Metrics("test")
        restorer = Restorer(
            brokers="",
            changelog=LOG,
            source=INPUT,
            open_store=self.disks[slot],
            metrics=metrics,
            clients=self.kafka,
        )
        policy = BatchPolicy(max_messages=5, min_messages=1, every_seconds=0, idle_seconds=0.01)
        loop = LoopSettings(brokers="", app=GROUP, slot=slot, topics=(INPUT,), changelog=LOG, batch=policy)
        session = Session(loop, Once(), metrics, restorer, self.kafka, Late())
        if self.variant:
            make_broken(session, self.variant)
        return session

    def _turn(self, session: Session, is_late: bool = False) -> Iterator[str]:
        """One round of ``run``, with the places where it can be stopped; is_late: what it leaves to a thread lags."""
        work: Work = session.decide(session.poll())
        yield "decided"
        session.settle()
        if work.is_empty:
            return
        yield "before produce"
        session.produce(work)
        yield "after produce"
        session.finish(work)
        if not is_late:
            session.settle()
        yield "after store"

    def _finish(self, slot: int, turn: Iterator[str]) -> None:
        try:
            for _ in turn:
                pass
        except BusError as error:
            self._excuse(error)
            self._end(self.alive.pop(slot))

    def _excuse(self, error: Exception) -> None:
        """A session may end because another took its place or the brokers say no, never because state is missing."""
        assert isinstance(error, FencedError) or not isinstance(error, StopError), str(error)

    def _end(self, session: Session) -> None:
        session._watchdog.close()

    def _expected(self, partition: int) -> list[tuple[bytes, bytes]]:
        counts: dict[bytes, int] = {}
        seen: set[bytes] = set()
        expected = []
        for message in self.kafka.logs[INPUT, partition]:
            key, value = message.key() or b"", message.value() or b""
            if value not in seen:
                seen.add(value)
                counts[key] = counts.get(key, 0) + 1
                expected.append((key, value + b":" + str(counts[key]).encode()))
        return expected

    def _ids(self, key: bytes) -> int:
        return sum(one == key for one, _ in self.sent)


class Late(Executor):
    """Does what it is given when somebody waits for it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return _Later(lambda: fn(*args, **kwargs))


class _Later(Future[Any]):
    def __init__(self, job: Callable[[], Any]) -> None:
        super().__init__()
        self._job = job

    def result(self, timeout: float | None = None) -> Any:
        self.set_result(self._job())
        return super().result()


def _die(work: Work) -> None:
    raise CrashError


class _Dying:
    """The client, with an end of the process between the offsets and the commit."""

    def __init__(self, producer: Any, dies: bool) -> None:
        self._producer, self._dies = producer, dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, seconds: float) -> None:
        if self._dies:
            self._producer.flush(1)
            raise CrashError
        self._producer.commit_transaction(seconds)


PLAN = settings(
    max_examples=500 if IS_LONG else 40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_each_message_counts_once() -> None:
    run_state_machine_as_test(LoopMachine, settings=PLAN)


@pytest.mark.parametrize("variant", ["store-first", "offsets-outside", "looks-back"])
def test_a_variant_that_is_broken_is_seen(variant: str) -> None:
    class Broken(LoopMachine):
        pass

    Broken.variant = variant
    plan = settings(PLAN, max_examples=300, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Broken, settings=plan)
