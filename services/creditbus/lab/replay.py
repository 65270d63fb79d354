"""Rebuilding every dossier from the log in a sandbox, and comparing it with the live state bit for bit.

What an earlier release wrote last is compared as this one would write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from creditbus.bus.places import PlaceReader
from creditbus.bus.recent import RecentMessages
from creditbus.bus.registry import Registry
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import POSITION_KEY, RocksStores
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.core.checkpoints import Checkpoint, digest_of
from creditbus.core.processing import Position, StateStore
from creditbus.core.quarantine import PARK, QuarantineOrder
from creditbus.core.topics import RECORDS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.dossier.view import as_written_now
from creditbus.lab.checkpoints import read_state
from creditbus.lab.reading import read_topic
from creditbus.lab.snapshot import Snapshot
from creditbus.lab.stack import LabAddresses

_FIRST, _LAST = b"", b"\xff"
_ALL = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the log is, and where the sandbox."""

    brokers: str
    registry_url: str
    folder: Path

    @classmethod
    def of(cls, places: LabAddresses, folder: Path) -> Place:
        """The log of a bus, and a folder for the sandbox."""
        return cls(brokers=places.brokers, registry_url=places.registry_url, folder=folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One partition: what the replay made of it and what the live changelog holds."""

    partition: int
    began_at: int
    """Offset that it began with: 0, or the position of a checkpoint."""
    messages: int
    keys: int
    """Keys in the state."""
    live_digest: str
    replay_digest: str
    differing: int
    """Keys whose values differ."""

    @property
    def is_same(self) -> bool:
        """Whether both are the same, bit for bit."""
        return self.live_digest == self.replay_digest


def replay_all(
    place: Place,
    live: Mapping[int, Snapshot],
    processes: int,
    told: Callable[[Compared], None],
    starts: Mapping[int, Checkpoint],
) -> list[Compared]:
    """Replay every partition up to where the live dossier has come, several at a time.

    told: after each one; starts: checkpoints to begin from, by partition; the others from their beginning.
    """
    found = []
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        tasks = [
            pool.submit(replay_partition, place, number, one, starts.get(number))
            for number, one in sorted(live.items())
        ]
        for task in as_completed(tasks):
            told(task.result())
            found.append(task.result())
    return sorted(found, key=lambda one: one.partition)


def replay_partition(place: Place, partition: int, live: Snapshot, start: Checkpoint | None) -> Compared:
    """Replay one partition into the sandbox and compare. start: the checkpoint to begin from."""
    schemas = SchemaSet.load()
    with ExitStack() as opened:
        registry = opened.enter_context(closing(Registry(place.registry_url)))
        places = opened.enter_context(closing(PlaceReader(place.brokers, RECORDS)))
        store = opened.enter_context(closing(RocksStores(place.folder)(RECORDS, partition)))
        types = Types(registry)
        began_at = start.position if start is not None else 0
        if start is not None:
            store.write(read_state(place.brokers, types, start), _at(began_at))
        ends = {partition: live.source_offset}
        processor = DossierProcessor(
            LogReader(types),
            Outputs(Writers(registry, schemas), schemas),
            rules_by_hash(place.brokers),
            body_reader(schemas),
            _notes(place.brokers, LogReader(types), began_at, ends),
            RecentMessages(places, place.folder),
        )
        messages = _apply(processor, store, place.brokers, began_at, ends)
        replayed = state_of(store)
        values = as_written_now(live.values)
    return Compared(
        partition=partition,
        began_at=began_at,
        messages=messages,
        keys=len(replayed),
        live_digest=digest_of(values),
        replay_digest=digest_of(replayed),
        differing=_differing(values, replayed),
    )


def state_of(store: StateStore) -> dict[bytes, bytes]:
    """Everything that a store of the dossier holds, but for its position."""
    values = as_written_now(dict(store.scan(_FIRST, _LAST, _ALL)))
    values.pop(POSITION_KEY, None)
    return values


def _apply(processor: DossierProcessor, store: StateStore, brokers: str, began_at: int, ends: Mapping[int, int]) -> int:
    [(partition, end)] = ends.items()
    count = 0

    def use(messages: Sequence[Any]) -> None:
        nonlocal count
        effects = processor.process(RECORDS, partition, messages, store)
        store.write(effects.state, _at(messages[-1].offset() + 1))
        count += len(messages)

    read_topic(brokers, RECORDS, use, ends=ends, start=began_at)
    is_unfinished = True
    while is_unfinished:
        effects = processor.process(RECORDS, partition, (), store)
        store.write(effects.state, _at(end))
        is_unfinished = effects.unfinished
    return count


def _notes(brokers: str, reader: LogReader, began_at: int, ends: Mapping[int, int]) -> frozenset[str]:
    """Ids of the live run's notes about records that could not be applied."""
    notes: set[str] = set()

    def use(messages: Sequence[Any]) -> None:
        for message in messages:
            entry = reader(message)
            if isinstance(entry, QuarantineOrder) and entry.action == PARK:
                notes.add(entry.order_id)

    read_topic(brokers, RECORDS, use, ends=ends, start=began_at)
    return frozenset(notes)


def _differing(live: Mapping[bytes, bytes], replayed: Mapping[bytes, bytes]) -> int:
    return sum(live.get(key) != replayed.get(key) for key in live.keys() | replayed.keys())


def _at(offset: int) -> Position:
    return Position(source_offset=offset, changelog_offset=0, lineage="replay", written_at_ms=0)
