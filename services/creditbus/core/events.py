"""What a department sent, as typed values: the head that all kinds share, and the facts of the kind.

Fields are those of ``schemas/avro/events``; dates are days and times milliseconds since 1970 (records.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

LEGAL_PERSON = "LEGAL_PERSON"
SOLE_TRADER = "SOLE_TRADER"
NATURAL_PERSON = "NATURAL_PERSON"
ORGAN = "ORGAN"
PERSON_KINDS = frozenset({NATURAL_PERSON, SOLE_TRADER})
"""Kinds whose outputs go to the topics with restricted rights (design.md 11.10)."""
ORGANISATION_KINDS = frozenset({LEGAL_PERSON, ORGAN})
"""Kinds that are published, and whose rows are kept for ever."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One number of a subject, and the scheme it belongs to."""

    scheme: str
    value: str


class Subject(msgspec.Struct, frozen=True, gc=False):
    """Whom the event is about (信用主体)."""

    kind: str
    name: str
    identifiers: list[Identifier]


class Document(msgspec.Struct, frozen=True, gc=False):
    """The document that the decision stands in (决定文书)."""

    number: str
    title: str
    item_number: str
    decided_on: int
    served_on: int | None
    url: str | None
    sha256: str | None


class LegalBasis(msgspec.Struct, frozen=True, gc=False):
    """An article of an instrument that the decision rests on."""

    instrument: str
    article: str


class Target(msgspec.Struct, frozen=True, gc=False):
    """Another fact about the same subject, by its natural key."""

    kind: str
    authority: str
    document_number: str
    item_number: str


class CorrectedKey(msgspec.Struct, frozen=True, gc=False):
    """Where a corrected fact stood before, if its subject or its natural key changed."""

    identifier: Identifier | None
    kind: str
    authority: str
    document_number: str
    item_number: str


class Head(msgspec.Struct, frozen=True, gc=False):
    """What all kinds of event share."""

    event_id: str
    revision: int
    corrects: CorrectedKey | None
    item: str
    authority: str
    region: str
    reported_at: int
    load_id: str | None
    fictitious: bool
    subject: Subject
    document: Document
    bases: list[LegalBasis]


HEAD_RECORDS: Mapping[str, type[msgspec.Struct]] = {
    one.__name__: one for one in (Identifier, Subject, Document, LegalBasis, CorrectedKey)
}
"""What the records inside a head are, by the names that they have in ``schemas/avro/common``."""


class Direct(msgspec.Struct, frozen=True, gc=False):
    """How an event came that its department wrote to Kafka itself: what a gateway would have seen to."""

    topic: str
    key: bytes
    roles: frozenset[str]
    """Of the department."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event as intake judges it."""

    sender: str
    """Department that is proven: by the gateway, or by its own signature."""
    kind: str
    head: Head
    facts: Mapping[str, object]
    target: Target | None
    direct: Direct | None = None
    """None for what came through the gateway."""
    came_at_ms: int = 0
    """When the gateway took it; only of an initial load."""
