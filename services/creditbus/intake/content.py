"""What may not be recorded whatever its form: banned content, petty conduct, facts that are not collected at all.

The rows are the catalogue's (restricted.yaml, kept_out.yaml). They protect persons, so texts about firms pass at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from creditbus.core.events import NATURAL_PERSON, PERSON_KINDS, Event
from creditbus.core.outcome import Fault, Reason
from creditbus.core.rules import Restriction, Rules
from creditbus.core.text import normalise_text
from creditbus.intake.checks import Check, Checking, decided_day, fault, is_consent

_REASONS: Mapping[str, Reason] = {
    "NEVER": Reason.PROHIBITED_CONTENT,
    "CONSENT": Reason.NEEDS_CONSENT,
    "STATUTE": Reason.NO_STATUTE,
}


def check_content(event: Event, checking: Checking, found: list[Fault]) -> None:
    """No text about a person has a word of a restriction, unless what allows it is quoted; the text is not shown."""
    texts = {field: normalise_text(value) for field, value in _texts(event)}
    everything = "\n".join(texts.values())
    if checking.rules.restricted.search(everything) is None:
        return
    for rule in _restrictions(event, checking):
        if any(word in everything for word in rule.words) and not _is_allowed(rule, event, checking.rules):
            for field, text in texts.items():
                if any(word in text for word in rule.words):
                    found.append(fault(_REASONS[rule.effect], field, f"{rule.name.zh} {rule.name.en}", checking))


def check_kept_out(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Facts that are not collected of this kind of subject (不予归集)."""
    for rule in checking.rules.kept_out:
        if rule.kind != event.kind or event.head.subject.kind not in rule.subject_kinds:
            continue
        value = event.facts.get(rule.field)
        values = value if isinstance(value, list) else [value]
        if values and rule.values.issuperset(values) and rule.span.covers(decided_day(event, checking)):
            found.append(fault(Reason.NOT_COLLECTED, f"facts.{rule.field}", f"{rule.name.zh} {rule.name.en}", checking))


def check_person(event: Event, checking: Checking, found: list[Fault]) -> None:
    """Of a person there is a name; more than one number of the same person is more than is needed (个保法第六条)."""
    subject = event.head.subject
    if event.kind == "MeasureAcknowledgement":
        return
    if not subject.name.strip():
        found.append(fault(Reason.MISSING_FIELD, "subject.name", "", checking))
    if subject.kind == NATURAL_PERSON and len(subject.identifiers) > 1:
        found.append(fault(Reason.NOT_COLLECTED, "subject.identifiers", len(subject.identifiers), checking))


CONTENT_CHECKS: Sequence[Check] = (check_content, check_kept_out, check_person)


def content_faults_of(event: Event, checking: Checking) -> list[Fault]:
    """Every fault that any check of the content finds; hardly any event is about a person."""
    found: list[Fault] = []
    if event.head.subject.kind in PERSON_KINDS:
        for check in CONTENT_CHECKS:
            check(event, checking, found)
    return found


def _texts(event: Event) -> Iterator[tuple[str, str]]:
    yield "document.title", event.head.document.title
    for name, value in event.facts.items():
        if isinstance(value, str):
            yield f"facts.{name}", value


def _restrictions(event: Event, checking: Checking) -> Iterator[Restriction]:
    today = checking.today_date
    for rule in checking.rules.restrictions:
        if event.head.subject.kind in rule.subject_kinds and rule.span.covers(today):
            yield rule


def _is_allowed(rule: Restriction, event: Event, rules: Rules) -> bool:
    """Whether the event quotes what allows it: a statute, or a consent with its number."""
    return any(
        basis.instrument in rule.allowed_by and (basis.article.strip() or not is_consent(basis.instrument, rules))
        for basis in event.head.bases
    )
