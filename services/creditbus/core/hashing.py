"""Identifiers that derive from content: the same input gives the same id on every machine and in every replay.

Each id is BLAKE2b-128 over length-prefixed parts, as 32 hex characters; the length prefix keeps
("ab", "c") and ("a", "bc") apart. Offsets, batch bounds, clocks and random sources never enter an id (design.md 11.4).
"""

from __future__ import annotations

from hashlib import blake2b


def digest(*parts: str) -> str:
    """Hash of the parts in order; 32 hex characters."""
    return _hash("".join([f"{len(part)}:{part}" for part in parts]))


def jump_id(since_ms: int, until_ms: int) -> str:
    """Id of a jump of the clock: whoever approves the same leap approves the same jump."""
    return digest("clock-jump", str(since_ms), str(until_ms))


# The functions below are digest("event", …) and so on with the prefixes written out: they stand on the hot path.


def event_key(sender: str, event_id: str) -> str:
    """Key of an event across its revisions: event ids are unique per sender."""
    return _hash(f"5:event{len(sender)}:{sender}{len(event_id)}:{event_id}")


def record_id(sender: str, event_id: str, revision: int) -> str:
    """Id of the canonical record that one revision of an event becomes."""
    number = str(revision)
    return _hash(f"6:record{len(sender)}:{sender}{len(event_id)}:{event_id}{len(number)}:{number}")


def natural_key(authority: str, document_number: str, item_number: str, subject_key: str, kind: str) -> str:
    """Key of the fact itself: whoever reports it and however often, it is the same decision.

    document_number: already normalised (core.text.normalise_document_number).
    """
    return _hash(
        f"4:fact{len(authority)}:{authority}{len(document_number)}:{document_number}"
        f"{len(item_number)}:{item_number}{len(subject_key)}:{subject_key}{len(kind)}:{kind}"
    )


def output_id(cause: str, kind: str, ordinal: int = 0) -> str:
    """Id of an emitted message: derived from its cause (a record id or a timer's id), never from a position."""
    number = str(ordinal)
    return _hash(f"6:output{len(cause)}:{cause}{len(kind)}:{kind}{len(number)}:{number}")


def timer_id(subject_key: str, timer: str, due: str, cause: str) -> str:
    """Id of the firing of a deadline of a subject; due as ISO date."""
    return digest("timer", subject_key, timer, due, cause)


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
