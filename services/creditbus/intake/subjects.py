"""Whom an event is about: from identifiers to the key of the subject.

Legal persons and sole traders are keyed by their organisation code; who is named by an older number alone (工商注册号)
is whoever's registration told of that number. Natural persons are keyed by a token of their
number under the platform's key; the number itself goes no further than this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from creditbus.core.events import LEGAL_PERSON, NATURAL_PERSON, ORGAN, SOLE_TRADER, Event, Identifier, Subject
from creditbus.core.identifiers import (
    AuthorityTypes,
    Graded,
    Scheme,
    grade,
    is_blocked,
    is_sole_trader,
    normalise_identifier,
    subject_class_of,
    subject_key_of,
)
from creditbus.core.identity import identity_key
from creditbus.core.outcome import Fault, Reason
from creditbus.core.text import mask_identifier, mask_name
from creditbus.intake.checks import Checking, decided_day, fault

BY_KEY = "SUBJECT_KEY"
"""Acknowledgements quote the subject's key, since subscribers never see a person's number (design.md 11.10)."""
_QUOTES_KEYS = "MeasureAcknowledgement"
_PERSON_KEY = re.compile(r"p:[0-9]+:[0-9a-f]{40}")
_ORDER = (Scheme.USCC, Scheme.ORGANISATION, Scheme.TAX)


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The subject as the bus knows it."""

    key: str
    kind: str
    name: str
    """Masked for a natural person."""
    identifier: str
    """Unified or organisation code; masked for a natural person."""
    flags: tuple[str, ...]


def resolve(event: Event, tokenise: Callable[[str], str], checking: Checking) -> Resolved | list[Fault]:
    """The subject that the identifiers name, or every reason why they name none."""
    subject = event.head.subject
    named = {one.scheme: one.value for one in subject.identifiers}
    if BY_KEY in named:
        return _by_key(event.kind, subject, named[BY_KEY], checking)
    if subject.kind == NATURAL_PERSON:
        return _person(event, named, tokenise, checking)
    return _organisation(subject, checking)


def key_of_identifier(identifier: Identifier, tokenise: Callable[[str], str], checking: Checking) -> str | None:
    """The key that one identifier leads to, for the subject that a correction moves away from, or None."""
    if identifier.scheme not in Scheme.__members__:
        return None
    graded = _grade(identifier, checking)
    if graded.scheme is Scheme.CITIZEN:
        return None if is_blocked(graded) else tokenise(graded.value)
    return subject_key_of(graded) or _known(identifier, checking)


def _organisation(subject: Subject, checking: Checking) -> Resolved | list[Fault]:
    faults: list[Fault] = []
    for scheme in _ORDER:
        for index, identifier in enumerate(subject.identifiers):
            if identifier.scheme != scheme.name:
                continue
            graded = _grade(identifier, checking)
            key = subject_key_of(graded)
            if key is not None:
                return Resolved(
                    key=key,
                    kind=_kind_of(subject.kind, graded, checking.rules.authority_types),
                    name=subject.name,
                    identifier=graded.value,
                    flags=tuple(sorted(graded.flags)),
                )
            shown = f"{graded.value[:18]} ({', '.join(sorted(graded.flags))})"
            faults.append(fault(Reason.BAD_IDENTIFIER, f"subject.identifiers[{index}].value", shown, checking))
    if not faults and (known := _by_other_number(subject, checking)) is not None:
        return known
    return faults or [fault(Reason.MISSING_IDENTIFIER, "subject.identifiers", _schemes(subject.identifiers), checking)]


def _by_other_number(subject: Subject, checking: Checking) -> Resolved | None:
    """The subject whose registration told of a number that names nobody by itself; None unless all lead to one."""
    found = {key: identifier for identifier in subject.identifiers if (key := _known(identifier, checking)) is not None}
    if len(found) != 1:
        return None
    [(key, identifier)] = found.items()
    flags = tuple(sorted(_grade(identifier, checking).flags))
    return Resolved(key=key, kind=subject.kind, name=subject.name, identifier=key, flags=flags)


def _known(identifier: Identifier, checking: Checking) -> str | None:
    if identifier.scheme not in Scheme.__members__ or identifier.scheme == Scheme.CITIZEN.name:
        return None
    return checking.leads_to(identity_key(identifier.scheme, normalise_identifier(identifier.value)))


def _person(
    event: Event, named: dict[str, str], tokenise: Callable[[str], str], checking: Checking
) -> Resolved | list[Fault]:
    subject = event.head.subject
    if Scheme.CITIZEN.name not in named:
        return [fault(Reason.MISSING_IDENTIFIER, "subject.identifiers", _schemes(subject.identifiers), checking)]
    graded = grade(Scheme.CITIZEN, named[Scheme.CITIZEN.name], checking.rules.regions, as_of=checking.today_date)
    if is_blocked(graded):
        shown = f"****** ({', '.join(sorted(graded.flags))})"
        return [fault(Reason.BAD_IDENTIFIER, "subject.identifiers", shown, checking)]
    if _is_minor(graded.value, decided_day(event, checking)):
        return [fault(Reason.MINOR, "subject", "******", checking)]
    return Resolved(
        key=tokenise(graded.value),
        kind=NATURAL_PERSON,
        name=mask_name(subject.name),
        identifier=mask_identifier(graded.value),
        flags=tuple(sorted(graded.flags)),
    )


def _by_key(kind: str, subject: Subject, key: str, checking: Checking) -> Resolved | list[Fault]:
    is_person = _PERSON_KEY.fullmatch(key) is not None
    if kind != _QUOTES_KEYS or not (is_person or _is_organisation_key(key, checking)):
        index = next(index for index, one in enumerate(subject.identifiers) if one.scheme == BY_KEY)
        return [fault(Reason.BAD_IDENTIFIER, f"subject.identifiers[{index}]", f"{BY_KEY} {key[:18]}", checking)]
    name = mask_name(subject.name) if is_person else subject.name
    return Resolved(key=key, kind=subject.kind, name=name, identifier="" if is_person else key, flags=())


def _is_organisation_key(key: str, checking: Checking) -> bool:
    return subject_key_of(_grade(Identifier(Scheme.ORGANISATION.name, key), checking)) == key


def _kind_of(claimed: str, graded: Graded, types: AuthorityTypes) -> str:
    """The code tells more than the sender: 92… is a sole trader, an organ's code an organ."""
    if graded.scheme is Scheme.USCC:
        if is_sole_trader(graded.value):
            return SOLE_TRADER
        if subject_class_of(graded.value, types) == "organ":
            return ORGAN
        return LEGAL_PERSON
    return claimed


def _grade(identifier: Identifier, checking: Checking) -> Graded:
    rules = checking.rules
    return grade(
        Scheme[identifier.scheme],
        identifier.value,
        rules.regions,
        rules.authority_types,
        None if identifier.scheme != Scheme.CITIZEN.name else checking.today_date,
    )


def _is_minor(number: str, day: date) -> bool:
    """Under eighteen on the day of the decision; 18 digits, the birth date stands at positions 7 to 14."""
    born = int(number[6:14])
    return day.year * 10_000 + day.month * 100 + day.day - born < 180_000


def _schemes(identifiers: Sequence[Identifier]) -> str:
    return ", ".join(one.scheme for one in identifiers) or "-"
