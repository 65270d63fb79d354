"""The dossier as a processor of the transactional loop: bytes in, changes, orders and dossiers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from creditbus.bus.avro import decode, decode_struct
from creditbus.bus.recent import ReadLog, RecentMessages
from creditbus.bus.registry import UnknownSchemaError
from creditbus.bus.wire import Types
from creditbus.core.breaker import SourceOrder
from creditbus.core.framing import FRAME_BYTES, WireError, schema_id_of
from creditbus.core.hashing import digest
from creditbus.core.identity import Forgotten
from creditbus.core.processing import Effects, Message, StateReader
from creditbus.core.quarantine import QuarantineOrder, Unreadable, reason_of
from creditbus.core.records import Alert, CreditRecord
from creditbus.core.rules import Rules
from creditbus.core.subject import Facts
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.steps import Decided, Edition, Entry, Jump, Logged, Lookups, Tick, decide_or_park


class DossierProcessor:
    """core.processing.Processor of the dossier; decides by nothing but the messages and what ``view`` wrote before."""

    def __init__(
        self,
        entries: LogReader,
        outputs: Outputs,
        rules_of: Callable[[str], Rules],
        read_body: Callable[[str, bytes], dict[str, Any]],
        notes: frozenset[str] = frozenset(),
        read_log: RecentMessages | None = None,
    ) -> None:
        """entries: reads the messages of the log.

        notes: of a live run about records that could not be applied, for a replay to follow.
        read_log: values of a partition's messages by offset; without it no subject's key can change.
        """
        self._read_log = read_log
        self._entries = entries
        self._outputs = outputs
        self._lookups = lookups_of(self._entries, rules_of, read_body, notes)

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """Apply a batch; fire what is due; tell about each change, and once about each changed subject."""
        lookups = self._lookups
        if self._read_log is not None:
            self._read_log.keep(partition, messages)
            lookups = replace(lookups, records_at=partial(records_at, self._entries, self._read_log, partition))
        view, decided = decide_or_park(state, _Log(messages, self._entries), lookups)
        effects = Effects(unfinished=decided.unfinished)
        outputs = effects.outputs
        outputs.extend(self._outputs.changes(decided.changes, partition))
        outputs.extend(self._outputs.emission(emission, partition) for emission in decided.emissions)
        outputs.extend(self._outputs.parked(parked, partition) for parked in decided.parked)
        outputs.extend(self._outputs.note(note, view.meta, partition) for note in decided.notes)
        outputs.extend(map(self._outputs.moved, decided.moved))
        outputs.extend(self._outputs.forgotten(order, partition) for order in decided.forgotten)
        for subject in view.changed_subjects():
            if subject.summary.kind:  # unknown as long as nothing about the subject could be read
                outputs.append(self._outputs.dossier(subject, self._lookups.rules_of(subject.edition), partition))
        if decided.applied:
            cause = decided.applied[0].record_id or ""
            outputs.extend(self._outputs.quality(decided, cause, view.meta.tick_ms))
        view.write_to(effects)
        view.release()
        _count(effects, decided)
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Drop the copy of what was read of it."""
        if self._read_log is not None:
            self._read_log.forget(partition)


class LogReader:
    """Messages of ``credit.records`` as entries; whatever the bytes are, there is one."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def __call__(self, message: Message) -> Entry:
        """The entry of a message. Raises RetryLaterError when the registry is away."""
        try:
            return self._entry(message.value(), message.timestamp)
        except (WireError, UnknownSchemaError, TypeError) as error:
            subject = (message.key() or b"?").decode(errors="replace")
            return Unreadable(subject, digest("unreadable", (message.value() or b"").hex()), reason_of(error))

    def record(self, value: bytes) -> CreditRecord:
        """A record from its message's bytes. Raises ValueError when they are none."""
        try:
            entry = self._entry(value, lambda: (0, 0))
        except (WireError, UnknownSchemaError, TypeError) as error:
            raise ValueError("not readable") from error
        if not isinstance(entry, CreditRecord):
            raise ValueError("not a record")
        return entry

    def _entry(self, value: bytes | None, appended: Callable[[], tuple[int, int]]) -> Entry:
        """appended: type and time of the message, of which only those that move the time are asked."""
        schema = self._types.of(schema_id_of(value))
        assert value is not None
        if schema.short_name == "CreditRecord":
            return decode_struct(schema, CreditRecord, value, FRAME_BYTES)
        fields = decode(schema, value, raw=True, start=FRAME_BYTES)
        match schema.short_name:
            case "ClockTick":
                return Tick(fields["at"], appended()[1])
            case "ClockJump":
                return Jump(fields["at"], appended()[1], frozenset(fields["approved_by"]))
            case "EditionInForce":
                return Edition(fields["edition"], fields["engine"])
            case "SourceOrder":
                return SourceOrder(fields["control_id"], fields["action"], fields["source"])
            case "Forgotten":
                return Forgotten(**fields)
            case "QuarantineOrder":
                return QuarantineOrder(
                    fields["order_id"], fields["action"], fields["subject_key"], fields["record_id"], fields["reason"]
                )
        raise UnknownSchemaError(f"{schema.name} is no entry of the log of records")


@dataclass(frozen=True, slots=True)
class _Log:
    """Messages as they are decided about, each read when its turn comes."""

    messages: Sequence[Message]
    entry_of: LogReader

    def __iter__(self) -> Iterator[Logged]:
        entry_of = self.entry_of
        for message in self.messages:
            yield entry_of(message), message.value() or b"", message.offset()


def records_at(
    reader: LogReader, read_log: ReadLog, partition: int, places: Sequence[int]
) -> list[tuple[int, CreditRecord]]:
    """Records of a partition by their offsets. Raises ValueError when one cannot be read, or its place is not known."""
    if any(place < 0 for place in places):
        raise ValueError("a record was applied by a release that did not note its place: `creditbus rebuild`")
    values = read_log(partition, places) if places else {}
    return [(place, reader.record(values[place])) for place in places]


def lookups_of(
    reader: LogReader,
    rules_of: Callable[[str], Rules],
    read_body: Callable[[str, bytes], dict[str, Any]],
    parked: frozenset[str] = frozenset(),
) -> Lookups:
    """What the decisions ask of the outside. parked: notes of a live run, for a replay."""

    def facts_of(record: CreditRecord) -> Facts:
        return read_body(record.body_schema, record.body)

    return Lookups(rules_of, facts_of, reader.record, parked=parked)


def _count(effects: Effects, decided: Decided) -> None:
    for outcome, amount in Counter([applied.outcome for applied in decided.applied]).items():
        effects.count("ok", outcome.lower(), amount)
    for reason, amount in decided.dropped.items():
        effects.count("dropped", reason, amount)
    for parked in decided.parked:
        effects.count("parked" if parked.value is not None else "released", "cause" if parked.is_cause else "behind")
    if decided.fired:
        effects.count("ok", "expired", decided.fired)
    effects.alerts.update(Counter(one.kind for one in decided.emissions if isinstance(one, Alert)))
