"""Alerts that are about a subject as a whole: its grade changed, or a record of it cannot be applied (预警).

Each is told once, under an id that follows from its cause, and only where the edition in force has a text for it.
"""

from __future__ import annotations

from creditbus.core.context import Context
from creditbus.core.hashing import output_id
from creditbus.core.records import Alert
from creditbus.core.rules import Rules
from creditbus.core.state import Summary

GRADE_CHANGED = "GRADE_CHANGED"
QUARANTINED = "QUARANTINED"
_UNKNOWN_KIND = "NATURAL_PERSON"
"""Whoever is not known is told of where persons are, with their rights."""


def tell_grade(summary: Summary, before: str | None, record_id: str, cause_id: str, ctx: Context) -> None:
    """The grade is another one than before, and nothing louder says so already (a listing, a clearing)."""
    is_new = before is None or summary.grade is None or summary.grade == before
    if is_new or any(isinstance(one, Alert) for one in ctx.emissions):
        return
    alert = _alert(summary, ctx.rules, ctx.now_ms, GRADE_CHANGED, (record_id, cause_id), before=before)
    if alert is not None:
        ctx.emissions.append(alert)


def quarantine_alert(summary: Summary, rules: Rules, now_ms: int, record_id: str, note_id: str) -> Alert | None:
    """A record cannot be applied, and everything behind it waits. note_id: id of the note on the log about it."""
    return _alert(summary, rules, now_ms, QUARANTINED, (record_id, note_id))


def _alert(
    summary: Summary, rules: Rules, now_ms: int, kind: str, why: tuple[str, str], before: str | None = None
) -> Alert | None:
    """why: record that it is about, id of its cause. None when the edition has no text for it."""
    words = rules.reasons.get(f"EMIT_{kind}")
    if words is None:
        return None
    facts = {"name": summary.name or summary.subject_key, "before": before, "after": summary.grade}
    return Alert(
        alert_id=output_id(why[1], f"alert {kind}"),
        kind=kind,
        subject_key=summary.subject_key,
        subject_kind=summary.kind or _UNKNOWN_KIND,
        subject_name=summary.name,
        identifier=summary.identifier,
        region=summary.region,
        lists=[one.list_code for one in summary.in_force],
        record_id=why[0],
        cause_id=why[1],
        at=now_ms,
        fictitious=summary.fictitious,
        text_zh=words.text.zh.format(**facts),
        text_en=words.text.en.format(**facts),
    )
