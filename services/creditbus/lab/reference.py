"""An independent reference for ``creditbus verify``: what the log says must be true, computed the plainest way.

It shares no code with intake and dossier but the ids: one pass over the events, one over the records, dictionaries,
no batches, no state store. A difference to what the services wrote is a lost or a doubled fact.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from creditbus.core.hashing import digest, record_id


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One delivery of an event to the bus."""

    topic: str
    partition: int
    offset: int
    sender: str
    event_id: str
    revision: int
    """0 when the event cannot be read."""

    @property
    def rejection_id(self) -> str:
        """The id that its rejection would have."""
        return digest("rejection", self.topic, str(self.partition), str(self.offset))

    @property
    def record_id(self) -> str:
        """The id that its record would have."""
        return record_id(self.sender, self.event_id, self.revision)


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """A canonical record, as far as the reference needs it."""

    record_id: str
    subject_key: str
    event_key: str
    natural_key: str
    target_key: str | None
    corrects_key: str | None
    revision: int
    op: str
    kind: str


@dataclass(slots=True)
class Tally:
    """A comparison: how many, and examples of what is wrong."""

    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, example: str) -> None:
        """Count one comparison; keep the example of a failed one."""
        self.checked += 1
        if not holds and len(self.wrong) < 20:
            self.wrong.append(example)


def judge_intake(events: list[SentEvent], records: Counter[str], rejections: Counter[str]) -> Tally:
    """Each delivery ended once: as a record or as a rejection. records and rejections count messages by id."""
    tally = Tally()
    deliveries = Counter(event.record_id for event in events if event.rejection_id not in rejections)
    for event in events:
        rejected = rejections.get(event.rejection_id, 0)
        recorded = records.get(event.record_id, 0) if event.revision else 0
        where = f"{event.topic}[{event.partition}]@{event.offset}"
        tally.expect(rejected == 1 or (rejected == 0 and recorded >= 1), f"{where}: neither record nor rejection")
        tally.expect(rejected <= 1, f"{where}: {rejected} rejections")
    for record, wanted in deliveries.items():
        tally.expect(
            records.get(record, 0) == wanted, f"record {record}: {records.get(record, 0)} times, sent {wanted}"
        )
    return tally


@dataclass(slots=True)
class ReferenceSubject:
    """What must be true of a subject."""

    version: int = 0
    facts: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Natural key → (highest revision, event key)."""
    moved: dict[str, str] = field(default_factory=dict)
    """Natural key → where a correction tells the fact now."""
    events: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Event key → (highest revision, natural key)."""
    waiting: dict[str, list[SeenRecord]] = field(default_factory=dict)


def fold(records: list[SeenRecord]) -> dict[str, ReferenceSubject]:
    """Apply records in log order to plain dictionaries; how often each subject changed follows."""
    subjects: dict[str, ReferenceSubject] = {}
    for record in records:
        subject = subjects.setdefault(record.subject_key, ReferenceSubject())
        if _is_new(subject, record):
            _take(subject, record)
    return subjects


def _is_new(subject: ReferenceSubject, record: SeenRecord) -> bool:
    event = subject.events.get(record.event_key)
    if event is not None:
        return record.revision > event[0]
    fact = subject.facts.get(record.natural_key)
    if fact is None or record.op == "WITHDRAW" or record.revision > fact[0]:
        return True
    return record.natural_key in subject.moved and record.event_key != fact[1]


def _take(subject: ReferenceSubject, record: SeenRecord) -> None:
    before = subject.events.get(record.event_key)
    subject.events[record.event_key] = (record.revision, record.natural_key)
    for waiting in subject.waiting.values():
        waiting[:] = [one for one in waiting if one.event_key != record.event_key]
    if record.op == "WITHDRAW":
        subject.facts[record.natural_key] = (record.revision, record.event_key)
        subject.version += 1
        return
    target = record.target_key
    while target in subject.moved:
        target = subject.moved[target]
    earlier = {record.corrects_key, before[1] if before is not None else None}
    if target is not None and target not in subject.facts:
        _move(subject, record, earlier)
        subject.facts[record.natural_key] = (record.revision, record.event_key)
        subject.moved.pop(record.natural_key, None)
        subject.waiting.setdefault(target, []).append(record)
        _follow(subject, record.natural_key)
        return
    _put(subject, record, earlier)


def _move(subject: ReferenceSubject, record: SeenRecord, earlier: set[str | None]) -> None:
    """What was told of the fact under earlier numbers moves along."""
    for key in earlier - {None, record.natural_key}:
        assert key is not None
        if key not in subject.facts or subject.facts[key][1] == record.event_key:
            subject.facts[key] = (record.revision, record.event_key)
            subject.moved[key] = record.natural_key
            subject.waiting.setdefault(record.natural_key, []).extend(subject.waiting.pop(key, []))


def _put(subject: ReferenceSubject, record: SeenRecord, earlier: set[str | None]) -> None:
    """The fact stands, and what waited for it follows."""
    _move(subject, record, earlier)
    subject.facts[record.natural_key] = (record.revision, record.event_key)
    subject.moved.pop(record.natural_key, None)
    subject.version += 1
    _follow(subject, record.natural_key)


def _follow(subject: ReferenceSubject, natural_key: str) -> None:
    """What waited for a fact that is told now; not what another event has told anew meanwhile."""
    for waiting in subject.waiting.pop(natural_key, []):
        if subject.facts[waiting.natural_key] == (waiting.revision, waiting.event_key):
            _put(subject, waiting, set())
