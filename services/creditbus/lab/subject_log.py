"""The part of the log that one subject's dossier follows from: its records, the ticks, the editions, the schemas.

It can be written to a file, and everything about the subject can be recomputed from the file alone, on another
machine, without any service.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from creditbus.bus.editions import read_editions
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, body_reader
from creditbus.catalogue.editions import Edition as CatalogueEdition
from creditbus.catalogue.editions import compile_rules
from creditbus.core.acknowledgement import ANSWER
from creditbus.core.breaker import SourceOrder
from creditbus.core.context import Emission
from creditbus.core.errors import SettingsError, StopError
from creditbus.core.processing import Effects, Position
from creditbus.core.quarantine import PARK, QuarantineOrder
from creditbus.core.records import Change, CreditRecord, start_of_day_ms
from creditbus.core.rules import Rules
from creditbus.core.state import Summary
from creditbus.core.subject import RECORDED, Facts
from creditbus.core.topics import RECORDS
from creditbus.dossier.processor import LogReader, lookups_of
from creditbus.dossier.steps import Edition, Entry, Jump, Tick, decide_or_park
from creditbus.lab.reading import Progress, read_topic

_FORMAT = 1
_NOWHERE = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


@dataclass(slots=True)
class SubjectLog:
    """What was written about a subject, in order; ticks as runs of (first, last, step)."""

    subject_key: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    """{"value": base64, "at": append time} or {"ticks": [first, last, step]}."""
    schemas: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and text by id."""
    editions: dict[str, str] = field(default_factory=dict)
    """Text by hash."""

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        """The schema of an id, as the registry would tell it."""
        try:
            return self.schemas[str(schema_id)]
        except KeyError:
            raise UnknownSchemaError(f"the file has no schema {schema_id}") from None

    def rules_of(self, edition: str) -> Rules:
        """The rules of an edition, from the file."""
        text = self.editions.get(edition)
        if text is None:
            raise StopError(f"the file has no edition {edition}: export it again")
        return compile_rules(CatalogueEdition(edition, text.encode()))

    def save(self, path: Path) -> None:
        """Write it to a file."""
        values = {
            "format": _FORMAT,
            "subject_key": self.subject_key,
            "entries": self.entries,
            "schemas": self.schemas,
            "editions": self.editions,
        }
        path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> SubjectLog:
        """Read it from a file. Raises SettingsError that names file and remedy."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != _FORMAT:
                raise ValueError(f"format {values['format']}")
            schemas = {number: (name, text) for number, (name, text) in values["schemas"].items()}
            return cls(values["subject_key"], values["entries"], schemas, values["editions"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{path} is no log of a subject ({error}): write one with `explain --log FILE`"
            ) from error


def read_subject_log(
    brokers: str, registry: Registry, subject_key: str, progress: Progress = lambda _topic, _count: None
) -> SubjectLog:
    """Collect it from the topics. Without any record of the subject, ``entries`` holds ticks and editions only."""
    reader = LogReader(Types(registry))
    by_partition: dict[int, _Collector] = {}
    home: set[int] = set()

    def use(messages: Sequence[Any]) -> None:
        for message in messages:
            entry = reader(message)
            collector = by_partition.setdefault(message.partition(), _Collector())
            if isinstance(entry, Tick):
                collector.tick(entry.at_ms)
            elif isinstance(entry, Edition | SourceOrder | Jump):
                collector.add(message)
            elif entry.subject_key == subject_key:
                home.add(message.partition())
                collector.add(message)

    read_topic(brokers, RECORDS, use, progress=progress)
    collector = by_partition[min(home or by_partition)] if by_partition else _Collector()
    log = SubjectLog(subject_key, collector.entries)
    log.editions = {name: text.decode() for name, text in read_editions(brokers).texts.items()}
    for entry in log.entries:
        if "value" in entry:
            number = int.from_bytes(base64.b64decode(entry["value"])[1:5], "big")
            log.schemas[str(number)] = registry.name_and_text(number)
    return log


@dataclass(frozen=True, slots=True)
class Replayed:
    """A subject as its log has it at the end of a day."""

    summary: Summary
    rules: Rules
    """Those in force then."""
    emissions: tuple[Emission, ...]
    """Listing changes, orders and alerts so far, in order."""
    answers: tuple[tuple[CreditRecord, Facts], ...]
    """Acknowledgements of measures that were recorded, with their facts, in order."""


def replay_subject(log: SubjectLog, day: int) -> Replayed | None:
    """The subject at the end of a business day; None when nothing was known of it.

    Raises StopError when the log ends before that day begins.
    """
    end_ms = start_of_day_ms(day + 1)
    reader = LogReader(Types(log))
    entries, values = _until(_unpacked(log, reader), end_ms)
    notes = frozenset(e.order_id for e in entries if isinstance(e, QuarantineOrder) and e.action == PARK)
    lookups = lookups_of(reader, _remembered(log.rules_of), body_reader(SchemaSet.load()), notes)
    # whatever is read again about a subject is in its own log
    at = {place: entry for place, entry in enumerate(entries) if isinstance(entry, CreditRecord)}
    lookups = replace(lookups, records_at=lambda asked: [(place, at[place]) for place in asked])
    records = {entry.record_id: entry for entry in at.values()}
    store, unread = MemoryStore(), list(zip(entries, values, range(len(entries)), strict=True))
    emissions: list[Emission] = []
    applied: list[Change] = []
    while True:
        view, decided = decide_or_park(store, unread, lookups)
        effects = Effects()
        view.write_to(effects)
        store.write(effects.state, _NOWHERE)
        emissions += decided.emissions
        applied += decided.applied
        if not decided.unfinished:
            break
        unread = []
    if view.meta.tick_ms < start_of_day_ms(day):
        raise StopError("the log has no tick on that day: choose a day up to today on which the clock ran")
    view, _ = decide_or_park(store, (), lookups)
    summary = view.subject(log.subject_key).summary
    if not summary.kind:
        return None
    answers = [
        records[one.record_id] for one in applied if one.record_id and one.kind == ANSWER and one.outcome == RECORDED
    ]
    told = tuple((record, lookups.facts_of(record)) for record in answers)
    mine = tuple(one for one in emissions if one.subject_key == log.subject_key)
    return Replayed(summary, lookups.rules_of(view.meta.edition), mine, told)


@dataclass(slots=True)
class _Collector:
    """Entries of one partition as they are stored."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(self, message: Any) -> None:
        value = base64.b64encode(message.value()).decode()
        key = base64.b64encode(message.key() or b"").decode()
        self.entries.append({"key": key, "value": value, "at": message.timestamp()[1]})

    def tick(self, at_ms: int) -> None:
        """Extend the run of ticks, or begin one."""
        last = self.entries[-1].get("ticks") if self.entries else None
        if last is None or at_ms <= last[1]:
            if last is None:
                self.entries.append({"ticks": [at_ms, at_ms, 0]})
        elif last[2] in (0, at_ms - last[1]):
            last[1:] = [at_ms, at_ms - last[1]]
        else:
            self.entries.append({"ticks": [at_ms, at_ms, 0]})


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored message, as far as LogReader asks."""

    stored: dict[str, Any]

    def key(self) -> bytes:
        return base64.b64decode(self.stored["key"])

    def value(self) -> bytes:
        return base64.b64decode(self.stored["value"])

    def timestamp(self) -> tuple[int, int]:
        return 0, self.stored["at"]


def _unpacked(log: SubjectLog, reader: LogReader) -> Iterator[tuple[Entry, bytes]]:
    for stored in log.entries:
        if "ticks" in stored:
            first, last, step = stored["ticks"]
            for at_ms in range(first, last + 1, step or 1):
                yield Tick(at_ms, at_ms), b""
        else:
            message: Any = _Stored(stored)
            yield reader(message), message.value()


def _until(pairs: Iterator[tuple[Entry, bytes]], end_ms: int) -> tuple[list[Entry], list[bytes]]:
    """Everything before the first tick of a later day."""
    entries: list[Entry] = []
    values: list[bytes] = []
    for entry, value in pairs:
        if isinstance(entry, Tick | Jump) and entry.at_ms >= end_ms:
            break
        entries.append(entry)
        values.append(value)
    return entries, values


def _remembered(rules_of: Callable[[str], Rules]) -> Callable[[str], Rules]:
    known: dict[str, Rules] = {}

    def remembered(edition: str) -> Rules:
        if edition not in known:
            known[edition] = rules_of(edition)
        return known[edition]

    return remembered
