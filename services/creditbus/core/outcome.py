"""What a decision says should happen to a message: carry on, drop, reject or park.

The set is closed and consumed by ``match`` that ends in ``assert_never``.
A step returns an outcome and never performs it; bad data is an outcome, a broken world is an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a message was rejected: metric label, dead-letter code and key of the texts in the catalogue at once."""

    NOT_CONFLUENT = "not-confluent"
    """The bytes are not in the Confluent wire format (empty, too short, or without the magic byte)."""
    UNKNOWN_SCHEMA = "unknown-schema"
    """The schema id is not in the registry, or names no event of the contract."""
    NOT_AVRO = "not-avro"
    """The bytes cannot be read with the schema that they name (truncated, trailing bytes, wrong types)."""
    TOO_LARGE = "too-large"
    """The message is larger than the limit of the contract."""
    FORGED = "forged"
    """The gateway's stamp, or the department's signature, is missing or does not verify."""
    UNKNOWN_KEY = "unknown-key"
    """The event is signed with a key that is not registered."""
    KEY_NOT_VALID = "key-not-valid"
    """The event is signed with a registered key that is revoked, not valid yet, or not valid any more."""
    MISPLACED = "misplaced"
    """A department wrote the event to a topic, or under a key, where a gateway would not have put it."""
    FOREIGN_AUTHORITY = "foreign-authority"
    """A department wrote to Kafka itself what another authority decided."""
    UNKNOWN_FIELD = "unknown-field"
    """A field that the kind does not have."""
    MISSING_FIELD = "missing-field"
    """A field that the kind requires is absent."""
    WRONG_TYPE = "wrong-type"
    """A value has another type than the contract says."""
    MALFORMED_EVENT_ID = "malformed-event-id"
    """The event id is neither a UUID nor a ULID."""
    BAD_REVISION = "bad-revision"
    """The revision is below one."""
    LOAD_NOT_OPEN = "load-not-open"
    """The event says that it belongs to an initial load, which is not open, or is complete."""
    UNKNOWN_DEPARTMENT = "unknown-department"
    """The sender is not in the catalogue, or not in force on the day."""
    UNKNOWN_AUTHORITY = "unknown-authority"
    """The deciding authority's code is not a valid code of an organ."""
    UNKNOWN_REGION = "unknown-region"
    """The region code is not in the catalogue on the day of the decision."""
    UNKNOWN_ITEM = "unknown-item"
    """The catalogue item is not in the edition in force."""
    ITEM_NOT_ALLOWED = "item-not-allowed"
    """The department or the kind may not use this catalogue item."""
    UNKNOWN_CODE = "unknown-code"
    """A value is not in its code list."""
    BAD_IDENTIFIER = "bad-identifier"
    """No subject can be derived from the identifiers: format, alphabet or check digit is wrong."""
    MISSING_IDENTIFIER = "missing-identifier"
    """The subject carries no identifier that its kind needs."""
    IMPOSSIBLE_DATE = "impossible-date"
    """A date is out of order or out of all bounds."""
    FUTURE_DATE = "future-date"
    """A decision or report lies in the future."""
    MISSING_DOCUMENT_NUMBER = "missing-document-number"
    """The decision has no document number, so it can neither be found nor be taken back."""
    UNKNOWN_BASIS = "unknown-basis"
    """A legal basis is missing, not in the catalogue, or not in force on the day."""
    BAD_AMOUNT = "bad-amount"
    """An amount is negative or beyond all bounds."""
    PERSONAL_DATA = "personal-data"
    """Personal data stands where none may be (an identity number in free text or in a document number)."""
    MINOR = "minor"
    """The person is a minor and must not be recorded."""
    MISSING_STEP = "missing-step"
    """A decision to list does not name the notice that came before it."""
    MISSING_CONDITION = "missing-condition"
    """A fact that a decision rests on is missing."""
    REGION_NOT_VALID = "region-not-valid"
    """There was no such region on the day of the decision."""
    LIST_BASIS = "list-basis"
    """A decision to list rests on nothing that allows this list."""
    PROHIBITED_CONTENT = "prohibited-content"
    """A text says of a person what may never be recorded: belief, genes, disease."""
    NEEDS_CONSENT = "needs-consent"
    """A text says of a person what needs consent, and none is quoted."""
    NO_STATUTE = "no-statute"
    """Petty conduct of a person, which nothing recorded may be made of without a statute."""
    NOT_COLLECTED = "not-collected"
    """A fact that is not collected at all."""
    NOT_A_SUBSCRIBER = "not-a-subscriber"
    """An acknowledgement by a department that does not carry out measures of the family."""
    NOT_ITS_TICKET = "not-its-ticket"
    """A ticket is answered by the department that it is about, and by nobody else opened, extended or closed there."""
    NOT_IN_REGION = "not-in-region"
    """An item, basis or list of a region's own, used by somebody or about a decision of another region."""
    BAD_TERM = "bad-term"
    """A term that no rule allows."""
    BAD_TARGET = "bad-target"
    """The record that this event refers to is not named properly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a message: which field, what problem, what remedy, in both languages."""

    code: Reason
    field: str
    problem_zh: str
    problem_en: str
    remedy_zh: str
    remedy_en: str


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """Carry on with this value."""

    value: T


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing to do, and rightly so (an older tick, a control record that is known)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """To the dead letters, with every fault that was found."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Park:
    """Hold this record, and all later ones of its subject, until somebody decides."""

    reason: str


Outcome: TypeAlias = Ok[T] | Drop | Reject | Park
