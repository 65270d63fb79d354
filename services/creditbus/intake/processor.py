"""Intake as a processor of the transactional loop: bytes in, records, rejections and counts out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from creditbus.bus.avro import EventReader, NotAvroError, encode
from creditbus.bus.registry import UnknownSchemaError
from creditbus.bus.schemas import EventSchema, SchemaSet
from creditbus.bus.wire import Types, Writers
from creditbus.core.events import NATURAL_PERSON, Direct, Event, Head, Target
from creditbus.core.framing import NotConfluentError, unframe
from creditbus.core.hashing import digest
from creditbus.core.identity import Identity, numbers_told
from creditbus.core.outcome import Fault, Ok, Reason
from creditbus.core.processing import Effects, Message, Output, StateReader
from creditbus.core.records import CreditRecord
from creditbus.core.sending import LARGEST_EVENT_BYTES
from creditbus.core.signers import Registered, none_registered
from creditbus.core.text import mask_identifier
from creditbus.core.topics import IDENTITIES, QUALITY, RECORDS, REJECTIONS
from creditbus.intake.checks import Checking, fault
from creditbus.intake.proofs import Proofs, Proven, Unproven
from creditbus.intake.steps import Body, Privacy, decide, is_late

_PART = 64
"""So many events are read before the first of them is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What intake works with."""

    schemas: SchemaSet
    types: Types
    writers: Writers
    privacy: Privacy
    checking: Callable[[], Checking]
    """The rules in force and the time, asked once a batch."""
    gateway_keys: dict[str, bytes]
    """Keys that stamps are made with, by key id."""
    payload_key: bytes
    """Key of the hashes in rejections."""
    signing_key: Registered = none_registered
    """Keys of departments that write to Kafka themselves."""
    records: str = RECORDS
    """Topic of the records: the hub's, or a region's own (credit.records.local)."""


@dataclass(slots=True)
class Tally:
    """Counts of a batch for one department and kind."""

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    late: int = 0
    corrected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An event that becomes no record, and what is known of it."""

    faults: tuple[Fault, ...]
    sender: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class _Readable:
    """An event, with the schema and the bytes of its facts."""

    event: Event
    schema: EventSchema
    facts: bytes


_Result = tuple[Event, list[CreditRecord]] | Refused


class IntakeProcessor:
    """core.processing.Processor of intake; keeps nothing between batches."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._record_writer = parts.writers(parts.records, "CreditRecord")
        self._rejection_writer = parts.writers(REJECTIONS, "Rejection")
        self._quality_writer = parts.writers(QUALITY, "QualityRow")
        self._read_event = EventReader(parts.schemas)
        self._identity_writer = parts.writers(IDENTITIES, "Identity")
        self._faults_schema = parts.schemas.records["Faults"]
        self._proofs = Proofs(parts.gateway_keys, parts.signing_key)

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """Each event becomes its records or one rejection; counts go out once per department and kind."""
        effects = Effects()
        checking = self._parts.checking()
        tallies: dict[tuple[str, str], Tally] = {}
        for message, result in self._judged(messages, checking):
            tally = _tally_for(tallies, result)
            if isinstance(result, Refused):
                tally.rejected += 1
                effects.outputs.append(self._rejection(message, result, checking.now_ms))
                effects.count("rejected", result.faults[0].code.value)
            else:
                event, records = result
                tally.accepted += 1
                tally.late += is_late(event, checking.rules)
                tally.corrected += event.head.revision > 1
                effects.outputs.extend(self._records(records))
                effects.outputs.extend(
                    map(self._identity, numbers_told(event.kind, event.facts, records[-1].subject_key))
                )
                effects.count("ok", "recorded")
        effects.outputs.extend(map(self._identity, self._parts.privacy.keep()))
        effects.outputs.extend(self._quality(tallies, messages, checking.now_ms))
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""

    def _judged(self, messages: Sequence[Message], checking: Checking) -> Iterator[tuple[Message, _Result]]:
        """The decision about each message. Persons are asked for together, part by part."""
        for start in range(0, len(messages), _PART):
            part = [(message, self._read(message, checking)) for message in messages[start : start + _PART]]
            self._parts.privacy.expect([one.event for _, one in part if isinstance(one, _Readable)])
            for message, one in part:
                yield message, one if isinstance(one, Refused) else self._decided(one, checking)

    def _decided(self, read: _Readable, checking: Checking) -> _Result:
        event = read.event
        body = self._body(read.schema, event, read.facts)
        outcome = decide(event, body, self._parts.privacy, checking)
        if isinstance(outcome, Ok):
            return event, outcome.value
        return Refused(faults=outcome.faults, sender=event.sender, event=event)

    def _read(self, message: Message, checking: Checking) -> _Readable | Refused:
        """An event, or why the bytes are none."""
        value = message.value() or b""
        proof = self._proofs.of(dict(message.headers() or ()), value, checking.today_date)
        if isinstance(proof, Unproven):
            return _unreadable(proof.reason, proof.sender, proof.shown, checking)
        sender = proof.sender
        try:
            schema_id, payload = unframe(value)
            if len(payload) > LARGEST_EVENT_BYTES:
                return _unreadable(Reason.TOO_LARGE, sender, f"{len(payload)} bytes", checking)
            schema = self._parts.types.of(schema_id)
            if not isinstance(schema, EventSchema):
                return _unreadable(Reason.UNKNOWN_SCHEMA, sender, schema.name, checking)
            head, facts, facts_bytes = self._read_event(schema, payload)
            return _Readable(_event(proof, message, schema.short_name, (head, facts)), schema, facts_bytes)
        except NotConfluentError:
            return _unreadable(Reason.NOT_CONFLUENT, sender, "-", checking)
        except UnknownSchemaError:
            return _unreadable(Reason.UNKNOWN_SCHEMA, sender, str(schema_id), checking)
        except (NotAvroError, msgspec.ValidationError):
            return _unreadable(Reason.NOT_AVRO, sender, "-", checking)

    def _body(self, schema: EventSchema, event: Event, facts_bytes: bytes) -> Body:
        """The facts as they came; for a natural person without the fields that tell who it is."""
        if event.head.subject.kind == NATURAL_PERSON and schema.personal_facts:
            kept = {name: None if name in schema.personal_facts else v for name, v in event.facts.items()}
            facts_bytes = encode(schema.facts, kept)
        return Body(data=facts_bytes, schema=schema.facts.body_schema)

    def _records(self, records: Iterable[CreditRecord]) -> Iterable[Output]:
        for record in records:
            trace = (("event_key", record.event_key.encode()),)
            yield Output(
                self._parts.records, record.subject_key.encode(), self._record_writer.of_struct(record), None, trace
            )

    def _identity(self, one: Identity) -> Output:
        return Output(IDENTITIES, one.key.encode(), self._identity_writer.of_struct(one))

    def _rejection(self, message: Message, refused: Refused, now_ms: int) -> Output:
        event = refused.event
        place = (message.topic(), str(message.partition()), str(message.offset()))
        value = {
            "rejection_id": digest("rejection", *place),
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "event_id": event.head.event_id if event else _printable(message.key()),
            "sender": refused.sender,
            "department": refused.sender,
            "kind": event.kind if event else "",
            "item": event.head.item if event else "",
            "subject_hint": _hint(event),
            "payload_hash": _keyed_hash(message.value() or b"", self._parts.payload_key),
            "codes": [one.code.value for one in refused.faults],
            "fields": [one.field for one in refused.faults],
            "rejected_at": now_ms,
            "body": encode(self._faults_schema, {"faults": [_fault_value(one) for one in refused.faults]}),
            "body_schema": self._faults_schema.body_schema,
        }
        return Output(REJECTIONS, message.key(), self._rejection_writer(value))

    def _quality(
        self, tallies: dict[tuple[str, str], Tally], messages: Sequence[Message], now_ms: int
    ) -> Iterable[Output]:
        if not messages:
            return
        first = messages[0]
        for (department, kind), tally in tallies.items():
            place = (first.topic(), str(first.partition()), str(first.offset()))
            row = {
                "row_id": digest("quality", *place, department, kind),
                "stage": "INTAKE",
                "department": department,
                "kind": kind,
                "at": now_ms,
                "received": tally.received,
                "accepted": tally.accepted,
                "rejected": tally.rejected,
                "late": tally.late,
                "duplicate": 0,
                "corrected": tally.corrected,
            }
            yield Output(QUALITY, department.encode(), self._quality_writer(row))


def _event(proof: Proven, message: Message, kind: str, read: tuple[Head, dict[str, Any]]) -> Event:
    head, facts = read
    target = facts.get("target")
    return Event(
        sender=proof.sender,
        kind=kind,
        head=head,
        facts=facts,
        target=msgspec.convert(target, Target) if target is not None else None,
        direct=Direct(message.topic(), message.key() or b"", proof.key.roles) if proof.key is not None else None,
        came_at_ms=message.timestamp()[1] if head.load_id is not None else 0,
    )


def _unreadable(code: Reason, sender: str, shown: str, checking: Checking) -> Refused:
    return Refused(faults=(fault(code, "", shown, checking),), sender=sender)


def _tally_for(tallies: dict[tuple[str, str], Tally], result: tuple[Event, list[CreditRecord]] | Refused) -> Tally:
    if isinstance(result, Refused):
        key = (result.sender, result.event.kind if result.event else "")
    else:
        key = (result[0].sender, result[0].kind)
    tally = tallies.setdefault(key, Tally())
    tally.received += 1
    return tally


def _hint(event: Event | None) -> str:
    """A masked number, so that the department can find the case without the topic holding it."""
    if event is None or not event.head.subject.identifiers:
        return ""
    return mask_identifier(event.head.subject.identifiers[0].value[:64])


def _keyed_hash(value: bytes, key: bytes) -> str:
    """Tells whether two payloads are the same to whoever holds the key, and nothing to anybody else."""
    return hashlib.blake2b(value, digest_size=16, key=key).hexdigest()


def _printable(key: bytes | None) -> str:
    """The event id from the message's key, when the event itself is unreadable."""
    text = (key or b"").decode(errors="replace")[:64]
    return text if text.isascii() and text.isprintable() else ""


def _fault_value(one: Fault) -> dict[str, str]:
    return {
        "code": one.code.value,
        "field": one.field,
        "problem_zh": one.problem_zh,
        "problem_en": one.problem_en,
        "remedy_zh": one.remedy_zh,
        "remedy_en": one.remedy_en,
    }
