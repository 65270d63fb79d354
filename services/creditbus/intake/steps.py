"""From event to canonical record: the decision of intake, without any I/O.

An event becomes one record, or two when a correction moves a fact away from another subject (the withdrawal there
and the record here, design.md 11.6), or a rejection with every fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from creditbus.core.calendar import working_days_between
from creditbus.core.events import NATURAL_PERSON, Event, Identifier
from creditbus.core.hashing import event_key, natural_key, output_id, record_id
from creditbus.core.identity import Identity
from creditbus.core.outcome import Fault, Ok, Reason, Reject
from creditbus.core.records import CreditRecord, business_day, date_of
from creditbus.core.rules import Rules
from creditbus.core.text import normalise_document_number
from creditbus.intake.checks import Checking, fault, faults_of
from creditbus.intake.content import content_faults_of
from creditbus.intake.direct import direct_faults_of
from creditbus.intake.subjects import Resolved, key_of_identifier, resolve

LINK = "IdentityLink"
_PERSON = "p:"
Tokenise = Callable[[str], str]
Seal = Callable[[str, Event], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The facts as they go on: Avro bytes and the schema they were written with."""

    data: bytes
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What keeps persons unknown downstream: the token of a number, and the sealed personal data."""

    tokenise: Tokenise
    """A number that leads to nobody becomes a person by it, once that is kept."""
    seal: Seal
    """None for whoever was forgotten and is only quoted."""
    expect: Callable[[Sequence[Event]], None] = lambda events: None
    """Told of some events before they are decided, so that persons can be asked for together."""
    keep: Callable[[], Iterable[Identity]] = tuple
    """Make durable whoever was tokenised since the last call, before anything of it goes out; those that
    ``credit.identities`` may lack."""


def decide(event: Event, body: Body, privacy: Privacy, checking: Checking) -> Ok[list[CreditRecord]] | Reject:
    """The records that an event becomes, or every reason why it becomes none."""
    faults = [*faults_of(event, checking), *content_faults_of(event, checking)]
    if event.direct is not None:
        faults += direct_faults_of(event, event.direct, checking)
    # whoever is only named by an event that becomes no record becomes no person
    subject = resolve(event, privacy.tokenise if not faults else _nobody, checking)
    if isinstance(subject, list):
        return Reject((*faults, *subject))
    if faults:
        return Reject(tuple(faults))
    moved = _moved_from(event, subject, privacy.tokenise, checking)
    if isinstance(moved, Fault):
        return Reject((moved,))
    linked = _linked_key(event, subject, privacy.tokenise, checking)
    if isinstance(linked, Fault):
        return Reject((linked,))
    sealed = privacy.seal(subject.key, event) if subject.kind == NATURAL_PERSON else None
    record = _record(event, subject, body, sealed, checking.now_ms, moved)
    if linked is not None:
        record = msgspec.structs.replace(record, linked_key=linked)
    if moved is None or moved[0] == subject.key:
        return Ok([record])
    return Ok([_withdrawal(record, event, moved), record])


def _nobody(_number: str) -> str:
    return ""


def is_late(event: Event, rules: Rules) -> bool:
    """Whether it was reported after its item's working days (双公示: seven, domain.md 7); an initial load never is."""
    item = rules.items.get(event.head.item)
    if item is None or event.head.load_id is not None:
        return False
    decided, reported = event.head.document.decided_on, business_day(event.head.reported_at)
    if reported - decided <= item.report_within_working_days:
        return False
    days = working_days_between(rules.calendar, date_of(decided), date_of(reported))
    return days.count > item.report_within_working_days


def _moved_from(
    event: Event, subject: Resolved, tokenise: Tokenise, checking: Checking
) -> tuple[str, str] | Fault | None:
    """(subject key, natural key) under which the corrected fact stood; None when the event corrects no key."""
    corrects = event.head.corrects
    if corrects is None:
        return None
    key: str | None = subject.key
    if corrects.identifier is not None:
        key = key_of_identifier(corrects.identifier, tokenise, checking)
        if key is None:
            return fault(Reason.BAD_IDENTIFIER, "corrects.identifier", corrects.identifier.scheme, checking)
    assert key is not None
    number = normalise_document_number(corrects.document_number)
    return key, natural_key(corrects.authority, number, corrects.item_number, key, corrects.kind)


def _linked_key(event: Event, subject: Resolved, tokenise: Tokenise, checking: Checking) -> str | Fault | None:
    """Key that an IdentityLink says the subject has now; None for every other kind."""
    if event.kind != LINK:
        return None
    successor = event.facts.get("successor")
    if not isinstance(successor, dict):
        return fault(Reason.MISSING_CONDITION, "facts.successor", "", checking)
    key = key_of_identifier(Identifier(successor["scheme"], successor["value"]), tokenise, checking)
    is_same_kind = key is not None and key.startswith(_PERSON) == subject.key.startswith(_PERSON)
    if key is None or key == subject.key or not is_same_kind:
        return fault(Reason.BAD_IDENTIFIER, "facts.successor", successor["scheme"], checking)
    return key


def _corrected(event: Event) -> list[str]:
    """What a corrected fact was told under, so that its key can be told for another key of the subject."""
    one = event.head.corrects
    if one is None:
        return []
    return [one.authority, normalise_document_number(one.document_number), one.item_number, one.kind]


def _record(
    event: Event, subject: Resolved, body: Body, sealed: bytes | None, now_ms: int, moved: tuple[str, str] | None
) -> CreditRecord:
    head, document = event.head, event.head.document
    number = normalise_document_number(document.number)
    return CreditRecord(  # in the order of its fields: by name it would take almost three times as long
        record_id(event.sender, head.event_id, head.revision),
        head.revision,
        "RECORD",
        event.kind,
        subject.key,
        subject.kind,
        subject.name,
        subject.identifier,
        list(subject.flags),
        event.sender,
        head.event_id,
        event_key(event.sender, head.event_id),
        natural_key(head.authority, number, document.item_number, subject.key, event.kind),
        _target_key(event, subject.key),
        moved[1] if moved is not None else None,
        head.item,
        head.authority,
        head.region,
        number,
        document.item_number,
        document.decided_on,
        head.reported_at,
        now_ms,
        head.load_id,
        head.fictitious,
        body.data,
        body.schema,
        sealed,
        "" if subject.kind == NATURAL_PERSON else document.title,
        [f"{basis.instrument} {basis.article}".rstrip() for basis in head.bases],
        corrected=_corrected(event),
    )


def _target_key(event: Event, subject_key: str) -> str | None:
    target = event.target
    if target is None:
        return None
    number = normalise_document_number(target.document_number)
    return natural_key(target.authority, number, target.item_number, subject_key, target.kind)


def _withdrawal(record: CreditRecord, event: Event, moved: tuple[str, str]) -> CreditRecord:
    """The same event, as its old subject sees it: the fact is gone from there."""
    corrects = event.head.corrects
    assert corrects is not None
    values: Mapping[str, object] = {name: getattr(record, name) for name in CreditRecord.__struct_fields__}
    changed: dict[str, object] = {
        "record_id": output_id(record.record_id, "withdraw"),
        "op": "WITHDRAW",
        "kind": corrects.kind,
        "subject_key": moved[0],
        "subject_name": "",
        "identifier": "",
        "identifier_flags": [],
        "natural_key": moved[1],
        "target_key": None,
        "document_number": normalise_document_number(corrects.document_number),
        "item_number": corrects.item_number,
        "body": b"",
        "sealed": None,
        "document_title": "",
        "bases": [],
    }
    return CreditRecord(**{**values, **changed})  # type: ignore[arg-type]
