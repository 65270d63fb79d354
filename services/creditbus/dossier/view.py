"""State of a partition while a batch is decided: committed values below, what the batch changed above.

Keys: ``s`` summary, ``n`` row of a fact, ``e`` row of an event, ``h`` held records, ``t`` timers by due time,
``q`` records in quarantine by sequence, ``w`` subjects whose listings wait for the release of a hold, ``f`` events
that went on to the key that the subject has now, ``x`` persons that were forgotten, ``m`` what the partition knows of
time, rules and sources. Values are MessagePack arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from creditbus.core.breaker import Turn
from creditbus.core.events import ORGANISATION_KINDS
from creditbus.core.processing import Effects, StateReader
from creditbus.core.quarantine import ParkedRow
from creditbus.core.records import CreditRecord
from creditbus.core.score import Score
from creditbus.core.state import EventRow, Row, Summary

META = b"m"
_ALL = 1 << 60
_TIMERS = b"t"
_ROWS = (b"n", b"e", b"h", b"q", b"f")
"""Kinds of keys that a subject may have many of."""
PERSON_PREFIX = "p:"
_NO_HOLDS: frozenset[str] = frozenset()
_encode = msgspec.msgpack.Encoder().encode
_summary = msgspec.msgpack.Decoder(Summary).decode
_row = msgspec.msgpack.Decoder(Row).decode
_event = msgspec.msgpack.Decoder(EventRow).decode
_held = msgspec.msgpack.Decoder(list[CreditRecord]).decode
_parked = msgspec.msgpack.Decoder(ParkedRow).decode

# nearly every fact and event is asked for the first time, and a KeyError costs more than the rest of the question
_UNREAD_ROW = Row("", 0, "", "", "")
_UNREAD_EVENT = EventRow(0, "", "")


class Meta(msgspec.Struct, array_like=True):
    """What a partition knows of time and rules."""

    tick_ms: int = 0
    edition: str = ""
    engine: int = 0
    turns: dict[str, list[Turn]] = {}
    """What sources are and were (core/breaker.py)."""
    editions: list[tuple[int, str]] = []
    """Since which business time which edition is in force; the newest last, earlier ones for a while."""

    def edition_at(self, at_ms: int) -> str:
        """The edition for a deadline of a business time: it comes before what the log says in the same minute."""
        return next((name for since_ms, name in reversed(self.editions) if since_ms < at_ms), self.edition)


_meta = msgspec.msgpack.Decoder(Meta).decode
_FORMS: Mapping[bytes, Callable[[bytes], object]] = {
    b"s": _summary, b"n": _row, b"e": _event, b"f": _event, b"h": _held, b"q": _parked, META: _meta
}  # fmt: skip
"""What a value is, by the first byte of its key."""


def summary_key(subject: str) -> bytes:
    """Key of a subject's summary."""
    return b"s" + subject.encode()


def held_key(subject: str, natural_key: str) -> bytes:
    """Key of the records that wait for a fact."""
    return b"h" + subject.encode() + b"\x00" + bytes.fromhex(natural_key)


def parked_key(subject: str, sequence: int) -> bytes:
    """Key of a record in quarantine; in order of arrival."""
    return b"q" + subject.encode() + b"\x00" + sequence.to_bytes(8, "big")


def timer_key(due_ms: int, subject: str) -> bytes:
    """Key of a subject's next deadline; in order of due time."""
    return _TIMERS + due_ms.to_bytes(8, "big") + subject.encode()


def waiting_key(hold_id: str, subject: str) -> bytes:
    """Key that says that a subject has a listing which waits for the release of a hold."""
    return b"w" + hold_id.encode() + b"\x00" + subject.encode()


def forwarded_key(subject: str, event_key: str) -> bytes:
    """Key of the row of an event that went on to another key."""
    return b"f" + subject.encode() + b"\x00" + bytes.fromhex(event_key)


def forgotten_key(subject: str) -> bytes:
    """Key that says that a person was forgotten."""
    return b"x" + subject.encode()


def keys_of(records: Iterable[CreditRecord]) -> list[bytes]:
    """The state that applying records looks at, to be read in one go for the whole batch.

    Keys are written out, since this runs for each record.
    """
    keys: list[bytes] = []
    fromhex = bytes.fromhex
    for record in records:
        subject = record.subject_key.encode()
        facts = b"n" + subject + b"\x00"
        events = b"e" + subject + b"\x00"
        keys += b"s" + subject, facts + fromhex(record.natural_key), events + fromhex(record.event_key)
        if record.target_key is not None:
            keys.append(facts + fromhex(record.target_key))
    return keys


def summaries(state: StateReader) -> Iterator[Summary]:
    """Every subject's summary."""
    for _, value in state.scan(b"s", b"t", _ALL):
        yield _summary(value)


def meta_of(state: Mapping[bytes, bytes]) -> Meta:
    """What a partition knows of time and rules, by its whole state."""
    return _meta(state[META])


def is_summary(key: bytes) -> bool:
    """Whether a key of the state is that of a subject's summary."""
    return key[:1] == b"s"


def subject_of(key: bytes) -> str:
    """Subject that a key of the state is about; "" for those of timers, holds and the partition."""
    if is_summary(key):
        return key[1:].decode()
    return key[1:].split(b"\x00", 1)[0].decode() if key[:1] in _ROWS else ""


def fact_of(key: bytes) -> str:
    """Natural key of the fact that a key of the state is the row of; "" for any other key."""
    return key.split(b"\x00", 1)[1].hex() if key[:1] == b"n" else ""


def is_for_ever(key: bytes, subject_kind: str) -> bool:
    """Whether a row stays once it is there, so that it may go into a bundle of the changelog."""
    return key[:1] in (b"n", b"e") and subject_kind in ORGANISATION_KINDS


def as_written_now(state: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The same state as this release writes it: what an earlier one wrote last has fewer fields."""
    return {key: _as_written_now(key, value) for key, value in state.items()}


def _as_written_now(key: bytes, value: bytes) -> bytes:
    read = _FORMS.get(key[:1])
    return _encode(read(value)) if value and read is not None else value


class PartitionView:
    """The state of one partition, read through to the store and changed only here until the batch ends."""

    def __init__(self, state: StateReader) -> None:
        self._state = state
        self._values: dict[bytes, bytes | None] = {}
        self._subjects: dict[str, SubjectState] = {}
        self._meta_was = state.get_many([META])[0]
        self.meta = _meta(self._meta_was) if self._meta_was is not None else Meta()
        """What the partition knows of time and rules."""
        self.fresh: set[bytes] = set()
        """Keys of rows that are new and for ever."""
        self.place = -1
        """Offset of the record that is being applied."""

    def prefetch(self, keys: Iterable[bytes]) -> None:
        """Read all these keys at once, but for those that have been read."""
        values = self._values
        wanted = [key for key in dict.fromkeys(keys) if key not in values]
        values.update(zip(wanted, self._state.get_many(wanted), strict=True))

    def get(self, key: bytes) -> bytes | None:
        """A value, whether it was read before or not."""
        try:
            return self._values[key]
        except KeyError:
            value = self._state.get_many([key])[0]
            self._values[key] = value
            return value

    def subject(self, key: str) -> SubjectState:
        """The state of a subject; a new one when nothing is known."""
        found = self._subjects.get(key)
        if found is None:
            data = self.get(summary_key(key))
            summary = _summary(data) if data is not None else None
            found = SubjectState(self, key, summary)
            self._subjects[key] = found
        return found

    def due_subjects(self, now_ms: int, limit: int) -> list[tuple[int, str]]:
        """Committed timers up to the business time, as (due, subject), earliest first."""
        pairs = self._state.scan(_TIMERS, timer_key(now_ms + 1, ""), limit)
        return [(int.from_bytes(key[1:9], "big"), key[9:].decode()) for key, _ in pairs]

    def waiting_subjects(self, hold_id: str, limit: int) -> list[str]:
        """Subjects with listings that wait for the release of a hold, as committed."""
        start = waiting_key(hold_id, "")
        return [key[len(start) :].decode() for key, _ in self._state.scan(start, start[:-1] + b"\x01", limit)]

    def pairs_below(self, start: bytes) -> Iterable[tuple[bytes, bytes]]:
        """Committed keys that begin so, with a zero byte at the end of the beginning, and their values."""
        return self._state.scan(start, start[:-1] + b"\x01", _ALL)

    def changed_subjects(self) -> list[SubjectState]:
        """Subjects whose state the batch touched, in order of first touch."""
        return [subject for subject in self._subjects.values() if subject.is_touched]

    def release(self) -> None:
        """The batch is decided: let go of the subjects, which refer to this, so that no collector has to find out."""
        self._subjects.clear()

    def write_to(self, effects: Effects) -> None:
        """Put every change into the effects."""
        for subject in self.changed_subjects():
            subject.write_to(effects)
        effects.fresh |= self.fresh
        meta = _encode(self.meta)
        if meta != self._meta_was:
            effects.state[META] = meta


class SubjectState:
    """The state of one subject (core.dossier.SubjectView)."""

    __slots__ = (
        "_changes", "_event_keys", "_events", "_holds_were", "_key", "_partition", "_row_keys", "_rows",
        "_timer_was", "as_of_ms", "edition", "is_forgotten", "is_new", "is_touched", "scored", "summary",
    )  # fmt: skip

    def __init__(self, partition: PartitionView, key: str, summary: Summary | None) -> None:
        self._partition = partition
        self._key = key
        after_kind = key.encode() + b"\x00"
        self._row_keys, self._event_keys = b"n" + after_kind, b"e" + after_kind  # natural or event key follows
        self._changes: dict[bytes, bytes | None] = {}
        self._rows: dict[str, Row | None] = {}
        self._events: dict[str, EventRow | None] = {}
        self._timer_was = summary.timer if summary is not None else 0
        self._holds_were = _holds_of(summary) if summary is not None else _NO_HOLDS
        self.is_new = summary is None
        self.is_touched = False
        self.as_of_ms = 0
        self.edition = ""
        """Edition of the rules by which it was last changed."""
        self.scored: Score | None = None
        """Its score with the parts of it, where the batch made one."""
        self.summary = summary or Summary(subject_key=key, kind="", name="", identifier="", region="")
        # only persons are forgotten, and only who has no state may have been
        self.is_forgotten = (
            self.is_new and key.startswith(PERSON_PREFIX) and partition.get(forgotten_key(key)) is not None
        )

    def row(self, natural_key: str) -> Row | None:
        """See SubjectView."""
        row = self._rows.get(natural_key, _UNREAD_ROW)
        if row is _UNREAD_ROW:
            data = self._partition.get(self._row_keys + bytes.fromhex(natural_key))
            row = self._rows[natural_key] = _row(data) if data else None
        return row

    def set_row(self, natural_key: str, row: Row) -> None:
        """See SubjectView."""
        key = self._row_keys + bytes.fromhex(natural_key)
        if self.row(natural_key) is None:
            self._note_fresh(key)
        self.is_touched = True
        self._changes[key] = _encode(row)
        self._rows[natural_key] = row

    def event(self, event_key: str) -> EventRow | None:
        """See SubjectView."""
        row = self._events.get(event_key, _UNREAD_EVENT)
        if row is _UNREAD_EVENT:
            data = self._partition.get(self._event_keys + bytes.fromhex(event_key))
            row = self._events[event_key] = _event(data) if data else None
        return row

    def set_event(self, event_key: str, row: EventRow) -> None:
        """See SubjectView. A record that waited keeps its place."""
        known = self.event(event_key)
        row.place = known.place if known is not None and known.record_id == row.record_id else self._partition.place
        key = self._event_keys + bytes.fromhex(event_key)
        if known is None:
            self._note_fresh(key)
        self.is_touched = True
        self._changes[key] = _encode(row)
        self._events[event_key] = row

    def forget_event(self, event_key: str) -> None:
        """See SubjectView. Rows of organisations stay: they may stand in a bundle, which would bring them back."""
        if self.summary.kind not in ORGANISATION_KINDS:
            self.is_touched = True
            self._changes[self._event_keys + bytes.fromhex(event_key)] = None
            self._events[event_key] = None

    def _note_fresh(self, key: bytes) -> None:
        """Rows of facts and events are for ever, but for those of persons, who can be forgotten."""
        if self.summary.kind in ORGANISATION_KINDS:
            self._partition.fresh.add(key)

    def held(self, natural_key: str) -> list[CreditRecord]:
        """See SubjectView."""
        key = held_key(self._key, natural_key)
        data = self._changes[key] if key in self._changes else self._partition.get(key)
        return _held(data) if data is not None else []

    def set_held(self, natural_key: str, records: list[CreditRecord]) -> None:
        """See SubjectView."""
        self.is_touched = True
        self._changes[held_key(self._key, natural_key)] = _encode(records) if records else None

    def all_events(self) -> list[EventRow]:
        """See SubjectView."""
        rows = (_event(data) for _, data in self._below(b"e") if data)
        return sorted(rows, key=lambda row: row.place)

    def all_rows(self) -> dict[str, Row]:
        """See SubjectView."""
        start = len(self._key.encode()) + 2
        return {key[start:].hex(): _row(data) for key, data in self._below(b"n") if data}

    def forwarded(self, event_key: str) -> EventRow | None:
        """See SubjectView."""
        key = forwarded_key(self._key, event_key)
        data = self._changes[key] if key in self._changes else self._partition.get(key)
        return _event(data) if data else None

    def set_forwarded(self, event_key: str, row: EventRow) -> None:
        """See SubjectView."""
        self.is_touched = True
        row.place = self._partition.place
        self._changes[forwarded_key(self._key, event_key)] = _encode(row)

    def all_forwarded(self) -> list[EventRow]:
        """See SubjectView."""
        return sorted((_event(data) for _, data in self._below(b"f") if data), key=lambda row: row.place)

    def forget_forwarded(self) -> None:
        """See SubjectView."""
        self._changes.update(dict.fromkeys([key for key, data in self._below(b"f") if data is not None], None))

    def start_anew(self) -> None:
        """See SubjectView. Rows that may lie in a bundle of the changelog are emptied, since they cannot be deleted."""
        start = len(self._key.encode()) + 2
        for kind, empty in ((b"n", b""), (b"e", b""), (b"h", None), (b"f", None)):
            known = [key for key, data in self._below(kind) if data]
            self._changes.update(dict.fromkeys(known, empty))
            if kind == b"n":
                self._rows = dict.fromkeys(key[start:].hex() for key in known)
            elif kind == b"e":
                self._events = dict.fromkeys(key[start:].hex() for key in known)
        self._partition.fresh -= self._changes.keys()
        self.summary = Summary(subject_key=self._key, kind=self.summary.kind, name="", identifier="", region="")

    @property
    def place(self) -> int:
        """Offset of the record that is being applied."""
        return self._partition.place

    @contextmanager
    def standing_at(self, place: int) -> Iterator[None]:
        """See SubjectView."""
        before, self._partition.place = self._partition.place, place
        try:
            yield
        finally:
            self._partition.place = before

    def _below(self, kind: bytes) -> list[tuple[bytes, bytes | None]]:
        """Keys of one kind with their values: as committed, and as the batch changed them."""
        start = kind + self._key.encode() + b"\x00"
        found: dict[bytes, bytes | None] = dict(self._partition.pairs_below(start))
        found.update((key, data) for key, data in self._changes.items() if key.startswith(start))
        return list(found.items())

    def parked(self, sequence: int) -> ParkedRow | None:
        """The record at a place of the queue; None when it was dropped."""
        key = parked_key(self._key, sequence)
        data = self._changes[key] if key in self._changes else self._partition.get(key)
        return _parked(data) if data is not None else None

    def set_parked(self, sequence: int, row: ParkedRow | None) -> None:
        """Put a record into the queue, or take it out."""
        self.is_touched = True
        self._changes[parked_key(self._key, sequence)] = _encode(row) if row is not None else None

    def touch(self, as_of_ms: int, due_ms: int, edition: str) -> None:
        """The subject changed at this business time by these rules, and its next deadline falls then (0 = none)."""
        self.is_touched = True
        self.as_of_ms = as_of_ms
        self.edition = edition
        self.summary.timer = due_ms

    def forget(self, as_of_ms: int, edition: str) -> None:
        """Delete everything but the mark that nothing may come back."""
        subject = self._key.encode() + b"\x00"
        known = {key for kind in _ROWS for key, _ in self._partition.pairs_below(kind + subject)}
        self._changes = dict.fromkeys((*known, *self._changes), None)
        self._changes[summary_key(self._key)] = None
        self._changes[forgotten_key(self._key)] = b""
        self._partition.fresh -= self._changes.keys()
        self._rows, self._events = {}, {}
        self.summary = Summary(subject_key=self._key, kind=self.summary.kind, name="", identifier="", region="")
        self.is_forgotten = True
        self.touch(as_of_ms, 0, edition)

    def write_to(self, effects: Effects) -> None:
        """Put the changes into the effects."""
        effects.state.update(self._changes)
        timer = self.summary.timer
        if timer != self._timer_was:
            if self._timer_was:
                effects.state[timer_key(self._timer_was, self._key)] = None
            if timer:
                effects.state[timer_key(timer, self._key)] = b""
        summary = self.summary
        if self._holds_were or summary.listings or summary.terms or summary.incentives:
            holds = _holds_of(self.summary)
            for hold in self._holds_were - holds:
                effects.state[waiting_key(hold, self._key)] = None
            for hold in holds - self._holds_were:
                effects.state[waiting_key(hold, self._key)] = b""
        if not self.is_forgotten:
            effects.state[summary_key(self._key)] = _encode(self.summary)


def _holds_of(summary: Summary) -> frozenset[str]:
    if not (summary.listings or summary.terms or summary.incentives):
        return _NO_HOLDS
    return frozenset([one.hold_id for one in summary.on_hold])
