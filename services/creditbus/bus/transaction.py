"""The transactional loop that intake and dossier share: each batch becomes one Kafka transaction.

What makes it exactly once (design.md 11.5): processors are deterministic, ids derive from content, a record
that is known changes nothing, and readers collapse by id. The transaction makes that cheap. librdkafka has no
KIP-890, so after any error of unknown outcome the producer is destroyed and a new one with the same
transactional id bumps the epoch.

While the brokers commit a batch, the next one is read and decided already, upon the state as it will be then
(bus/ahead.py). It goes out when the one before is committed and stored, so there is never more than one transaction;
when that one fails, the session ends, and with it whatever was decided upon it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, cast

import structlog
from confluent_kafka import Message as KafkaMessage
from confluent_kafka import TopicPartition

from creditbus.bus.ahead import Ahead
from creditbus.bus.changelog import SOURCE_KEY, messages_of, source_value
from creditbus.bus.clients import Clients, KafkaClients, Member, TransactionalProducer
from creditbus.bus.kafka import PATIENT, failed, translated
from creditbus.bus.lag import Lag
from creditbus.bus.membership import JoinPolicy, Membership
from creditbus.bus.metrics import Metrics
from creditbus.bus.pace import BatchPolicy, Pace
from creditbus.bus.restore import Restorer
from creditbus.bus.watchdog import Watchdog
from creditbus.core.errors import ReconnectError
from creditbus.core.processing import Effects, Message, Output, Position, Processor, StateReader, StateStore

log = structlog.get_logger()

Slot = tuple[str, int]
"""Topic and partition."""
_OFFSETS_SECONDS = 10.0
_COMMIT_SECONDS = 15.0
_READ_AHEAD_KIB = 6_144
"""Messages that wait in the client for the next batches: more of them take memory, and have left the processor's
caches when their turn comes."""
_OVERDUE_SECONDS = 2.0
"""A call of the client that goes on for so long beyond its own limit is beyond help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Who reads what, as which member."""

    brokers: str
    app: str
    """Consumer group, and first part of the transactional id."""
    slot: int
    """Number of this process within its group: its transactional id and membership are stable over restarts."""
    topics: tuple[str, ...]
    changelog: str | None = None
    batch: BatchPolicy = BatchPolicy()
    join: JoinPolicy = JoinPolicy()
    fetch: Mapping[str, int] = field(default_factory=lambda: PATIENT)
    """How long, or for how much, the broker keeps an answer back, as the client names it."""
    session_timeout_ms: int = 6_000
    transaction_timeout_ms: int = 10_000


@dataclass(slots=True)
class Work:
    """A batch and what is to be done about it."""

    offsets: dict[Slot, int] = field(default_factory=dict)
    """Next offset to read, per input partition."""
    effects: dict[Slot, Effects] = field(default_factory=dict)
    messages: int = 0
    started: float = 0.0
    changelog_offsets: dict[Slot, int] = field(default_factory=dict)
    """Offset of the last changelog message of each input partition, as the broker acknowledged it."""
    member: Any = None
    """Which member of which generation of the group read it."""
    seconds: float = 0.0
    """From its start until it was committed."""

    @property
    def is_empty(self) -> bool:
        """Nothing read and nothing due: no transaction is worth its round trips."""
        return not self.offsets and not any(e.outputs or e.state for e in self.effects.values())


class NoState:
    """The state of a processor that keeps none."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Nothing is ever there."""
        return [None] * len(keys)

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Nothing is ever there."""
        return []


class Session:
    """One life of a consumer, a transactional producer and the stores of the assigned partitions.

    An error of the clients ends the session; the caller opens a new one and reads from the last commit.

    Membership is static, so that a restart within the session timeout gets its partitions back at once, and
    assignment is eager: a cooperative member joins the next generation while its transaction is still open (the
    broker then refuses its offsets), and one that returns as a new process between the two rounds of a cooperative
    rebalance is handed its old half and never asked for the second round: the other half belongs to nobody.
    """

    def __init__(
        self,
        settings: LoopSettings,
        processor: Processor,
        metrics: Metrics,
        restorer: Restorer | None,
        clients: Clients | None = None,
        beside: Executor | None = None,
    ) -> None:
        """clients: those of ``settings.brokers`` unless others are given.

        beside: where batches are committed while the next one is decided; a thread of its own unless another is given.
        """
        made = clients or KafkaClients(settings.brokers)
        self._settings = settings
        self._processor = processor
        self._metrics = metrics
        self._restorer = restorer
        self._stores: dict[Slot, StateStore] = {}
        self._positions: dict[Slot, int] = {}
        self._lag = Lag(metrics)
        self._unfinished: set[Slot] = set()
        self._failure: Exception | None = None
        self._no_state = NoState()
        self._moves = 0
        """How often partitions came or went."""
        self._pace = Pace(settings.batch)
        self._beside = beside or ThreadPoolExecutor(1, "commit")
        self._committing: tuple[Work, Future[None]] | None = None
        """The batch that is on its way to the brokers and into the stores."""
        self._watchdog = Watchdog()
        name = f"{settings.app}-{settings.slot}"
        self._were_away = Event()
        """The brokers, since the producer was made: its next transaction may never end (bus/watchdog.py)."""
        self._producer = made.producer(name, settings.transaction_timeout_ms, self._were_away.set)
        self._consumer = made.member(
            settings.app,
            group_instance_id=name,
            partition_assignment_strategy="range",
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=1_500,
            queued_max_messages_kbytes=_READ_AHEAD_KIB,
            **settings.fetch,
            **self._lag.config,
        )
        self._consumer.subscribe(
            list(settings.topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
        )
        self._membership = Membership(settings.join, time.monotonic())

    # -- the steps of a batch ------------------------------------------------------------------------

    def poll(self) -> list[Message]:
        """Read one batch in log order; partitions come and go inside this call, when no transaction is open.

        When they do so behind the batch's first message, it is left: its partition may be another member's by now, and
        one that came back is read again from its last commit. The client drops what it holds of them by itself.
        """
        self._lag.polled()
        with translated("reading a batch"):
            first = self._first()
            moves = self._moves
            rest = self._consumer.consume(self._pace.limit - 1, self._pace.wait(time.perf_counter())) if first else []
        self._pace.filled(time.perf_counter())
        if self._failure is not None:
            raise self._failure
        if self._membership.is_lost(time.monotonic()):
            raise ReconnectError(f"the group {self._settings.app} gave no assignment")
        if self._committing is not None and self._committing[1].done():
            self.settle()  # deciding costs less upon the store alone
        batch = [*first, *rest] if moves == self._moves else rest
        for message in batch:
            error = message.error()
            if error is not None:
                raise failed(error, f"reading {message.topic()}")
        return cast("list[Message]", batch)

    def decide(self, batch: Sequence[Message]) -> Work:
        """Let the processor decide, partition by partition."""
        work = Work(messages=len(batch), started=time.perf_counter())
        by_slot: dict[Slot, list[Message]] = {slot: [] for slot in self._unfinished}
        for message in batch:
            by_slot.setdefault((message.topic(), message.partition()), []).append(message)
        for slot, messages in by_slot.items():
            effects = self._processor.process(slot[0], slot[1], messages, self._state_of(slot))
            work.effects[slot] = effects
            if messages:
                work.offsets[slot] = messages[-1].offset() + 1
                self._lag.saw(*slot, messages[-1].timestamp()[1])
        self._unfinished = {slot for slot, effects in work.effects.items() if effects.unfinished}
        if by_slot:
            self._metrics.observe("creditbus_stage_seconds", time.perf_counter() - work.started, stage="decide")
        return work

    def settle(self) -> None:
        """Wait until the batch before is committed, and store it. Raises what went wrong with it."""
        if self._committing is not None:
            work, end = self._committing
            try:
                end.result()
                self._positions.update(work.offsets)
                self.store(work)
            finally:
                self._committing = None
            self._pace.took(work.messages, work.seconds)

    def produce(self, work: Work) -> None:
        """Outputs, then the changed state to the changelog, last the changelog's note of the source position."""
        started = time.perf_counter()
        work.member = self._consumer.consumer_group_metadata()
        self._producer.poll(0)
        if self._were_away.is_set():
            raise ReconnectError("Kafka: the brokers were away")
        with translated("starting a transaction"):
            self._producer.begin_transaction()
        with self._counting_aborts():
            for slot, effects in work.effects.items():
                send(self._producer, effects.outputs)
                if self._settings.changelog is not None and (effects.state or slot in work.offsets):
                    self._send_state(slot, effects, work)
        self._metrics.observe("creditbus_stage_seconds", time.perf_counter() - started, stage="produce")

    def finish(self, work: Work) -> None:
        """Commit beside the loop, which may go on with the next batch."""
        self._committing = work, self._beside.submit(self.commit, work)

    def commit(self, work: Work) -> None:
        """Offsets into the transaction, with the group's metadata as zombie fencing (KIP-447); then the commit."""
        started = time.perf_counter()
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in work.offsets.items()]
        with self._counting_aborts():
            if offsets:
                with self._within("adding offsets to a transaction", _OFFSETS_SECONDS):
                    self._producer.send_offsets_to_transaction(offsets, work.member, _OFFSETS_SECONDS)
            with self._within("committing a transaction", _COMMIT_SECONDS):
                self._producer.commit_transaction(_COMMIT_SECONDS)
        now = time.perf_counter()
        work.seconds = now - work.started
        self._metrics.count("creditbus_transactions_total", result="committed")
        self._metrics.observe("creditbus_commit_seconds", now - started)

    def store(self, work: Work) -> None:
        """Write the local stores, now that the same changes are committed; then count what was done."""
        started = time.perf_counter()
        for slot, effects in work.effects.items():
            store = self._stores.get(slot)
            if store is not None and slot in work.changelog_offsets:
                store.write(
                    effects.state,
                    Position(
                        source_offset=self._positions.get(slot, 0),
                        changelog_offset=work.changelog_offsets[slot] + 1,
                        lineage=self._lineage(slot),
                        written_at_ms=int(time.time() * 1000),
                    ),
                )
            for (outcome, reason), amount in effects.counts.items():
                self._metrics.count("creditbus_messages_decided_total", amount, outcome=outcome, reason=reason)
            for kind, amount in effects.alerts.items():
                self._metrics.count("creditbus_alerts_total", amount, kind=kind)
        self._metrics.observe("creditbus_stage_seconds", time.perf_counter() - started, stage="store")
        self._metrics.observe("creditbus_batch_seconds", work.seconds)
        self._metrics.set("creditbus_batch_messages", work.messages)
        self._metrics.set("creditbus_batch_limit_messages", self._pace.limit)

    def close(self) -> None:
        """Give the partitions back. With static membership the group waits for this member to return.

        A batch that is being committed is waited for; when that fails, it is read again, as after a crash.
        """
        try:
            self.settle()
        except Exception as error:  # noqa: BLE001 - whoever closes has ended already, and knows better why
            log.warning("the last batch is left to the next session", problem=str(error))
        self._beside.shutdown()
        for slot in list(self._stores):
            self._drop(slot)
        self._consumer.close()
        self._watchdog.close()

    def _first(self) -> list[KafkaMessage]:
        """The first message of a batch. When none is there, the batch before is settled before one is waited for."""
        if self._committing is not None:
            first = self._consumer.consume(1, 0.0)
            if first:
                return first
            self.settle()
        return self._consumer.consume(1, 0.0 if self._unfinished else self._settings.batch.idle_seconds)

    @contextmanager
    def _within(self, doing: str, seconds: float) -> Iterator[None]:
        """A call that has to return within so many seconds, and whose errors say what to do next."""
        with self._watchdog.during(doing, seconds + _OVERDUE_SECONDS), translated(doing):
            yield

    @contextmanager
    def _counting_aborts(self) -> Iterator[None]:
        """Within a transaction: an error ends it, and the next producer of the same id aborts it."""
        try:
            yield
        except Exception:
            self._metrics.count("creditbus_transactions_total", result="aborted")
            raise

    # -- sending ---------------------------------------------------------------------------------------

    def _send_state(self, slot: Slot, effects: Effects, work: Work) -> None:
        changelog = self._settings.changelog
        assert changelog is not None
        changes = messages_of(effects.state, effects.fresh)
        send(self._producer, (Output(changelog, *change, slot[1]) for change in changes))

        def acknowledged(error: object, message: KafkaMessage) -> None:
            if error is None:
                work.changelog_offsets[slot] = cast(int, message.offset())

        offset = work.offsets.get(slot, self._positions.get(slot, 0))
        with translated("writing the changelog"):
            self._producer.produce(changelog, source_value(offset), SOURCE_KEY, slot[1], on_delivery=acknowledged)

    # -- partitions come and go ------------------------------------------------------------------------

    def _assign(self, consumer: Member, partitions: list[TopicPartition]) -> None:
        self._moves += 1
        try:
            self.settle()
            with translated("reading committed offsets"):
                committed = consumer.committed(partitions, 15.0) if partitions else []
            for place in committed:
                slot = (place.topic, place.partition)
                if self._restorer is not None:
                    self._stores[slot] = self._restorer.open(slot[0], slot[1], place.offset)
                    place.offset = _known_offset(place.offset, self._stores[slot])
                self._positions[slot] = max(0, place.offset)
            if self._stores:
                # due work may be left over from before the restart
                self._unfinished.update(slot for slot in self._stores if slot in self._positions)
            consumer.assign(committed)
        except Exception as error:  # noqa: BLE001 - a callback must not raise into the client; poll raises it
            self._failure = error
        else:
            self._membership.joined()
            log.info("partitions assigned", count=len(partitions), total=len(self._positions))

    def _revoke(self, consumer: Member, partitions: list[TopicPartition]) -> None:
        self._moves += 1
        try:
            self.settle()
        except Exception as error:  # noqa: BLE001 - a callback must not raise into the client; poll raises it
            self._failure = error
        for place in partitions:
            self._drop((place.topic, place.partition))
        consumer.unassign()
        self._membership.left(time.monotonic())
        log.info("partitions revoked", count=len(partitions))

    def _drop(self, slot: Slot) -> None:
        self._processor.forget(*slot)
        self._positions.pop(slot, None)
        self._unfinished.discard(slot)
        store = self._stores.pop(slot, None)
        if store is not None:
            store.close()

    def _state_of(self, slot: Slot) -> StateReader:
        """State of a partition, with what is on its way into its store."""
        if self._restorer is None:
            return self._no_state
        store = self._stores[slot]
        before = self._committing[0].effects.get(slot) if self._committing is not None else None
        return Ahead(store, before.state) if before is not None and before.state else store

    def _lineage(self, slot: Slot) -> str:
        assert self._restorer is not None
        return self._restorer.lineage


def run(session: Session, *, stopping: Callable[[], bool], between: Callable[[], None] = lambda: None) -> None:
    """Process batches, each exactly once, until told to stop.

    1. poll     one batch, in log order; partitions are opened, restored and given back here
    2. decide   messages → effects (pure)
    3. settle   wait until the batch before is committed; then store it: the local stores, in one write batch each with
                their position
    4. produce  outputs and rejections, then the changed state to the changelog
    5. finish   beside this loop: commit, which is offsets with group metadata, then the transaction

    An error leaves all later steps undone and ends the session: the transaction is aborted by the next
    producer of the same id, and the batch is read again.

    between: called between batches, when nothing is held any more but what is being committed.
    """
    while not stopping():
        between()
        batch = session.poll()
        work = session.decide(batch)
        if work.is_empty:
            continue
        session.settle()
        session.produce(work)
        session.finish(work)
        del batch, work
    session.settle()


def send(producer: TransactionalProducer, outputs: Iterable[Output]) -> None:
    """Queue messages; while the queue is full, let the brokers acknowledge some."""
    produce = producer.produce
    for one in outputs:
        place = -1 if one.partition is None else one.partition
        while True:
            try:
                if one.headers:
                    produce(one.topic, one.value, one.key, place, headers=cast(Any, list(one.headers)))
                else:  # the client takes half as long without keywords
                    produce(one.topic, one.value, one.key, place)
            except BufferError:
                producer.poll(0.1)
            else:
                break


def state_folder(data: Path, app: str, slot: int) -> Path:
    """Where the local stores of one slot of a group are kept."""
    return data / f"{app}-{slot}"


def _known_offset(committed: int, store: StateStore) -> int:
    """Where to read on. A broker forgets the offsets of a group that was away for long; the changelog has them too."""
    position = store.position()
    return position.source_offset if committed < 0 and position is not None and position.source_offset else committed
