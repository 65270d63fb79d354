"""What does not grow: the cost of a record with its subject's history, of a tick with the deadlines not yet due.

In process, on the real store, with the real rules.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from creditbus.bus.avro import encode
from creditbus.bus.collector import BetweenBatches
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import RocksStores
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.hashing import event_key, natural_key, record_id
from creditbus.core.processing import Effects, Position, StateStore
from creditbus.core.records import day_of
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry

_DAY = date(2026, 11, 22)
_NOW_MS = 1_795_449_600_000
_TICK_MS = 600_000
_POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)
_BATCH = 2_000
_ROUND = 1_000


class Partition:
    """A dossier of one partition on a store of its own."""

    def __init__(self, folder: Path) -> None:
        registry, schemas = MemoryRegistry(), SchemaSet.load()
        self._writers, types = Writers(registry, schemas), Types(registry)
        rules = compile_rules(edition_of(load()))
        self._processor = DossierProcessor(
            LogReader(types), Outputs(self._writers, schemas), lambda _: rules, body_reader(schemas)
        )
        self._permit, self.honour = schemas.events["Permit"].facts, schemas.events["Honor"].facts
        self.store: StateStore = RocksStores(folder)("growth", 0)
        self.now_ms = _NOW_MS
        self._between = BetweenBatches()
        edition = {"edition": rules.edition, "engine": 1, "activated_at": 0}
        self.apply([self._message(self._writers("credit.records", "EditionInForce")(edition)), self.tick(0)])

    def apply(self, messages: Sequence[MemoryMessage]) -> Effects:
        """Apply a batch and write its state."""
        self._between()
        effects = self._processor.process("credit.records", 0, messages, self.store)
        self.store.write(effects.state, _POSITION)
        return effects

    def tick(self, passed_ms: int) -> MemoryMessage:
        """Time passes."""
        self.now_ms += passed_ms
        return self._message(self._writers("credit.records", "ClockTick")({"at": self.now_ms, "previous": None}))

    def record(self, subject: int, number: int, kind: str = "Permit", body: bytes = b"") -> MemoryMessage:
        """A record of a subject. body: of an honour, or nothing."""
        schema = self.honour if body else self._permit
        key, document, event = f"{subject:09}", f"x-{number}", f"{subject}-{number}"
        value = {
            "record_id": record_id("bench", event, 1), "revision": 1, "op": "RECORD", "kind": kind, "subject_key": key,
            "subject_kind": "LEGAL_PERSON", "subject_name": "x", "identifier": key, "identifier_flags": [],
            "sender": "bench", "event_id": event, "event_key": event_key("bench", event),
            "natural_key": natural_key("a", document, "", key, kind), "target_key": None, "corrects_key": None,
            "item": "x", "authority": "a", "region": "150100", "document_number": document, "item_number": "",
            "decided_on": day_of(_DAY), "reported_at": _NOW_MS, "recorded_at": _NOW_MS, "load_id": None,
            "fictitious": True, "body": body, "body_schema": schema.body_schema, "sealed": None,
        }  # fmt: skip
        return self._message(self._writers("credit.records", "CreditRecord")(value))

    def _message(self, value: bytes) -> MemoryMessage:
        return MemoryMessage(0, None, value, (), self.now_ms)


def measure(history: int = 100_000, deadlines: int = 100_000) -> dict[str, float]:
    """Microseconds a record of a subject with a short and with a long history; seconds of ticks."""
    with tempfile.TemporaryDirectory() as folder:
        found = _history(Partition(Path(folder) / "history"), history)
        return found | _deadlines(Partition(Path(folder) / "deadlines"), deadlines)


def _history(partition: Partition, history: int) -> dict[str, float]:
    for start in range(0, history, _BATCH):
        partition.apply([partition.record(1, number) for number in range(start, start + _BATCH)])
    partition.apply([partition.record(2, number) for number in range(10)])
    taken = {1: float("inf"), 2: float("inf")}
    for turn in range(6):
        subject = 1 + turn % 2
        messages = [partition.record(subject, 10**6 * (turn + 1) + number) for number in range(_ROUND)]
        began = time.perf_counter()
        for start in range(0, _ROUND, 5):  # few of one subject come at once
            partition.apply(messages[start : start + 5])
        taken[subject] = min(taken[subject], time.perf_counter() - began)
    partition.store.close()
    return {
        "us a record, subject with 10 records": taken[2] / _ROUND * 1e6,
        f"us a record, subject with {history:,} records": taken[1] / _ROUND * 1e6,
        "ratio of the two": taken[1] / taken[2],
    }


def _deadlines(partition: Partition, deadlines: int) -> dict[str, float]:
    """Honours that all end on one day: a tick before, and what the tick of the day begins, round by round."""
    day = day_of(_DAY)
    body = encode(partition.honour, {"honor": "BRAND", "title": "x", "granted_on": day, "valid_until": day + 3})
    for start in range(0, deadlines, _BATCH):
        partition.apply([partition.record(subject, 1, "Honor", body) for subject in range(start, start + _BATCH)])
    began = time.perf_counter()
    partition.apply([partition.tick(_TICK_MS)])
    quiet = time.perf_counter() - began
    while partition.now_ms < _NOW_MS + 72 * 3_600_000:
        effects = partition.apply([partition.tick(_TICK_MS)])
        if effects.unfinished:
            break
    fired, rounds, began = len(effects.outputs), [], time.perf_counter()
    while effects.unfinished:
        started = time.perf_counter()
        effects = partition.apply([])
        rounds.append(time.perf_counter() - started)
        fired += len(effects.outputs)
    total = time.perf_counter() - began
    partition.store.close()
    return {
        f"ms a tick with {deadlines:,} deadlines that are not due": quiet * 1000,
        f"s until {deadlines:,} deadlines of one tick have fired": total,
        "ms the longest round, after which others go on": max(rounds) * 1000,
        "messages that told of it": fired,
    }
