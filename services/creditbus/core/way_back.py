"""The way back: disputes (异议) and repair (信用修复). Sources: domain.md 5.2, 5.3.

A dispute is annotated the moment it is filed and out of the score while it is open; when the office misses its term,
whatever the disputed fact causes is suspended until it decides.
"""

from __future__ import annotations

from creditbus.core.context import Context
from creditbus.core.escalation import ESCALATION, propose
from creditbus.core.listing import DISPUTE_OPEN, resume, suspend, tell_state
from creditbus.core.loading import wait_for_load
from creditbus.core.records import CreditRecord
from creditbus.core.repair import REPAIR_TERMS
from creditbus.core.state import ACTIVE, ListingState, Summary, TermState
from creditbus.core.subject import SubjectView
from creditbus.core.terms import (
    DISPUTE,
    SHIELD,
    answer,
    begin_unless_answered,
    closed_terms,
    extend,
    forget_answers,
    is_disputed,
    is_overdue,
    is_shielded,
    remind,
    take_back_answer,
    term_about,
)

_ASKED = (DISPUTE, SHIELD, *REPAIR_TERMS)
"""Terms that a record opens about another fact."""


def file_dispute(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """异议申请: annotated at once, unless its decision came before it."""
    if _begins(view, record, key, DISPUTE, ctx):
        _annotate(view.summary, key, record.record_id, ctx)


def extend_dispute(view: SubjectView, key: str, ctx: Context) -> None:
    """The office needs the longer term."""
    extend(view.summary, DISPUTE, key, ctx)


def answer_dispute(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """异议处理结果: the annotation ends; what was suspended goes on."""
    _answer(view, record, key, DISPUTE)
    _end_annotation(view.summary, key, record.record_id, ctx)


def apply_for_repair(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """修复申请: acceptance and decision are due."""
    for term in REPAIR_TERMS:
        _begins(view, record, key, term, ctx)


def answer_repair(view: SubjectView, record: CreditRecord, key: str, stage: str) -> None:
    """受理 closes the first term, a decision both."""
    for term in REPAIR_TERMS[:1] if stage == "ACCEPTED" else REPAIR_TERMS:
        _answer(view, record, key, term)


def shield(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """重整、和解计划执行期间: what the fact causes is suspended, and it does not count, until the plan fails."""
    if _begins(view, record, key, SHIELD, ctx):
        _begin_shield(view.summary, key, record.record_id, ctx)


def unshield(view: SubjectView, record: CreditRecord, key: str, ctx: Context) -> None:
    """The plan has failed: everything goes on, but for what an overdue dispute keeps suspended."""
    _answer(view, record, key, SHIELD)
    _end_shield(view.summary, key, record.record_id, ctx)


def _begin_shield(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    for listing in summary.listings:
        if listing.natural_key == key:
            listing.is_shielded = True
            if not listing.is_suspended:
                suspend(summary, listing, ("BANKRUPTCY_PLAN", cause_id), ctx)
    _mark_shielded(summary, key, shielded=True)


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
        _suspend_disputed(summary, state.key, cause_id, ctx)


def go_on_unanswered(summary: Summary, natural_key: str, cause_id: str, ctx: Context) -> None:
    """An answer is taken back, or told anew: what it closed is asked again, and has the effects that it had."""
    for state in take_back_answer(summary, natural_key, ctx):
        if state.term == DISPUTE:
            _annotate(summary, state.key, cause_id, ctx)
            if is_overdue(summary, state.key):
                _suspend_disputed(summary, state.key, cause_id, ctx)
        elif state.term == SHIELD:
            _begin_shield(summary, state.key, cause_id, ctx)


def forget_terms(summary: Summary, natural_key: str, cause_id: str, ctx: Context) -> None:
    """A fact ended: nobody has to act about it any more, and what it asked for is asked no more."""
    asked = [state for state in summary.terms if state.opened_by == natural_key]
    summary.terms = [one for one in summary.terms if one not in asked and one.key != natural_key]
    summary.answers = [one for one in summary.answers if one[1] != natural_key]
    forget_answers(summary, natural_key)
    _end_asked(summary, asked, cause_id, ctx)


def forget_unasked(summary: Summary, record: CreditRecord, ctx: Context) -> None:
    """A correction of a dispute, an application or a plan does not ask what it asked before: nor is it answered."""
    unasked = [
        state
        for state in (*summary.terms, *closed_terms(summary))
        if state.opened_by == record.natural_key and state.term in _ASKED and state.record_id != record.record_id
    ]
    if unasked:
        summary.terms = [one for one in summary.terms if one not in unasked]
        for given in summary.given:
            given.closed = [one for one in given.closed if one not in unasked]
        _end_asked(summary, unasked, record.record_id, ctx)


def _end_asked(summary: Summary, states: list[TermState], cause_id: str, ctx: Context) -> None:
    """What was asked is asked no more: the annotation or the shield that came with it ends."""
    for state in states:
        if state.term == DISPUTE:
            _end_annotation(summary, state.key, cause_id, ctx)
        elif state.term == SHIELD:
            _end_shield(summary, state.key, cause_id, ctx)


def _begins(view: SubjectView, record: CreditRecord, key: str, term: str, ctx: Context) -> bool:
    """Whether a term begins: the fact is in effect, and no answer of that day or later is known."""
    row = view.row(key)
    if row is None or row.state != ACTIVE:
        return False
    state = term_about(term, key, record)
    wait_for_load(state, record, ctx.turns)
    return begin_unless_answered(view.summary, state, ctx)


def _answer(view: SubjectView, record: CreditRecord, key: str, term: str) -> None:
    """Nobody has to act any more; of a fact that is over nobody had to."""
    row = view.row(key)
    if row is not None and row.state == ACTIVE:
        answer(view.summary, key, term, record)


def _suspend_disputed(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    for listing in summary.listings:
        if listing.natural_key == key and not listing.is_suspended:
            suspend(summary, listing, ("DISPUTE_OVERDUE", cause_id), ctx)


def _annotate(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    _mark_disputed(summary, key, (DISPUTE_OPEN, cause_id), ctx, disputed=True)


def _end_annotation(summary: Summary, key: str, cause_id: str, ctx: Context) -> None:
    if is_disputed(summary, key):
        return  # somebody else disputes it too
    _mark_disputed(summary, key, ("DISPUTE_DECIDED", cause_id), ctx, disputed=False)
    for listing in summary.listings:
        if listing.natural_key == key and listing.is_suspended and not listing.is_shielded:
            resume(summary, listing, ("DISPUTE_DECIDED", cause_id), ctx)


def _mark_disputed(summary: Summary, key: str, why: tuple[str, str], ctx: Context, *, disputed: bool) -> None:
    """Mark whatever a fact has in effect, and tell readers of listings. why: (cause, id of what is behind it)."""
    for over in summary.in_effect:
        if over.natural_key == key:
            if isinstance(over, ListingState) and over.disputed != disputed:
                tell_state(summary, over, "DISPUTED" if disputed else "UNDISPUTED", why, ctx)
            over.disputed = disputed
            summary.scored_on = -1
