"""Applying records and time to a subject's dossier (信用档案), one at a time, deterministically.

Known events and facts change nothing (DUPLICATE), older revisions neither (SUPERSEDED); a correction takes the
effects of what it corrects back before its own take place; what refers to a record that is not there yet is
held for it (HELD). Each kind with an effect beyond being on file has one function in ``EFFECTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from creditbus.core.hashing import output_id, timer_id
from creditbus.core.listing import Context, acknowledge, list_rule_of, put_on_list, take_off_list
from creditbus.core.procedure import (
    effective_from,
    forget_step,
    missing_steps,
    note_step,
    procedure_of,
    waiting_key,
)
from creditbus.core.records import CreditRecord, business_day, date_of, day_of, start_of_day_ms
from creditbus.core.rules import ListRule
from creditbus.core.score import entry_of, score_subject
from creditbus.core.state import (
    ACTIVE,
    EXPIRED,
    REPAIRED,
    REVOKED,
    SUPERSEDED,
    WITHDRAWN,
    Entry,
    EventRow,
    ListingState,
    Row,
    Summary,
)

Facts = Mapping[str, object]

RECORDED = "RECORDED"
DUPLICATE = "DUPLICATE"
HELD = "HELD"
PARKED = "PARKED"
DROPPED = "DROPPED"


class SubjectView(Protocol):
    """The state of one subject while a batch is decided."""

    summary: Summary

    def row(self, natural_key: str) -> Row | None:
        """What became of a fact."""

    def set_row(self, natural_key: str, row: Row) -> None:
        """Note what became of a fact."""

    def event(self, event_key: str) -> EventRow | None:
        """What became of an event."""

    def set_event(self, event_key: str, row: EventRow) -> None:
        """Note what became of an event."""

    def held(self, natural_key: str) -> list[CreditRecord]:
        """Records that wait for this fact, in order of arrival."""

    def set_held(self, natural_key: str, records: list[CreditRecord]) -> None:
        """Keep records until this fact arrives; an empty list forgets them."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one record became; a record that released held ones is followed by theirs."""

    record: CreditRecord
    outcome: str
    ordinal: int = 0
    """1 for a record that was held before."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A deadline that fired: id of the firing, and the kind and record that it ended."""

    timer_id: str
    kind: str
    record_id: str


def apply_record(
    view: SubjectView, record: CreditRecord, facts_of: Callable[[CreditRecord], Facts], ctx: Context
) -> list[Applied]:
    """Apply one record, and then whatever waited for it.

    facts_of: reads the facts of a record; called only where they matter.
    """
    known = _known(view, record)
    if known is not None:
        return [Applied(record, known)]
    if record.op == "WITHDRAW":
        _withdraw(view, record, ctx)
        return [Applied(record, RECORDED)]
    if record.target_key is not None and view.row(record.target_key) is None:
        _hold(view, record)
        return [Applied(record, HELD)]
    _take_back_corrected(view, record, ctx)
    _put_on_file(view, record)
    _take_effect(view, record, facts_of, ctx)
    applied = [Applied(record, RECORDED)]
    for waiting in _released(view, record.natural_key):
        _take_back_corrected(view, waiting, ctx)
        _put_on_file(view, waiting)
        _take_effect(view, waiting, facts_of, ctx)
        applied.append(Applied(waiting, RECORDED, 1))
    return applied


def expire_due(view: SubjectView, ctx: Context) -> list[Expired]:
    """End everything whose last day is over, in the order (last day, record id)."""
    summary, today = view.summary, ctx.today
    due = sorted(
        {
            (over.until, over.record_id, over.natural_key)
            for over in _in_effect(summary)
            if over.until is not None and over.until < today
        }
    )
    expired = []
    for until, record_id, natural_key in due:
        row = view.row(natural_key)
        cause = timer_id(summary.subject_key, "end", date_of(until).isoformat(), record_id)
        _end_effects(view, natural_key, ("EXPIRED", cause), ctx)
        if row is not None:
            view.set_row(natural_key, Row(row.record_id, row.revision, row.event_key, row.kind, EXPIRED))
        expired.append(Expired(cause, row.kind if row is not None else "", record_id))
    return expired


def next_due_ms(summary: Summary) -> int:
    """When the subject's next deadline falls: the start of the day after the first last day; 0 = none."""
    ends = [over.until for over in _in_effect(summary) if over.until is not None]
    return start_of_day_ms(min(ends) + 1) if ends else 0


def _in_effect(summary: Summary) -> list[Entry | ListingState]:
    """Everything that has an effect and may have a last day."""
    return [*summary.entries, *summary.listings]


def rescore(summary: Summary, ctx: Context) -> None:
    """Bring score, grade and receipt to the business day."""
    result = score_subject(summary, ctx.rules, ctx.today)
    summary.scored_on = ctx.today
    if result is None:
        summary.score, summary.grade, summary.receipt = None, None, ""
    else:
        summary.score, summary.grade, summary.receipt = result.score, result.grade, result.receipt


def _known(view: SubjectView, record: CreditRecord) -> str | None:
    """DUPLICATE or SUPERSEDED when the event or the fact is known at this revision or a later one."""
    event = view.event(record.event_key)
    if event is not None:
        if record.revision > event.revision:
            return None
        return DUPLICATE if record.revision == event.revision else SUPERSEDED
    row = view.row(record.natural_key)
    if row is None or record.op == "WITHDRAW" or record.revision > row.revision:
        return None
    return SUPERSEDED if row.state == WITHDRAWN else DUPLICATE


def _withdraw(view: SubjectView, record: CreditRecord, ctx: Context) -> None:
    """The fact was corrected away from this subject: undo its effects, and let no late original bring it back."""
    _end_effects(view, record.natural_key, ("CORRECTED", record.record_id), ctx)
    row = view.row(record.natural_key)
    if row is not None and row.state == ACTIVE:
        _uncount(view.summary, row.kind)
    view.set_row(record.natural_key, Row(record.record_id, record.revision, record.event_key, record.kind, WITHDRAWN))
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))
    view.summary.version += 1


def _hold(view: SubjectView, record: CreditRecord) -> None:
    assert record.target_key is not None
    view.set_held(record.target_key, [*view.held(record.target_key), record])
    if record.target_key not in view.summary.held:
        view.summary.held.append(record.target_key)
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))


def _released(view: SubjectView, natural_key: str) -> list[CreditRecord]:
    if natural_key not in view.summary.held:
        return []
    waiting = view.held(natural_key)
    view.summary.held.remove(natural_key)
    view.set_held(natural_key, [])
    return waiting


def _take_back_corrected(view: SubjectView, record: CreditRecord, ctx: Context) -> None:
    """End the effects of the revisions before this one, wherever among this subject's facts they stand."""
    event = view.event(record.event_key)
    keys = {record.natural_key, record.corrects_key, event.natural_key if event is not None else None}
    for key in sorted(key for key in keys if key is not None):
        row = view.row(key)
        if row is None:
            continue
        _end_effects(view, key, ("CORRECTED", record.record_id), ctx)
        if row.state == ACTIVE:
            _uncount(view.summary, row.kind)
        view.set_row(key, Row(row.record_id, row.revision, row.event_key, row.kind, SUPERSEDED))


def _put_on_file(view: SubjectView, record: CreditRecord) -> None:
    summary = view.summary
    summary.version += 1
    summary.counts[record.kind] = summary.counts.get(record.kind, 0) + 1
    summary.fictitious = summary.fictitious or record.fictitious
    if not summary.name or record.kind == "Registration":
        summary.name, summary.region = record.subject_name, record.region
    if not summary.identifier or len(record.identifier) > len(summary.identifier):
        summary.identifier = record.identifier
    view.set_row(record.natural_key, Row(record.record_id, record.revision, record.event_key, record.kind, ACTIVE))
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))


def _uncount(summary: Summary, kind: str) -> None:
    left = summary.counts.get(kind, 0) - 1
    if left > 0:
        summary.counts[kind] = left
    else:
        summary.counts.pop(kind, None)


def _take_effect(
    view: SubjectView, record: CreditRecord, facts_of: Callable[[CreditRecord], Facts], ctx: Context
) -> None:
    effect = EFFECTS.get(record.kind)
    if record.kind == "ListStep":
        _go_on_with_procedure(view, record, facts_of(record), ctx, facts_of)
    elif effect is not None:
        effect(view, record, facts_of(record), ctx)
    elif record.kind in ctx.rules.score.record_kinds:
        _count_in_score(view, record, facts_of(record), ctx)


def _count_in_score(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """Penalty, Rating, Honor and all other facts with a point rule: they count while their window runs."""
    entry = entry_of(record, facts, ctx.rules)
    if entry is None or view.summary.kind not in ctx.rules.score.scored_kinds:
        return
    if entry.until is None or entry.until >= ctx.today:
        view.summary.entries.append(entry)
        view.summary.scored_on = -1


def _list_or_delist(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """CourtEnforcement and ListDecision: onto a list, or off the list that the target put the subject on."""
    if record.target_key is not None:
        _finish(view, record.target_key, (REVOKED, "DELISTED", record.record_id), ctx)
        return
    rule = list_rule_of(record, facts, ctx.rules)
    if rule is not None and view.summary.kind in rule.subject_kinds:
        if rule.steps:
            _list_when_complete(view, record, facts, rule, ctx)
        else:
            _list_now(view, record, facts, rule, ctx)
    _count_in_score(view, record, facts, ctx)


def _list_when_complete(view: SubjectView, record: CreditRecord, facts: Facts, rule: ListRule, ctx: Context) -> None:
    """A decision takes effect when notice, hearing and service are complete; until then it waits on file."""
    procedure = procedure_of(view.summary, rule.code, str(facts.get("notice_number") or ""))
    if missing_steps(rule, record, facts, procedure):
        key = waiting_key(procedure.list_code, procedure.notice_number)
        view.set_held(key, [*view.held(key), record])
        procedure.is_waiting = True
        return
    served_on = effective_from(rule, facts, procedure)
    begins = facts.get("effective_on")
    if served_on is not None and (not isinstance(begins, date) or day_of(begins) < served_on):
        facts = {**facts, "effective_on": date_of(served_on)}
    _list_now(view, record, facts, rule, ctx)


def _list_now(view: SubjectView, record: CreditRecord, facts: Facts, rule: ListRule, ctx: Context) -> None:
    put_on_list(view.summary, record, facts, rule, ctx)
    view.summary.scored_on = -1


def _go_on_with_procedure(
    view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context, facts_of: Callable[[CreditRecord], Facts]
) -> None:
    """告知、陈述申辩、送达: note the step; decisions that waited for it may take effect now."""
    procedure = procedure_of(view.summary, str(facts["list"]), str(facts["notice_number"]))
    note_step(procedure, record, facts)
    if not procedure.is_waiting:
        return
    key = waiting_key(procedure.list_code, procedure.notice_number)
    waiting = view.held(key)
    view.set_held(key, [])
    procedure.is_waiting = False
    for decision in waiting:
        told = facts_of(decision)
        rule = list_rule_of(decision, told, ctx.rules)
        if rule is not None:
            _list_when_complete(view, decision, told, rule, ctx)


def _repair(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """信用修复: a granted repair ends publication, sharing and use at once."""
    if facts["stage"] == "GRANTED" and record.target_key is not None:
        _finish(view, record.target_key, (REPAIRED, "REPAIRED", record.record_id), ctx)


def _revoke(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The authority withdrew its decision (行政处罚法 Art. 48)."""
    if record.target_key is not None:
        _finish(view, record.target_key, (REVOKED, "REVOKED", record.record_id), ctx)


def _dispute(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """异议: annotated at once and out of the score while open; upheld ends the record, rejected restores it."""
    if record.target_key is None:
        return
    if facts["stage"] == "DECIDED" and facts["outcome"] == "UPHELD":
        _finish(view, record.target_key, (REVOKED, "DISPUTE_UPHELD", record.record_id), ctx)
        return
    is_open = facts["stage"] == "FILED"
    for over in _in_effect(view.summary):
        if over.natural_key == record.target_key:
            over.disputed = is_open
            view.summary.scored_on = -1


def _acknowledge(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """A subscriber says that it applies an order, or that it stopped."""
    if facts["action"] == "ORDER":
        acknowledge(view.summary, str(facts["order_id"]), record.sender)


def _register(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """Former numbers of the registration resolve to the subject."""
    former = facts["former_identifiers"]
    assert isinstance(former, list)
    for one in former:
        alias = (str(one["scheme"]), str(one["value"]))
        if alias not in view.summary.aliases:
            view.summary.aliases.append(alias)


Effect = Callable[[SubjectView, CreditRecord, Facts, Context], None]
EFFECTS: Mapping[str, Effect] = {  # of every other kind: _count_in_score
    "Registration": _register,
    "CourtEnforcement": _list_or_delist,
    "ListDecision": _list_or_delist,
    "Repair": _repair,
    "Revocation": _revoke,
    "Dispute": _dispute,
    "MeasureAcknowledgement": _acknowledge,
}


def _finish(view: SubjectView, natural_key: str, why: tuple[str, str, str], ctx: Context) -> None:
    """End a fact for good. why: (state of its row, cause, id of the record behind it)."""
    state, cause, cause_id = why
    row = view.row(natural_key)
    if row is None or row.state != ACTIVE:
        return
    _end_effects(view, natural_key, (cause, cause_id), ctx)
    _uncount(view.summary, row.kind)
    view.set_row(natural_key, Row(row.record_id, row.revision, row.event_key, row.kind, state))


def _end_effects(view: SubjectView, natural_key: str, why: tuple[str, str], ctx: Context) -> None:
    summary = view.summary
    forget_step(summary, natural_key)
    _stop_waiting(view, natural_key)
    kept = [entry for entry in summary.entries if entry.natural_key != natural_key]
    ended = [listing for listing in summary.listings if listing.natural_key == natural_key]
    if len(kept) != len(summary.entries) or ended:
        summary.scored_on = -1
    summary.entries = kept
    for listing in ended:
        take_off_list(summary, listing, why[0], why[1], ctx)


def _stop_waiting(view: SubjectView, natural_key: str) -> None:
    """A decision that ends while it waits for its procedure waits no more."""
    for procedure in view.summary.procedures:
        if procedure.is_waiting:
            key = waiting_key(procedure.list_code, procedure.notice_number)
            left = [record for record in view.held(key) if record.natural_key != natural_key]
            view.set_held(key, left)
            procedure.is_waiting = bool(left)


def change_id_of(applied: Applied) -> str:
    """Id of the Change that tells of an applied record; a delivery that changed nothing tells under its own id."""
    return output_id(applied.record.record_id, f"change {applied.outcome}", applied.ordinal)


def is_due(summary: Summary, now_ms: int) -> bool:
    """Whether a deadline of the subject lies behind the business time."""
    return 0 < summary.timer <= now_ms


def needs_rescore(summary: Summary, now_ms: int) -> bool:
    """Whether the score is not that of the business day, or was never made."""
    return summary.scored_on != business_day(now_ms) and (
        bool(summary.entries) or summary.scored_on == -1 or summary.grade is None
    )
