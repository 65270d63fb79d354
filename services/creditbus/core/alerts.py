"""Alerts about a subject (预警), each told once, under an id that follows from its cause.

Those about the subject as a whole are here: its grade changed, or a record of it cannot be applied. They are told only
where the edition in force has a text for them; those of listings and of terms are made where these are decided.
"""

from __future__ import annotations

from typing import NamedTuple

from creditbus.core.context import Context
from creditbus.core.hashing import output_id
from creditbus.core.identifiers import Scheme, grade, subject_key_of
from creditbus.core.records import Alert
from creditbus.core.rules import Department, Rules
from creditbus.core.state import Summary

ALERT_KINDS = frozenset({
    "DISHONEST_SUBJECT", "CLEARED_SUBJECT", "ESCALATION_PROPOSED", "DISPUTE_OVERDUE", "REPAIR_OVERDUE", "REPAIR_UNMET",
    "REPAIR_TOO_EARLY", "REPAIR_IRREGULAR", "REVOCATION_OVERDUE", "ORDER_UNACKNOWLEDGED", "LIFT_UNACKNOWLEDGED",
    "DEADLINE_NEAR", "SOURCE_HELD", "SOURCE_RELEASED", "SOURCE_ROLLED_BACK", "LOAD_OPENED", "LOAD_COMPLETED",
    "LOAD_RELEASED", "LOAD_ROLLED_BACK", "GRADE_CHANGED", "QUARANTINED", "RULES_CHANGED", "TICKET_OVERDUE",
    "RECHECK_OVERDUE",
})  # fmt: skip
"""Everything that an alert can be about."""
GRADE_CHANGED = "GRADE_CHANGED"
QUARANTINED = "QUARANTINED"
REPAIR_UNMET = "REPAIR_UNMET"
"""An application for repair came too early or lacks a condition."""
REPAIR_IRREGULAR = "REPAIR_IRREGULAR"
"""A repair was granted, and is in effect, without a condition of it."""
REVOCATION_OVERDUE = "REVOCATION_OVERDUE"
"""What was revoked was withdrawn too late."""
_OF_OFFICES = frozenset({REPAIR_UNMET, REPAIR_IRREGULAR, REVOCATION_OVERDUE})
"""They tell what an office or an applicant did, and nothing of how the subject stands."""
_UNKNOWN_KIND = "NATURAL_PERSON"
"""Whoever is not known is told of where persons are, with their rights."""


class About(NamedTuple):
    """What an alert is about: a record, where it was decided, the lists that it concerns."""

    record_id: str
    region: str
    lists: list[str]
    fictitious: bool


def tell_grade(summary: Summary, before: str | None, record_id: str, cause_id: str, ctx: Context) -> None:
    """The grade is another one than before, and nothing louder says so already (a listing, a clearing)."""
    is_new = before is None or summary.grade is None or summary.grade == before
    if is_new or any(isinstance(one, Alert) and one.kind not in _OF_OFFICES for one in ctx.emissions):
        return
    alert = _alert(summary, ctx.rules, ctx.now_ms, GRADE_CHANGED, (record_id, cause_id), before=before)
    if alert is not None:
        ctx.emissions.append(alert)


def quarantine_alert(summary: Summary, rules: Rules, now_ms: int, record_id: str, note_id: str) -> Alert | None:
    """A record cannot be applied, and everything behind it waits. note_id: id of the note on the log about it."""
    return _alert(summary, rules, now_ms, QUARANTINED, (record_id, note_id))


def subject_alert(
    summary: Summary, kind: str, about: About, words: tuple[str, str], cause_id: str, at_ms: int
) -> Alert:
    """An alert about a subject. words: its text in Chinese and English; cause_id: record or timer behind it."""
    return Alert(
        alert_id=output_id(cause_id, f"alert {kind}"),
        kind=kind,
        subject_key=summary.subject_key,
        subject_kind=summary.kind or _UNKNOWN_KIND,
        subject_name=summary.name,
        identifier=summary.identifier,
        region=about.region,
        lists=about.lists,
        record_id=about.record_id,
        cause_id=cause_id,
        at=at_ms,
        fictitious=about.fictitious,
        text_zh=words[0],
        text_en=words[1],
    )


def organ_alert(rules: Rules, kind: str, department: Department, cause_id: str, at_ms: int, **facts: object) -> Alert:
    """An alert about an organ of government, and not about a subject of records. facts: for the catalogue's text."""
    code = min(department.authorities)
    text = rules.reasons[f"EMIT_{kind}"].text
    return Alert(
        alert_id=output_id(cause_id, f"alert {kind}"),
        kind=kind,
        subject_key=subject_key_of(grade(Scheme.USCC, code, rules.regions)) or code,
        subject_kind="ORGAN",
        subject_name=department.name.zh,
        identifier=code,
        region=department.region,
        lists=[],
        record_id="",
        cause_id=cause_id,
        at=at_ms,
        fictitious=False,
        text_zh=text.zh.format(name=department.name.zh, **facts),
        text_en=text.en.format(name=department.name.en, **facts),
    )


def _alert(
    summary: Summary, rules: Rules, now_ms: int, kind: str, why: tuple[str, str], before: str | None = None
) -> Alert | None:
    """why: record that it is about, id of its cause. None when the edition has no text for it."""
    reason = rules.reasons.get(f"EMIT_{kind}")
    if reason is None:
        return None
    facts = {"name": summary.name or summary.subject_key, "before": before, "after": summary.grade}
    words = (reason.text.zh.format(**facts), reason.text.en.format(**facts))
    about = About(why[0], summary.region, [one.list_code for one in summary.in_force], summary.fictitious)
    return subject_alert(summary, kind, about, words, why[1], now_ms)
