"""One subject under two keys (主体合并、变更与拆分): its records follow it to the key that it has now.

A link (IdentityLink) in effect closes the dossier of its subject: subscribers are told to stop, what is known goes as
copies under the same record ids to the other key, and so does whatever still arrives. When the link ends (a split, a
revocation, a correction), the dossier goes on from where it stood, and the other one does so without the copies.

Of several links the latest decision holds; of two that would lead in a circle, again the latest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from creditbus.core.context import Context
from creditbus.core.effects import end_all_effects, finish
from creditbus.core.hashing import natural_key, output_id
from creditbus.core.incentives import hold_back, offer_again
from creditbus.core.links import effective_link, note_link
from creditbus.core.listing import resume, tell_again
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder
from creditbus.core.state import (
    ACTIVE,
    DELETED,
    EXPIRED,
    ROLLED_BACK,
    SUPERSEDED,
    WAITING,
    WITHDRAWN,
    EventRow,
    Laid,
    Link,
    ListingState,
    Row,
    Summary,
)
from creditbus.core.subject import DUPLICATE, FORWARDED, HELD, RECORDED, Applied, Facts, SubjectView
from creditbus.core.terms import LIFT_ACKNOWLEDGEMENT, ORDER_ACKNOWLEDGEMENT, close, is_overdue, merge_terms
from creditbus.core.text import normalise_document_number

LINK, SPLIT, ACKNOWLEDGEMENT = "IdentityLink", "IdentitySplit", "MeasureAcknowledgement"
UNLINK = "UNLINK"
"""Operation of a record that takes the copies of a key back."""
CAUSE = "IDENTITY"

Apply = Callable[[SubjectView, CreditRecord, Context], list[Applied]]


def is_own_affair(summary: Summary, record: CreditRecord) -> bool:
    """Whether a closed dossier deals with a record by itself: its own links and splits, answers to its orders."""
    if record.rekeyed_from:
        return False
    links = {one.natural_key for one in summary.links}
    return record.kind in (LINK, SPLIT, ACKNOWLEDGEMENT) or record.target_key in links


def forward(view: SubjectView, record: CreditRecord, known: str | None, ctx: Context) -> Applied:
    """A record of a closed dossier goes to the key that it has now. known: what it is already, as the rows tell."""
    summary = view.summary
    before = view.forwarded(record.event_key)
    if before is not None and record.revision <= before.revision:
        return Applied(record, DUPLICATE if record.revision == before.revision else SUPERSEDED)
    if known is not None:
        return Applied(record, known)
    if record.kind == LINK or record.op == UNLINK:
        _note_circle(summary, record)
    view.set_forwarded(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))
    summary.version += 1
    ctx.moves.append(rekeyed(record, summary.redirect, summary.closed_by, ctx.facts_of))
    return Applied(record, FORWARDED)


def note_same(view: SubjectView, record: CreditRecord) -> None:
    """A record tells what is on file already, perhaps by a copy: it is needed when the copy is taken back."""
    if view.summary.linked and view.event(record.event_key) is None:
        view.set_forwarded(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))


def _note_circle(summary: Summary, record: CreditRecord) -> None:
    """Who leads here matters to a closed dossier too: its own link may lead in a circle."""
    if record.op == UNLINK:
        summary.linked = [one for one in summary.linked if one.key != record.rekeyed_from[0]]
    else:
        note_link(summary, record)


def rekeyed(record: CreditRecord, key: str, link_id: str, facts_of: Callable[[CreditRecord], Facts]) -> CreditRecord:
    """The copy of a record for another key: whatever is told of the subject by hash is told of the other one.

    link_id: record of the link that it follows.
    """
    natural, target, corrects = record.natural_key, record.target_key, record.corrects_key
    if record.op == "RECORD":
        natural = natural_key(record.authority, record.document_number, record.item_number, key, record.kind)
    elif record.corrected:
        natural = _corrected_key(record, key)
    if target is not None:
        about = cast("Mapping[str, str]", facts_of(record)["target"])
        number = normalise_document_number(about["document_number"])
        target = natural_key(about["authority"], number, about["item_number"], key, about["kind"])
    if corrects is not None:
        corrects = _corrected_key(record, key) if record.corrected else None
    return msgspec.structs.replace(
        record,
        subject_key=key,
        natural_key=natural,
        target_key=target,
        corrects_key=corrects,
        rekeyed_from=[*record.rekeyed_from, record.subject_key],
        rekeyed_by=link_id,
    )


def _corrected_key(record: CreditRecord, key: str) -> str:
    authority, number, item_number, kind = record.corrected
    return natural_key(authority, number, item_number, key, kind)


def settle(
    view: SubjectView, record: CreditRecord, apply: Apply, ctx: Context
) -> list[Applied]:  # fmt: skip
    """Open or close the dossier as its links say now. record: what changed them; apply: puts a record on file."""
    summary = view.summary
    wanted = effective_link(summary)
    if (wanted.record_id if wanted else "") == summary.closed_by:
        return []
    applied: list[Applied] = []
    if summary.closed_by:
        applied = _reopen(view, record, apply, ctx)
        wanted = effective_link(summary)  # what was forwarded meanwhile may hold another link
    if wanted is not None and not summary.closed_by:
        _close(view, wanted, ctx)
    return applied


# -- closing and opening ---------------------------------------------------------------------------------


def _close(view: SubjectView, link: Link, ctx: Context) -> None:
    """Copies of everything on file go to the other key; what subscribers were told ends here and begins there."""
    summary = view.summary
    going = [record for _, record in _on_file(view, ctx) if _goes_along(record, link)]
    going.sort(key=lambda record: record.record_id != link.record_id)  # the link first: it tells where from
    ctx.moves.extend(rekeyed(record, link.key, link.record_id, ctx.facts_of) for record in going)
    laid = Laid(
        entries=summary.entries,
        listings=list(summary.listings),
        incentives=list(summary.incentives),
        terms=summary.terms,
        procedures=summary.procedures,
        held=summary.held,
        answers=summary.answers,
        rated_on=summary.rated_on,
        tickets=summary.tickets,
        given=summary.given,
    )
    laid = msgspec.msgpack.decode(msgspec.msgpack.encode(laid), type=Laid)  # as it is, whatever ends now
    summary.terms = [state for state in summary.terms if state.term == LIFT_ACKNOWLEDGEMENT]
    laid.terms = [state for state in laid.terms if state.term != LIFT_ACKNOWLEDGEMENT]
    _quietly(lambda: end_all_effects(summary, (CAUSE, link.record_id), ctx), ctx)
    summary.entries, summary.procedures, summary.held, summary.tickets = [], [], [], []
    summary.answers, summary.given = [], []
    summary.laid, summary.redirect, summary.closed_by = laid, link.key, link.record_id
    summary.scored_on = -1


def _goes_along(record: CreditRecord, link: Link) -> bool:
    """Answers stay with the orders that they answer; of a subject's own links, only the one in effect goes.

    What came from where the link leads is on file there, and a copy would hide it as soon as that one is taken back.
    """
    if record.op == UNLINK or link.key in record.rekeyed_from:
        return False
    if record.rekeyed_from:
        return True
    return record.record_id == link.record_id or record.kind not in (LINK, SPLIT, ACKNOWLEDGEMENT)


def _reopen(
    view: SubjectView, record: CreditRecord, apply: Apply, ctx: Context
) -> list[Applied]:  # fmt: skip
    """The other key loses the copies; this dossier goes on from where it stood, with what arrived meanwhile."""
    summary = view.summary
    ctx.moves.append(_unlink(record, summary))
    laid, left = summary.laid or Laid(), summary
    summary.entries, summary.procedures, summary.rated_on = laid.entries, laid.procedures, laid.rated_on
    summary.listings, summary.incentives, summary.tickets = laid.listings, laid.incentives, laid.tickets
    summary.held = sorted({*laid.held, *left.held})
    summary.answers, summary.given = sorted({*laid.answers, *left.answers}), laid.given
    merge_terms(summary, laid.terms)
    summary.laid, summary.redirect, summary.closed_by = None, "", ""
    _tell_again(summary, record.effect_id, ctx)
    summary.scored_on = -1
    waiting = view.all_forwarded()
    view.forget_forwarded()
    summary.linked = [one for one in summary.linked if one.record_id not in {row.record_id for row in waiting}]
    applied: list[Applied] = []
    for place, one in ctx.records_at([row.place for row in waiting]):
        with view.standing_at(place):
            applied += apply(view, one, ctx)
    return applied


def _unlink(record: CreditRecord, summary: Summary) -> CreditRecord:
    """Tells the other key that this one leads to it no more. record: what ended the link."""
    cause = output_id(record.effect_id, f"unlink {summary.closed_by} {summary.redirect}")
    return msgspec.structs.replace(
        record,
        record_id=cause,
        event_key=cause,
        natural_key=cause,
        revision=1,
        op=UNLINK,
        kind=LINK,
        subject_key=summary.redirect,
        target_key=None,
        corrects_key=None,
        corrected=[],
        linked_key=None,
        body=b"",
        sealed=None,
        rekeyed_from=[summary.subject_key],
        rekeyed_by=summary.closed_by,
    )


def _tell_again(summary: Summary, cause_id: str, ctx: Context) -> None:
    """Subscribers stopped when the dossier was closed; what still holds is ordered and offered anew, under new ids."""
    for listing in summary.listings:
        close(summary, listing.listing_id, ORDER_ACKNOWLEDGEMENT)
        if listing.until is not None and listing.until < ctx.today:
            listing.orders = []  # it ended meanwhile: nothing is in effect that could be lifted
        elif not listing.is_waiting:
            tell_again(summary, listing, (CAUSE, cause_id), ctx)
    for state in summary.incentives:
        state.is_offered = False
        for order in state.orders:
            order.order_id, order.acknowledged, order.declined = output_id(cause_id, order.order_id), [], []
    if not summary.is_severely_listed:
        offer_again(summary, cause_id, ctx)


# -- taking copies back ----------------------------------------------------------------------------------


def unlink(view: SubjectView, record: CreditRecord, apply: Apply, ctx: Context) -> Applied:
    """A key leads here no more: the dossier becomes what it is without the copies from there."""
    gone = record.rekeyed_from[0]
    if any(one.key == gone for one in view.summary.linked):
        _without(view, gone, record, apply, ctx)
    view.summary.version += 1
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))
    return Applied(record, RECORDED)


def _without(
    view: SubjectView, gone: str, cause: CreditRecord, apply: Apply, ctx: Context
) -> None:  # fmt: skip
    """Apply everything again but what came from a key; what stays in effect stays as it was told."""
    was, rows = view.summary, view.all_rows()
    kept = [(place, record) for place, record in _on_file(view, ctx) if gone not in record.rekeyed_from]
    view.start_anew()
    for key, row in rows.items():
        if row.state == DELETED:
            view.set_row(key, row)
    now = view.summary
    now.version, now.parked_from, now.parked_to = was.version, was.parked_from, was.parked_to
    quiet = Context(ctx.rules, ctx.now_ms, ctx.turns, records_at=ctx.records_at, facts_of=ctx.facts_of)
    for place, record in kept:
        with view.standing_at(place):
            if record.op == UNLINK:
                view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))
            else:
                apply(view, record, quiet)
    now.version = was.version
    _keep_states(view, rows, quiet)
    _tell_what_stands(view, rows, ctx)
    _keep_effects(was, now, cause.effect_id, quiet, ctx)


def _keep_states(view: SubjectView, rows: Mapping[str, Row], quiet: Context) -> None:
    """What had ended by its own time or by a roll-back has ended still."""
    for key, before in rows.items():
        row = view.row(key)
        if row is None or row.record_id != before.record_id or row.state == before.state:
            continue
        if before.state == ROLLED_BACK:
            finish(view, key, (ROLLED_BACK, "ROLLED_BACK", before.record_id), quiet)
        elif before.state == EXPIRED and not any(one.natural_key == key for one in view.summary.in_effect):
            view.set_row(key, Row(row.record_id, row.revision, row.event_key, row.kind, EXPIRED))


def _tell_what_stands(view: SubjectView, before: Mapping[str, Row], ctx: Context) -> None:
    """What is in force no more, since it came from there or waits for what did; and what tells its fact again."""
    rows = view.all_rows()
    stood, stands = _records_in(before, ACTIVE), _records_in(rows, ACTIVE)
    waiting = _records_in(rows, WAITING)
    for gone in sorted(stood.keys() - stands):
        ctx.ended.append((gone, stood[gone], HELD if gone in waiting else WITHDRAWN))
    for again in sorted(stands.keys() - stood):
        ctx.ended.append((again, stands[again], RECORDED))


def _records_in(rows: Mapping[str, Row], state: str) -> dict[str, str]:
    """Records whose facts are in a state, with their kinds."""
    return {row.record_id: row.kind for row in rows.values() if row.state == state}


def _keep_effects(was: Summary, now: Summary, cause_id: str, quiet: Context, ctx: Context) -> None:
    """Tell what is different: lifts of what is gone, orders of what is new; of the rest nothing, it goes on."""
    _keep_terms(was, now)
    told = {one.listing_id: one for one in was.listings}
    offered = {one.record_id: one for one in was.incentives}
    for listing in now.listings:
        if (before := told.get(listing.listing_id)) is not None:
            _go_on(now, listing, before, cause_id, ctx)
    for state in now.incentives:
        if (kept := offered.get(state.record_id)) is not None:
            state.orders, state.is_offered = kept.orders, kept.is_offered
    _end(was, now, cause_id, ctx)
    known = {*told, *offered}
    told_now = (one for one in quiet.emissions if isinstance(one, ListingChange | MeasureOrder))
    ctx.emissions.extend(one for one in told_now if one.listing_id not in known)
    if now.is_severely_listed:
        hold_back(now, cause_id, ctx)
    else:
        offer_again(now, cause_id, ctx)
    now.scored_on = -1


def _go_on(now: Summary, listing: ListingState, before: ListingState, cause_id: str, ctx: Context) -> None:
    """A listing that was there before is as it was, but for what only a copy had done to it."""
    listing.orders, listing.hold_id, listing.waits_until_ms = before.orders, before.hold_id, before.waits_until_ms
    listing.load = before.load
    if before.is_suspended and not listing.is_suspended:
        if is_overdue(now, listing.natural_key):
            listing.is_suspended = True
        else:
            resume(now, listing, (CAUSE, cause_id), ctx)


def _end(was: Summary, now: Summary, cause_id: str, ctx: Context) -> None:
    """What came from the other key ends, and whoever applied it says so here."""
    staying = {one.listing_id for one in now.listings}
    kept = {one.record_id for one in now.incentives}
    was.incentives = [one for one in was.incentives if one.record_id not in kept]
    was.listings = [one for one in was.listings if one.listing_id not in staying]
    _quietly(lambda: end_all_effects(was, (CAUSE, cause_id), ctx), ctx)
    known = {(one.key, one.opened_by) for one in now.terms if one.term == LIFT_ACKNOWLEDGEMENT}
    lifts = [one for one in was.terms if one.term == LIFT_ACKNOWLEDGEMENT and (one.key, one.opened_by) not in known]
    merge_terms(now, lifts)


def _keep_terms(was: Summary, now: Summary) -> None:
    """A term that runs already goes on as it runs."""
    known = {(one.term, one.key, one.opened_by): one for one in was.terms}
    now.terms = [known.get((one.term, one.key, one.opened_by), one) for one in now.terms]


# -- what is on file -------------------------------------------------------------------------------------


def _on_file(view: SubjectView, ctx: Context) -> list[tuple[int, CreditRecord]]:
    """Every event's newest record with its place in the log, in its order; what was deleted is not read again."""
    rows = [row for row in (*view.all_events(), *view.all_forwarded()) if not _is_deleted(view, row)]
    return ctx.records_at(sorted({row.place for row in rows}))


def _is_deleted(view: SubjectView, row: EventRow) -> bool:
    fact = view.row(row.natural_key)
    return fact is not None and fact.state == DELETED


def _quietly(act: Callable[[], None], ctx: Context) -> None:
    """Without alerts: nobody is cleared, and nobody newly dishonest, by being known under another key."""
    already = len(ctx.emissions)
    act()
    ctx.emissions[already:] = [one for one in ctx.emissions[already:] if not isinstance(one, Alert)]
