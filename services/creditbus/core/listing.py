"""Listing and its consequences: who comes onto a list, which measures follow, and how all of it is taken back.

A listing comes only from a decision of the competent authority, never from a score or a name. Every order that a
listing causes is kept with it, so that whatever ends the listing lifts every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from creditbus.core.acknowledgement import await_lift, await_orders
from creditbus.core.alerts import About, subject_alert
from creditbus.core.breaker import HOLD, WATCH, rule_for, standing
from creditbus.core.calendar import add_months
from creditbus.core.conditions import Proposal, decide_measures
from creditbus.core.context import Context
from creditbus.core.escalation import watch_escalation
from creditbus.core.hashing import output_id
from creditbus.core.incentives import hold_back, offer_again
from creditbus.core.loading import wait_for_load
from creditbus.core.orders import Origin, order_message, order_of
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder, date_of, day_of
from creditbus.core.repair import lacks_notice
from creditbus.core.rules import ListRule, Rules
from creditbus.core.state import ListingState, OrderState, Summary
from creditbus.core.terms import ORDER_ACKNOWLEDGEMENT, close, is_disputed, is_overdue, is_shielded

DISPUTE_OPEN = "DISPUTE_OPEN"
"""Why a listing is told to be disputed: a dispute was filed, or its answer was taken back."""


def list_rule_of(record: CreditRecord, facts: Mapping[str, object], rules: Rules) -> ListRule | None:
    """The list that a record puts its subject on, or None when it does not list."""
    if record.kind == "ListDecision":
        return rules.lists.get(str(facts["list"])) if facts["action"] == "LIST" else None
    rule = next((rule for rule in rules.lists.values() if record.kind in rule.entry_kinds), None)
    if rule is not None and rule.grounds and facts.get("performance") == "FULL":
        return None  # what is performed in full is no ground to be on the list
    return rule


def put_on_list(
    summary: Summary, record: CreditRecord, facts: Mapping[str, object], proposal: Proposal, ctx: Context
) -> None:
    """Add the listing, and emit it with an order per measure whose conditions are met, and an alert.

    A listing whose term is over already (a back-dated decision) is recorded without any order.
    """
    rule = proposal.rule
    effective = facts.get("effective_on")
    effective_on = effective if isinstance(effective, date) else date_of(record.decided_on)
    until = _last_day(facts, rule, effective_on)
    if until is not None and until < ctx.today:
        return
    ordered, refused = decide_measures(proposal, ctx.rules)
    listing = ListingState(
        listing_id=output_id(record.effect_id, f"listing {rule.code}"),
        list_code=rule.code,
        severe=rule.severe,
        reason=rule.reason_code,
        natural_key=record.natural_key,
        record_id=record.record_id,
        authority=record.authority,
        region=record.region,
        document_number=record.document_number,
        basis=list(rule.basis),
        effective_on=day_of(effective_on),
        until=until,
        fictitious=record.fictitious,
        disputed=is_disputed(summary, record.natural_key),
        orders=[order_of(measure, record, _scope(facts)) for measure in ordered],
        source=record.sender,
        refused=refused,
        ground=str(facts.get("ground") or ""),
        repair_from=_months_after(effective_on, rule.earliest_exit_months),
        is_order=rule.is_order,
        lacks_notice=lacks_notice(record, facts, ctx.rules),
    )
    listing.is_shielded = is_shielded(summary, record.natural_key)
    listing.is_suspended = listing.is_shielded or is_overdue(summary, record.natural_key)
    _make_wait(listing, record, ctx)
    summary.listings.append(listing)
    if listing.is_waiting:
        why = "LOAD" if listing.load else "BREAKER"
        ctx.emissions.append(listing_change(summary, listing, ctx, ("WAITING", why, record.effect_id)))
    else:
        _take_effect(summary, listing, ("DECIDED", record.effect_id), ctx)


def go_on_listing(summary: Summary, listing: ListingState, due_ms: int, cause_id: str, ctx: Context) -> None:
    """The wait of a watched source is over: the listing takes effect, unless its source is held by now.

    due_ms: when the wait was over; cause_id: id of that firing.
    """
    listing.waits_until_ms = 0
    turn = standing(ctx.turns, listing.source, due_ms)
    if turn is not None and turn.action == HOLD:
        listing.hold_id = turn.control_id
    else:
        _take_effect(summary, listing, ("DECIDED", cause_id), ctx)


def release_listing(summary: Summary, listing: ListingState, cause_id: str, ctx: Context) -> None:
    """Two officers released the source: the listing takes effect."""
    listing.hold_id = ""
    _take_effect(summary, listing, ("LOADED" if listing.load else "RELEASED", cause_id), ctx)


def _make_wait(listing: ListingState, record: CreditRecord, ctx: Context) -> None:
    if wait_for_load(listing, record, ctx.turns):
        return
    turn = standing(ctx.turns, listing.source)
    if turn is None or turn.action not in (WATCH, HOLD):
        return
    rule = rule_for(ctx.rules, listing.source)
    if turn.action == HOLD:
        listing.hold_id = turn.control_id
    elif rule is not None:
        listing.waits_until_ms = ctx.now_ms + rule.wait_seconds * 1000


def _take_effect(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """Emit the listing with an order per measure and an alert. why: (cause, id of the record or timer behind it).

    What an initial load brings is no news: of it no alert is told.
    """
    cause_id = why[1]
    was_severe = any(one.severe for one in summary.in_force if one is not listing)
    _tell(summary, listing, why, ctx)
    await_orders(summary, listing, ctx)
    watch_escalation(summary, listing, ctx)
    if listing.severe and not was_severe:
        if not listing.load:
            ctx.emissions.append(severity_alert(summary, listing, ctx, "DISHONEST_SUBJECT", cause_id))
        hold_back(summary, cause_id, ctx)
    summary.scored_on = -1
    _tell_what_is_open(summary, listing, cause_id, ctx)


def _tell_what_is_open(summary: Summary, listing: ListingState, cause_id: str, ctx: Context) -> None:
    """A listing that takes effect while it is disputed, or stands still, says so at once."""
    if listing.disputed:
        tell_state(summary, listing, "DISPUTED", (DISPUTE_OPEN, cause_id), ctx)
    if listing.is_suspended:
        suspended_by = "BANKRUPTCY_PLAN" if listing.is_shielded else "DISPUTE_OVERDUE"
        suspend(summary, listing, (suspended_by, cause_id), ctx)


def take_off_list(summary: Summary, listing: ListingState, cause: str, cause_id: str, ctx: Context) -> None:
    """Remove the listing, lift every order it caused, and say so when the subject is clear of severe lists.

    cause: REPAIRED, REVOKED, EXPIRED, DELISTED, LIFTED, CORRECTED or DISPUTE_UPHELD; cause_id: record or timer.
    """
    summary.listings.remove(listing)
    close(summary, listing.listing_id, ORDER_ACKNOWLEDGEMENT)
    for order in listing.orders if not listing.is_waiting else ():
        ctx.emissions.append(order_told(summary, listing, order, ctx, ("LIFT", cause, cause_id)))
        await_lift(summary, listing, order, ctx)
    ctx.emissions.append(listing_change(summary, listing, ctx, ("REMOVED", cause, cause_id)))
    if listing.severe and not listing.is_waiting and not summary.is_severely_listed:
        ctx.emissions.append(severity_alert(summary, listing, ctx, "CLEARED_SUBJECT", cause_id))
        offer_again(summary, cause_id, ctx)


def tell_again(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """Subscribers were told to stop and are told to go on, under new ids. why: (cause, id of what is behind it)."""
    cause_id = why[1]
    listing.listing_id = output_id(cause_id, f"listing {listing.listing_id}")
    for order in listing.orders:
        order.order_id = output_id(cause_id, f"order {order.order_id}")
        order.acknowledged, order.declined = [], []
    _tell(summary, listing, why, ctx)
    await_orders(summary, listing, ctx)
    _tell_what_is_open(summary, listing, cause_id, ctx)


def tell_in_effect(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """Tell of a listing that is in effect, under the ids that it has. why: (cause, id of what is behind it)."""
    _tell(summary, listing, why, ctx)
    _tell_what_is_open(summary, listing, why[1], ctx)


def _tell(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """The listing, with an order per measure."""
    ctx.emissions.append(listing_change(summary, listing, ctx, ("LISTED", *why)))
    for order in listing.orders:
        ctx.emissions.append(order_told(summary, listing, order, ctx, ("ORDER", *why)))


def suspend(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """Let every subscriber stop for now. why: (cause, id of the timer behind it)."""
    listing.is_suspended = True
    tell_state(summary, listing, "SUSPENDED", why, ctx)
    _tell_subscribers(summary, listing, "SUSPEND", why, ctx)


def resume(summary: Summary, listing: ListingState, why: tuple[str, str], ctx: Context) -> None:
    """Let every subscriber go on. why: (cause, id of the record behind it)."""
    listing.is_suspended = False
    tell_state(summary, listing, "RESUMED", why, ctx)
    _tell_subscribers(summary, listing, "RESUME", why, ctx)


def tell_state(summary: Summary, listing: ListingState, state: str, why: tuple[str, str], ctx: Context) -> None:
    """Tell of a state between listed and removed. why: (cause, id of the record or timer behind it).

    Editions of before there were such states have no words for them, and the log tells nothing under those.
    """
    if not listing.is_waiting and f"EMIT_{state}" in ctx.rules.reasons:
        ctx.emissions.append(listing_change(summary, listing, ctx, (state, *why)))


def _tell_subscribers(summary: Summary, listing: ListingState, action: str, why: tuple[str, str], ctx: Context) -> None:
    summary.scored_on = -1
    for order in listing.orders if not listing.is_waiting else ():
        ctx.emissions.append(order_told(summary, listing, order, ctx, (action, *why)))


def _last_day(facts: Mapping[str, object], rule: ListRule, effective_on: date) -> int | None:
    """The term that the decision sets, that of its ground, or that of the list; longer where it extends that."""
    term, extension = facts.get("term_months"), facts.get("extension_months")
    months = term if isinstance(term, int) else rule.grounds.get(str(facts.get("ground")), rule.term_months)
    if months is not None and isinstance(extension, int):
        months += extension
    return _months_after(effective_on, months)


def _months_after(day: date, months: int | None) -> int | None:
    return day_of(add_months(day, months)) if months is not None else None


def _scope(facts: Mapping[str, object]) -> list[str]:
    """Which kinds of consumption an order of a court forbids; of a listing none is told."""
    scope = facts.get("consumptions")
    return sorted(map(str, scope)) if isinstance(scope, list) else []


def _words(
    summary: Summary, listing: ListingState, ctx: Context, code: str, measure: str = "", cause: str = ""
) -> tuple[str, str]:
    """The text of an emission in both languages, from the catalogue; some causes have a text of their own."""
    reasons = ctx.rules.reasons
    text = (reasons.get(f"{code}_{cause}") or reasons.get(code) or reasons["EMIT_LISTED"]).text  # WAITING is newer
    rule = ctx.rules.lists[listing.list_code]
    named = next((m.name for m in ctx.rules.measures if m.code == measure), None)
    facts = {"name": summary.name, "document": listing.document_number}
    return (
        text.zh.format(list=rule.name.zh, measure=named.zh if named else "", **facts),
        text.en.format(list=rule.name.en, measure=named.en if named else "", **facts),
    )


def listing_change(summary: Summary, listing: ListingState, ctx: Context, why: tuple[str, str, str]) -> ListingChange:
    """What is told of a listing. why: its state, the cause, and id of the record or timer behind it."""
    state, cause, cause_id = why
    kind = "LOAD" if cause == "LOAD" else "BY_ORDER" if listing.is_order else ""
    zh, en = _words(summary, listing, ctx, f"EMIT_{state}", cause=kind)
    return ListingChange(
        change_id=output_id(cause_id, f"{state} {listing.listing_id}"),
        listing_id=listing.listing_id,
        subject_key=summary.subject_key,
        subject_kind=summary.kind,
        subject_name=summary.name,
        identifier=summary.identifier,
        list=listing.list_code,
        state=state,
        cause=cause,
        record_id=listing.record_id,
        cause_id=cause_id,
        authority=listing.authority,
        region=listing.region,
        document_number=listing.document_number,
        basis=listing.basis,
        effective_on=listing.effective_on,
        until=listing.until,
        fictitious=listing.fictitious,
        at=ctx.now_ms,
        text_zh=zh,
        text_en=en,
        source=listing.source,
    )


def order_told(
    summary: Summary, listing: ListingState, order: OrderState, ctx: Context, why: tuple[str, str, str]
) -> MeasureOrder:
    """What is told of an order that follows from a listing. why: action, cause, id of the record or timer behind it."""
    action, cause, _ = why
    words = _words(summary, listing, ctx, f"EMIT_{action}", order.measure, cause)
    origin = Origin(
        listing.list_code,
        listing.listing_id,
        listing.record_id,
        listing.region,
        listing.effective_on,
        listing.until,
        listing.fictitious,
    )
    return order_message(summary, order, origin, why, words, ctx.now_ms)


def severity_alert(summary: Summary, listing: ListingState, ctx: Context, kind: str, cause_id: str) -> Alert:
    """That the subject is dishonest, or cleared (kind), by this listing."""
    lists = [one.list_code for one in summary.in_force] or [listing.list_code]
    about = About(listing.record_id, listing.region, lists, listing.fictitious)
    return subject_alert(summary, kind, about, _words(summary, listing, ctx, f"EMIT_{kind}"), cause_id, ctx.now_ms)
