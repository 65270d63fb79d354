"""Tickets of the supervision of departments (督办单): what has to be mended, by when, and what happens when it is not.

A ticket is opened about an organ, which answers; whoever opened it checks again and closes it or opens it anew. Its
stages come in any order: which term runs follows from the latest of them by their own days. Source: row 144 of the
plan (domain.md 1.3); rows RECTIFICATION and RECHECK of terms.yaml.
"""

from __future__ import annotations

from datetime import date

from creditbus.core.context import Context
from creditbus.core.loading import wait_for_load
from creditbus.core.records import CreditRecord, day_of
from creditbus.core.state import ACTIVE, Summary, TermState, TicketState
from creditbus.core.subject import Facts, SubjectView
from creditbus.core.terms import RECHECK, RECTIFICATION, begin, begin_until, close, extend, open_terms

STAGES = ("OPENED", "EXTENDED", "ANSWERED", "REOPENED", "CLOSED")
"""In this order where several are of one day."""
_EXTENDED = STAGES.index("EXTENDED")
_ASKS_FOR = {"OPENED": RECTIFICATION, "REOPENED": RECTIFICATION, "ANSWERED": RECHECK}


def note_stage(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """督办、答复、复核: a stage of a ticket is on file; the term that follows from the latest one runs."""
    key, summary = record.target_key or record.natural_key, view.summary
    row = view.row(key)
    if row is None or row.state != ACTIVE:
        return  # the ticket itself was revoked
    ticket = next((one for one in summary.tickets if one.key == key), None)
    if ticket is None:
        ticket = TicketState(key, record.record_id, record.region, record.document_number, record.fictitious)
        summary.tickets = sorted([*summary.tickets, ticket], key=lambda one: one.key)
    due, stage = facts.get("due_on"), STAGES.index(str(facts["stage"]))
    last_day = day_of(due) if isinstance(due, date) else 0
    ticket.stages = sorted([*ticket.stages, (record.decided_on, stage, record.natural_key, last_day)])
    _run(summary, ticket, ctx)
    for term in open_terms(summary, key, *_ASKS_FOR.values()):
        if term.opened_by == record.natural_key:
            wait_for_load(term, record, ctx.turns)


def forget_stage(summary: Summary, natural_key: str, ctx: Context, *, goes_on: bool) -> None:
    """A stage ended: the term of the latest that is left runs. goes_on: another revision tells it anew."""
    if not goes_on:
        summary.tickets = [one for one in summary.tickets if one.key != natural_key]
    for ticket in summary.tickets:
        left = [stage for stage in ticket.stages if stage[2] != natural_key]
        if len(left) != len(ticket.stages):
            ticket.stages = left
            _run(summary, ticket, ctx)


def _run(summary: Summary, ticket: TicketState, ctx: Context) -> None:
    """Let the term run that the latest stage asks for, and no other of the ticket."""
    latest = max((one for one in ticket.stages if one[1] != _EXTENDED), default=None)
    term = _ASKS_FOR.get(STAGES[latest[1]]) if latest is not None else None
    runs = [(one.term, one.opened_by) for one in open_terms(summary, ticket.key, RECTIFICATION, RECHECK)]
    if latest is None or term is None:
        close(summary, ticket.key, RECTIFICATION, RECHECK)
        return
    since, _, natural_key, last_day = latest
    if runs != [(term, natural_key)]:
        close(summary, ticket.key, RECTIFICATION, RECHECK)
        state = _state(ticket, term, natural_key, since)
        if last_day and term == RECTIFICATION:
            begin_until(summary, state, max(last_day, ctx.today))
        else:
            begin(summary, state, ctx)
    if term == RECTIFICATION and any(one > latest for one in ticket.stages):
        extend(summary, RECTIFICATION, ticket.key, ctx)


def _state(ticket: TicketState, term: str, opened_by: str, since: int) -> TermState:
    return TermState(
        term=term,
        key=ticket.key,
        opened_by=opened_by,
        record_id=ticket.record_id,
        region=ticket.region,
        document_number=ticket.document_number,
        fictitious=ticket.fictitious,
        since=since,
    )
