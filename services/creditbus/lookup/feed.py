"""Alerts as they come, for every open stream: each reader gets each alert of the log, in the order of each partition.

One consumer reads what comes for all of them. A reader that is behind, because it was away or is slow, is read to from
the log until it has caught up. The position that goes with each alert says where to go on after a break.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from creditbus.bus.kafka import PATIENT, consumer_config
from creditbus.bus.reading import bounds_of, offsets_since, read_to_end, sources_of
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import BusError
from creditbus.core.topics import ALERTS
from creditbus.lookup.positions import Position, start_of
from creditbus.lookup.steps import shown

log = structlog.get_logger()

_GROUP = "creditbus-lookup-feed"
_WAITING = 1_000
"""Alerts that wait for a reader in memory; a slower one reads on from the log."""
_BATCH = 1_000
"""Alerts read from the log at once for a reader that is behind."""
_BEHIND_AT_ONCE = 3
"""Readers that the log is read for at the same time."""
_SILENT_SECONDS = 5.0
_RETRY_SECONDS = 1.0
Alert = dict[str, Any]
Wanted = Callable[[Alert], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader is told: an alert, or that some are in the log no more, or only how far the log has been read."""

    position: Position
    alert: Alert | None = None
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class _Placed:
    """An alert and where it stands; None for what cannot be read."""

    partition: int
    offset: int
    alert: Alert | None


@dataclass(slots=True, eq=False)
class _Reader:
    """A stream's share of what comes. Touched on the event loop only."""

    loop: asyncio.AbstractEventLoop
    waiting: deque[_Placed] = field(default_factory=deque)
    is_behind: bool = False
    """Something was left out: it has to be read from the log."""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, placed: _Placed) -> None:
        """Take what came, unless the reader has too much to read already."""
        if len(self.waiting) >= _WAITING:
            self.is_behind = True
        if not self.is_behind:
            self.waiting.append(placed)
        self.came.set()

    def begin_again(self) -> None:
        """Forget what waits: from now on what comes is kept, and everything before is read from the log."""
        self.waiting.clear()
        self.is_behind = False

    async def next(self) -> _Placed | None:
        """What came next; None after seconds without anything, and when something was left out."""
        if not self.waiting and not self.is_behind:
            self.came.clear()
            try:
                await asyncio.wait_for(self.came.wait(), _SILENT_SECONDS)
            except TimeoutError:
                return None
        return self.waiting.popleft() if self.waiting else None


class AlertFeed:
    """Reads alerts about legal persons from now on, in a thread of its own."""

    def __init__(self, brokers: str, types: Types, topic: str = ALERTS) -> None:
        self._brokers = brokers
        self._topic = topic
        self._types = types
        self.source = sources_of(brokers, [topic])[topic]
        """Name of the log that is read."""
        self._next = {partition: end for partition, (_, end) in bounds_of(brokers, _GROUP, topic).items()}
        self._consumer = Consumer(consumer_config(brokers, _GROUP, **PATIENT))
        self._consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in self._next.items()])
        self._readers: set[_Reader] = set()
        self._lock = threading.Lock()
        self._behind = asyncio.Semaphore(_BEHIND_AT_ONCE)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="alert-feed", daemon=True)
        self._thread.start()

    async def alerts(self, start: Mapping[int, int] | None, wanted: Wanted) -> AsyncGenerator[Told]:
        """Every alert from a position on, without end; None: those that come from now on.

        Every few seconds without an alert that is wanted the position is told alone, so that a closed connection is
        noticed, and a reader that comes back later has less to read.
        """
        with self._joined() as (reader, now):
            position = dict(now if start is None else start)
            reader.is_behind = start is not None
            yield Told(position)  # whoever breaks off before the first alert knows where it began
            while not self._stop.is_set():
                if reader.is_behind:
                    reader.begin_again()
                    async with aclosing(self._catch_up(position, wanted)) as behind:
                        async for told in behind:
                            yield told
                placed = await reader.next()
                if placed is None:
                    yield Told(position)
                elif placed.offset >= position.get(placed.partition, 0):
                    position[placed.partition] = placed.offset + 1
                    if placed.alert is not None and wanted(placed.alert):
                        yield Told(position, placed.alert)

    async def since(self, at_ms: int) -> Position:
        """Position of the first alert that was written at a time (ms since 1970) or later. Raises BusError."""
        return await asyncio.to_thread(offsets_since, self._brokers, _GROUP, self._topic, at_ms)

    def close(self) -> None:
        """End reading, and every stream."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    @contextmanager
    def _joined(self) -> Iterator[tuple[_Reader, Position]]:
        """A new reader, and the position from which on it gets everything."""
        reader = _Reader(asyncio.get_running_loop())
        with self._lock:
            self._readers.add(reader)
            now = dict(self._next)
        try:
            yield reader, now
        finally:
            with self._lock:
                self._readers.discard(reader)

    async def _catch_up(self, position: Position, wanted: Wanted) -> AsyncGenerator[Told]:
        """What the log has from a position on, which moves on. While Kafka is away it is tried again."""
        is_behind = True
        while is_behind and not self._stop.is_set():
            try:
                async with self._behind:
                    start, placed, is_lost, is_behind = await asyncio.to_thread(self._part, dict(position))
            except BusError as error:
                log.warning("waiting", problem=str(error))
                yield Told(position)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            position |= start
            if is_lost:
                yield Told(position, is_gap=True)
            for one in placed:
                position[one.partition] = one.offset + 1
                if one.alert is not None and wanted(one.alert):
                    yield Told(position, one.alert)
            yield Told(position)

    def _part(self, position: Position) -> tuple[Position, list[_Placed], bool, bool]:
        """The next part of the log: where it begins, what it has, whether something before it is gone, whether there is
        more. Raises BusError.
        """
        start, is_lost = start_of(position, bounds_of(self._brokers, _GROUP, self._topic))
        places = [TopicPartition(self._topic, partition, offset) for partition, offset in start.items()]
        messages: list[Message] = []
        with closing(read_to_end(self._brokers, _GROUP, places, _BATCH)) as batches:
            for batch in batches:
                messages += batch
                if len(messages) >= _BATCH:
                    break
        return start, [self._placed(one) for one in messages], is_lost, len(messages) >= _BATCH

    def _placed(self, message: Message) -> _Placed:
        partition, offset = message.partition() or 0, message.offset() or 0
        try:
            alert = read_value(self._types, message.value(), raw=False)[1]
        except (ValueError, LookupError, BusError) as error:
            log.error("an alert could not be read", partition=partition, offset=offset, problem=type(error).__name__)
            return _Placed(partition, offset, None)
        return _Placed(partition, offset, shown(alert))

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            placed = self._placed(message)
            with self._lock:
                self._next[placed.partition] = placed.offset + 1
                readers = list(self._readers)
            for reader in readers:
                reader.loop.call_soon_threadsafe(reader.offer, placed)
