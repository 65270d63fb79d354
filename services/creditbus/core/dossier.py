"""Applying records and time to a subject's dossier (信用档案), one at a time, deterministically.

Known events and facts change nothing (DUPLICATE), older revisions neither (SUPERSEDED); a correction takes the
effects of what it corrects back before its own take place; what refers to a record that is not there yet is
held for it (HELD). Each kind with an effect beyond being on file has one function in ``EFFECTS``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from creditbus.core.breaker import ROLL_BACK, Turn, Turns, release_of
from creditbus.core.context import Context
from creditbus.core.effects import end_effects, finish, take_effect
from creditbus.core.hashing import output_id, timer_id
from creditbus.core.incentives import release_incentive
from creditbus.core.listing import go_on_listing, release_listing
from creditbus.core.records import CreditRecord, date_of, start_of_day_ms
from creditbus.core.rekeying import UNLINK, forward, is_own_affair, note_same, settle, unlink
from creditbus.core.retention import due_deletions, keep_fact, keep_no_more, move_kept
from creditbus.core.score import Score, score_subject
from creditbus.core.state import (
    ACTIVE,
    CORRECTED,
    DELETED,
    EXPIRED,
    FINAL,
    ROLLED_BACK,
    SUPERSEDED,
    WITHDRAWN,
    Entry,
    EventRow,
    IncentiveState,
    ListingState,
    Row,
    Summary,
    TermState,
)
from creditbus.core.subject import DUPLICATE, HELD, RECORDED, Applied, Expired, SubjectView
from creditbus.core.terms import move_terms, release_term, tell_near
from creditbus.core.waiting import hold, move_waiting, release, stop_waiting
from creditbus.core.way_back import forget_unasked, miss_term

_NEVER = 1 << 62
_MOST_MOVES = 20
"""So many corrections of a natural key are followed; a circle of them ends here."""


def apply_record(view: SubjectView, record: CreditRecord, ctx: Context) -> list[Applied]:
    """Apply one record, and then whatever waited for it; a closed dossier sends it on to the key that it has now."""
    if view.summary.redirect and not is_own_affair(view.summary, record):
        known = _known(record, view.event(record.event_key), view.row(record.natural_key))
        applied = [forward(view, record, known, ctx)]
    else:
        applied = _apply_here(view, record, ctx)
    if view.summary.links or view.summary.closed_by:
        applied += settle(view, record, _apply_here, ctx)
    return applied


def _apply_here(view: SubjectView, record: CreditRecord, ctx: Context) -> list[Applied]:
    event, row = view.event(record.event_key), view.row(record.natural_key)
    known = _known(record, event, row)
    if known is not None:
        note_same(view, record)
        return [Applied(record, known)]
    if record.op == UNLINK:
        return [unlink(view, record, _apply_here, ctx)]
    if event is not None:
        outcome = WITHDRAWN if record.op == "WITHDRAW" else CORRECTED
        ctx.ended.extend((one.record_id, one.kind, outcome) for one in stop_waiting(view, record.event_key))
    if record.op == "WITHDRAW":
        _withdraw(view, record, ctx)
        return [Applied(record, RECORDED)]
    if record.target_key is not None and (target := _standing_at(view, record.target_key)) != record.target_key:
        record = msgspec.structs.replace(record, target_key=target)
    is_first = event is None and row is None and record.corrects_key is None
    if record.target_key is not None and view.row(record.target_key) is None:
        final = _final_state(view, record)
        if not is_first:
            _take_back_corrected(view, record, ctx)
            forget_unasked(view.summary, record, ctx)
        hold(view, record, final)
        outcome = HELD
    else:
        _record(view, record, ctx, is_first=is_first)
        outcome = RECORDED
    applied = [Applied(record, outcome)]
    return applied + _go_on_waiting(view, record.natural_key, ctx) if view.summary.held else applied


def _go_on_waiting(view: SubjectView, natural_key: str, ctx: Context) -> list[Applied]:
    """What waited for a fact that is told takes effect; what another event has told anew meanwhile does not.

    State of an earlier release may have records that wait for what waits itself: they follow.
    """
    applied, there = [], [natural_key]
    while there:
        for record in release(view, there.pop()):
            row = view.row(record.natural_key)
            is_last = row is None or row.record_id == record.record_id
            if is_last:
                _record(view, record, ctx, is_first=False)
                there.append(record.natural_key)
            applied.append(Applied(record, RECORDED if is_last else SUPERSEDED, 1))
    return applied


def _record(
    view: SubjectView,
    record: CreditRecord,
    ctx: Context,
    *,
    is_first: bool,
) -> None:
    """Put a record on file, in the place of what it corrects; what was ended for good stays ended.

    is_first: nothing was ever said of its event or its fact, as with nearly all.
    """
    if is_first:
        _put_on_file(view, record, ACTIVE)
        if view.summary.kind in ctx.rules.deleted_kinds:
            keep_fact(view.summary, record, ctx, is_over=False)
        take_effect(view, record, ctx)
        return
    final = _final_state(view, record)
    _take_back_corrected(view, record, ctx)
    _put_on_file(view, record, final or ACTIVE)
    if view.summary.kind in ctx.rules.deleted_kinds:
        keep_fact(view.summary, record, ctx, is_over=final is not None)
    if final is None:
        take_effect(view, record, ctx)
        forget_unasked(view.summary, record, ctx)
    else:
        ctx.ended.append((record.record_id, record.kind, final))


def expire_due(view: SubjectView, ctx: Context) -> list[Expired]:
    """End everything whose last day is over, in the order (last day, record id); then tell of missed terms."""
    summary, today = view.summary, ctx.today
    waited = _waited(summary, ctx)
    due = sorted(
        {
            (over.until, over.record_id, over.natural_key)
            for over in summary.in_effect
            if over.until is not None and over.until < today
        }
    )
    expired = []
    for until, record_id, natural_key in due:
        row = view.row(natural_key)
        cause = timer_id(summary.subject_key, "end", date_of(until).isoformat(), record_id)
        end_effects(view, natural_key, ("EXPIRED", cause), ctx)
        if row is not None:
            view.set_row(natural_key, Row(row.record_id, row.revision, row.event_key, row.kind, EXPIRED))
        expired.append(Expired(cause, row.kind if row is not None else "", record_id))
    return waited + expired + _near(summary, ctx) + _missed(summary, ctx) + _deleted(view, ctx)


def _waited(summary: Summary, ctx: Context) -> list[Expired]:
    """Listings of a watched source whose wait is over."""
    due = [one for one in summary.listings if 0 < one.waits_until_ms <= ctx.now_ms]
    gone = []
    for listing in sorted(due, key=lambda one: (one.waits_until_ms, one.record_id)):
        due_ms = listing.waits_until_ms
        cause = timer_id(summary.subject_key, "wait", str(due_ms), listing.record_id)
        go_on_listing(summary, listing, due_ms, cause, ctx)
        gone.append(Expired(cause, "Listing", listing.record_id, "HELD" if listing.is_waiting else "IN_EFFECT"))
    return gone


def _near(summary: Summary, ctx: Context) -> list[Expired]:
    """Terms that end soon, in the order (reminder, term, fact)."""
    due = [state for state in summary.running if state.near_on is not None and state.near_on <= ctx.today]
    near = []
    for state in sorted(due, key=lambda one: (one.near_on, one.term, one.key, one.opened_by)):
        day = date_of(state.near_on or 0).isoformat()
        cause = timer_id(summary.subject_key, f"near {state.term}", day, f"{state.key} {state.opened_by}")
        tell_near(summary, state, cause, ctx)
        near.append(Expired(cause, state.term, state.record_id, "NEAR"))
    return near


def _missed(summary: Summary, ctx: Context) -> list[Expired]:
    """Terms within which nobody acted, in the order (last day, term, fact)."""
    due = [state for state in summary.running if state.until is not None and state.until < ctx.today]
    missed = []
    for state in sorted(due, key=lambda one: (one.until, one.term, one.key, one.opened_by)):
        day = date_of(state.until or 0).isoformat()
        cause = timer_id(summary.subject_key, f"missed {state.term}", day, f"{state.key} {state.opened_by}")
        miss_term(summary, state, cause, ctx)
        missed.append(Expired(cause, state.term, state.record_id, "OVERDUE"))
    return missed


def _deleted(view: SubjectView, ctx: Context) -> list[Expired]:
    """Facts that are kept no longer, in the order (last day, fact): a bare mark is left under the natural key."""
    summary, gone = view.summary, []
    for last_day, natural_key in due_deletions(summary, ctx.today):
        row = view.row(natural_key)
        if row is None or not row.record_id or row.state in (WITHDRAWN, SUPERSEDED):
            continue
        cause = timer_id(summary.subject_key, "delete", date_of(last_day).isoformat(), row.record_id)
        end_effects(view, natural_key, ("DELETED", cause), ctx)
        if row.state in (ACTIVE, EXPIRED):
            summary.uncount(row.kind)
        view.set_row(natural_key, Row("", row.revision, "", row.kind, DELETED))
        view.forget_event(row.event_key)
        gone.append(Expired(cause, "", row.record_id, DELETED, row.event_key))
    return gone


def next_due_ms(summary: Summary) -> int:
    """When the subject's next deadline falls: the start of the day after the first last day; 0 = none."""
    first = summary.kept[0][0] if summary.kept else _NEVER
    if summary.entries:
        first = _earliest(first, summary.entries)
    due = _NEVER
    if summary.listings or summary.incentives or summary.terms:
        running = summary.running
        for those in (summary.listings, summary.incentives, running):
            first = _earliest(first, those)
        for listing in summary.listings:
            due = min(due, listing.waits_until_ms or _NEVER)
        for term in running:
            due = min(due, start_of_day_ms(term.near_on) if term.near_on is not None else _NEVER)
    if first != _NEVER:
        due = min(due, start_of_day_ms(first + 1))
    return due if due != _NEVER else 0


def _earliest(first: int, those: Sequence[Entry | IncentiveState | ListingState | TermState]) -> int:
    """The earliest last day, and none later than ``first``. A plain loop, since it runs after each record."""
    for one in those:
        until = one.until
        if until is not None and until < first:
            first = until
    return first


def next_release_ms(summary: Summary, turns: Turns) -> int | None:
    """When the source of what is held was released; None when nothing waits for a release that has come."""
    found = [release_of(turns, one.held_by, one.hold_id) for one in summary.on_hold]
    return min((turn.since_ms for turn in found if turn is not None), default=None)


def release_held(view: SubjectView, ctx: Context) -> list[Expired]:
    """What was held until its source was let go, up to now: first listings, then offers, each by their records.

    Listings and offers take effect, or are dropped; terms run in either case.
    """
    summary, released = view.summary, []
    for held in sorted(summary.on_hold, key=lambda one: (isinstance(one, IncentiveState), one.record_id)):
        turn = release_of(ctx.turns, held.held_by, held.hold_id)
        if turn is None or turn.since_ms > ctx.now_ms:
            continue
        if isinstance(held, TermState):
            release_term(summary, held, ctx)
        else:
            released.append(_let_go(view, held, turn, ctx))
    return released


def _let_go(view: SubjectView, held: ListingState | IncentiveState, turn: Turn, ctx: Context) -> Expired:
    """A listing or an offer whose source is released or rolled back."""
    kind = "Listing" if isinstance(held, ListingState) else "Offer"
    cause = timer_id(view.summary.subject_key, "release", turn.control_id, held.record_id)
    if turn.action == ROLL_BACK:
        finish(view, held.natural_key, (ROLLED_BACK, "ROLLED_BACK", cause), ctx)
        return Expired(cause, kind, held.record_id, ROLLED_BACK)
    if isinstance(held, ListingState):
        release_listing(view.summary, held, cause, ctx)
    else:
        release_incentive(view.summary, held, cause, ctx)
    return Expired(cause, kind, held.record_id, "IN_EFFECT")


def rescore(summary: Summary, ctx: Context) -> Score | None:
    """Bring score, grade and receipt to the business day; None for a subject that has none."""
    result = score_subject(summary, ctx.rules, ctx.today) if not summary.redirect else None
    summary.scored_on = ctx.today
    if result is None:
        summary.score, summary.grade, summary.receipt = None, None, ""
    else:
        summary.score, summary.grade, summary.receipt = result.score, result.grade, result.receipt
    return result


def _known(record: CreditRecord, event: EventRow | None, row: Row | None) -> str | None:
    """DUPLICATE or SUPERSEDED when the event or the fact is known at this revision or a later one."""
    if event is not None:
        if record.revision > event.revision:
            return None
        return DUPLICATE if record.revision == event.revision else SUPERSEDED
    if row is None or record.op == "WITHDRAW" or record.revision > row.revision:
        return None
    if row.moved_to and record.event_key != row.event_key:
        return None  # the number was somebody's mistake, and is another fact's own
    return SUPERSEDED if row.state == WITHDRAWN else DUPLICATE


def _withdraw(view: SubjectView, record: CreditRecord, ctx: Context) -> None:
    """The fact was corrected away from this subject: undo its effects, and let no late original bring it back."""
    end_effects(view, record.natural_key, ("CORRECTED", record.record_id), ctx)
    keep_no_more(view.summary, record.natural_key)
    row = view.row(record.natural_key)
    if row is not None and row.state == ACTIVE:
        view.summary.uncount(row.kind)
        ctx.ended.append((row.record_id, row.kind, WITHDRAWN))
    view.set_row(record.natural_key, Row(record.record_id, record.revision, record.event_key, record.kind, WITHDRAWN))
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))
    view.summary.version += 1


def _corrected_keys(view: SubjectView, record: CreditRecord) -> list[str]:
    """Natural keys under which revisions before this one may stand."""
    event = view.event(record.event_key)
    keys = {record.natural_key, record.corrects_key, event.natural_key if event is not None else None}
    return sorted(key for key in keys if key is not None)


def _final_state(view: SubjectView, record: CreditRecord) -> str | None:
    """The state in which the fact stays for good: it was repaired, revoked or stopped under an earlier revision."""
    rows = [view.row(key) for key in _corrected_keys(view, record)]
    return next((row.state for row in rows if row is not None and row.state in FINAL), None)


def _take_back_corrected(view: SubjectView, record: CreditRecord, ctx: Context) -> None:
    """End the effects of the revisions before this one, wherever among this subject's facts they stand.

    An earlier revision of the same fact counts no more whatever event told it.
    """
    for key in _corrected_keys(view, record):
        row, is_here = view.row(key), key == record.natural_key
        is_own = row is not None and row.event_key == record.event_key
        if row is not None and (is_own or is_here):
            end_effects(view, key, ("CORRECTED", record.record_id), ctx, goes_on=True)
            if row.state == ACTIVE:
                view.summary.uncount(row.kind)
                ctx.ended.append((row.record_id, row.kind, CORRECTED))
        if not is_here and (row is None or is_own):
            _move(view, key, record)


def _move(view: SubjectView, key: str, record: CreditRecord) -> None:
    """A correction tells the fact under another natural key: whatever is about it is about it there."""
    summary, there = view.summary, record.natural_key
    view.set_row(key, Row(record.record_id, record.revision, record.event_key, record.kind, SUPERSEDED, there))
    move_terms(summary, key, there)
    move_kept(summary, key, there)
    move_waiting(view, key, there)


def _standing_at(view: SubjectView, natural_key: str) -> str:
    """Where corrections have moved a fact to."""
    for _ in range(_MOST_MOVES):
        row = view.row(natural_key)
        if row is None or not row.moved_to:
            break
        natural_key = row.moved_to
    return natural_key


def _put_on_file(view: SubjectView, record: CreditRecord, state: str) -> None:
    summary = view.summary
    summary.version += 1
    if state == ACTIVE:
        summary.count(record.kind)
    summary.fictitious = summary.fictitious or record.fictitious
    if not record.rekeyed_from or not summary.name:
        _take_name(summary, record)
    view.set_row(record.natural_key, Row(record.record_id, record.revision, record.event_key, record.kind, state))
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))


def _take_name(summary: Summary, record: CreditRecord) -> None:
    """Name and identifier are those of the newest registration; those of a key that leads here only for want of own."""
    is_lent, summary.is_lent = summary.is_lent, bool(record.rekeyed_from)
    if is_lent or not summary.name or record.kind == "Registration":
        summary.name, summary.region = record.subject_name, record.region
    if is_lent or not summary.identifier or len(record.identifier) > len(summary.identifier):
        summary.identifier = record.identifier


def change_id_of(applied: Applied) -> str:
    """Id of the Change that tells of an applied record; a delivery that changed nothing tells under its own id."""
    return output_id(applied.record.effect_id, f"change {applied.outcome}", applied.ordinal)


def is_due(summary: Summary, now_ms: int) -> bool:
    """Whether a deadline of the subject lies behind the business time."""
    return 0 < summary.timer <= now_ms


def needs_rescore(summary: Summary, today: int) -> bool:
    """Whether the score is not that of the business day, or was never made."""
    return summary.scored_on != today and (bool(summary.entries) or summary.scored_on == -1 or summary.grade is None)
