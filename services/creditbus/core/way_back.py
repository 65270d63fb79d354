"""The way back: disputes (异议) and repair (信用修复). Sources: domain.md 5.2, 5.3.

A dispute is annotated the moment it is filed and out of the score while it is open; when the office misses its term,
whatever the disputed fact causes is suspended until it decides.
"""

from __future__ import annotations

from creditbus.core.context import Context
from creditbus.core.escalation import ESCALATION, propose
from creditbus.core.listing import resume, suspend
from creditbus.core.records import CreditRecord
from creditbus.core.repair import REPAIR_TERMS
from creditbus.core.state import ACTIVE, Summary, TermState
from creditbus.core.subject import SubjectView
from creditbus.core.terms import (
    DISPUTE,
    SHIELD,
    begin,
    close,
    extend,
    is_disputed,
    is_overdue,
    is_shielded,
    remind,
    term_about,
)


def file_dispute(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """异议申请: annotated at once, unless its decision came before it."""
    if _begins(view, record, key, DISPUTE, ctx):
        _annotate(view.summary, key)


def extend_dispute(view: SubjectView, key: str, ctx: Context) -> None:
    """The office needs the longer term."""
    extend(view.summary, DISPUTE, key, ctx)


def answer_dispute(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """异议处理结果: the annotation ends; what was suspended goes on."""
    _answered(view, record, key, DISPUTE)
    _end_annotation(view.summary, key, record.record_id, ctx)


def apply_for_repair(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """修复申请: acceptance and decision are due."""
    for term in REPAIR_TERMS:
        _begins(view, record, key, term, ctx)


def answer_repair(view: SubjectView, record: CreditRecord, key: str, stage: str) -> None:
    """受理 closes the first term, a decision both."""
    for term in REPAIR_TERMS[:1] if stage == "ACCEPTED" else REPAIR_TERMS:
        _answered(view, record, key, term)


def shield(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """重整、和解计划执行期间: what the fact causes is suspended, and it does not count, until the plan fails."""
    if not _begins(view, record, key, SHIELD, ctx):
        return
    for listing in view.summary.listings:
        if listing.natural_key == key:
            listing.is_shielded = True
            if not listing.is_suspended:
                suspend(view.summary, listing, ("BANKRUPTCY_PLAN", record.record_id), ctx)
    _mark_shielded(view.summary, key, shielded=True)


def unshield(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """The plan has failed: everything goes on, but for what an overdue dispute keeps suspended."""
    _answered(view, record, key, SHIELD)
    _end_shield(view.summary, key, record.record_id, ctx)


def _end_shield(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    if is_shielded(summary, key):
        return  # another plan goes on
    overdue = is_overdue(summary, key)
    for listing in summary.listings:
        if listing.natural_key == key and listing.is_shielded:
            listing.is_shielded = False
            if not overdue:
                resume(summary, listing, ("PLAN_ENDED", cause_id), ctx)
    _mark_shielded(summary, key, shielded=False)


def _mark_shielded(summary: Summary, key: str, *, shielded: bool) -> None:
    for entry in summary.entries:
        if entry.natural_key == key:
            entry.is_shielded = shielded
            summary.scored_on = -1


def miss_term(summary: Summary, state: TermState, cause_id: str, ctx: Context) -> None:
    """Nobody acted in time: the office is alarmed, and where the catalogue says so the effects are suspended."""
    if state.term == ESCALATION:
        propose(summary, state, cause_id, ctx)
        return
    rule = remind(summary, state, cause_id, ctx)
    if rule is not None and rule.suspends:
        for listing in summary.listings:
            if listing.natural_key == state.key and not listing.is_suspended:
                suspend(summary, listing, ("DISPUTE_OVERDUE", cause_id), ctx)


def forget_terms(summary: Summary, natural_key: str, cause_id: str, ctx: Context) -> None:
    """A fact ended: nobody has to act about it any more, and what it asked for is asked no more."""
    asked = [state for state in summary.terms if state.opened_by == natural_key]
    summary.terms = [one for one in summary.terms if one not in asked and one.key != natural_key]
    summary.answers = [one for one in summary.answers if one[1] != natural_key]
    for state in asked:
        if state.term == DISPUTE:
            _end_annotation(summary, state.key, cause_id, ctx)
        elif state.term == SHIELD:
            _end_shield(summary, state.key, cause_id, ctx)


def _begins(view: SubjectView, record: CreditRecord, key: str, term: str, ctx: Context) -> bool:
    """Whether a term begins: the fact is in effect, and no answer of that day or later is known."""
    row = view.row(key)
    if row is None or row.state != ACTIVE:
        return False
    answers = view.summary.answers
    known = [one for one in answers if one[:2] == (term, key) and one[2] >= record.decided_on]
    if known:
        answers.remove(known[0])
        return False
    begin(view.summary, term_about(term, key, record), ctx)
    return True


def _answered(view: SubjectView, record: CreditRecord, key: str, term: str) -> None:
    """Close a term; an answer that comes before its question is kept for it while the fact is in effect."""
    summary, row = view.summary, view.row(key)
    if not close(summary, key, term) and row is not None and row.state == ACTIVE:
        summary.answers = sorted({*summary.answers, (term, key, record.decided_on)})


def _annotate(summary: Summary, key: str) -> None:
    for over in summary.in_effect:
        if over.natural_key == key:
            over.disputed = True
            summary.scored_on = -1


def _end_annotation(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    if is_disputed(summary, key):
        return  # somebody else disputes it too
    for over in summary.in_effect:
        if over.natural_key == key:
            over.disputed = False
            summary.scored_on = -1
    for listing in summary.listings:
        if listing.natural_key == key and listing.is_suspended and not listing.is_shielded:
            resume(summary, listing, ("DISPUTE_DECIDED", cause_id), ctx)
