"""What good standing brings (守信激励): offers that follow from an honour or a grade, and end with it.

They go to whoever carries them out as orders with the binding OFFER or ADVISORY, and are taken back when the honour or
the grade ends, when a newer rating of its scheme replaces it, and while the subject is on a list of severe
dishonesty. They are never a condition of a right. Source: domain.md 4.3; rows of incentives.yaml.
"""

from __future__ import annotations

from datetime import date

from creditbus.core.context import Context
from creditbus.core.loading import wait_for_load
from creditbus.core.orders import Origin, order_message, order_of
from creditbus.core.records import CreditRecord, MeasureOrder, date_of, day_of
from creditbus.core.state import IncentiveState, OrderState, Summary
from creditbus.core.subject import Facts
from creditbus.core.terms import is_disputed

OFFER, WITHDRAW = ("ORDER", "EMIT_OFFER"), ("LIFT", "EMIT_WITHDRAW")
"""Action and code of the text."""
Why = tuple[str, str]
"""Cause, and id of the record or timer behind it."""


def grant(summary: Summary, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """An honour or a grade is on file: offer what the catalogue has for it, unless it is over or outdated."""
    if record.kind == "Rating" and not _is_newest(summary, record, str(facts["scheme"]), ctx):
        return
    deserved_by = deserved(record.kind, facts)
    until = facts.get("valid_until")
    last = day_of(until) if isinstance(until, date) else None
    rules = [one for one in ctx.rules.incentives if one.follows(deserved_by, date_of(record.decided_on))]
    if not rules or (last is not None and last < ctx.today):
        return
    state = IncentiveState(
        natural_key=record.natural_key,
        record_id=record.record_id,
        deserved_by=deserved_by,
        region=record.region,
        document_number=record.document_number,
        since=record.decided_on,
        until=last,
        fictitious=record.fictitious,
        orders=[order_of(rule, record) for rule in rules],
        disputed=is_disputed(summary, record.natural_key),
    )
    wait_for_load(state, record, ctx.turns)
    summary.incentives.append(state)
    if not summary.is_severely_listed:
        _tell(summary, state, OFFER, ("GRANTED", record.effect_id), ctx)


def release_incentive(summary: Summary, state: IncentiveState, cause_id: str, ctx: Context) -> None:
    """Two officers released the load that it came with."""
    state.hold_id = ""
    if not summary.is_severely_listed:
        _tell(summary, state, OFFER, ("LOADED", cause_id), ctx)


def deserved(kind: str, facts: Facts) -> str:
    """The code of an honour, or scheme and grade of a rating, as incentives.yaml names them."""
    return str(facts["honor"]) if kind == "Honor" else f"{facts['scheme']}:{facts['grade']}"


def end_incentives(summary: Summary, natural_key: str, why: Why, ctx: Context) -> None:
    """The honour or the grade ended."""
    for state in [one for one in summary.incentives if one.natural_key == natural_key]:
        summary.incentives.remove(state)
        _tell(summary, state, WITHDRAW, why, ctx)


def hold_back(summary: Summary, cause_id: str, ctx: Context) -> None:
    """The subject came onto a list of severe dishonesty: nothing is offered meanwhile."""
    for state in summary.incentives:
        _tell(summary, state, WITHDRAW, ("LISTED", cause_id), ctx)


def offer_again(summary: Summary, cause_id: str, ctx: Context) -> None:
    """The subject left the last such list."""
    for state in summary.incentives:
        _tell(summary, state, OFFER, ("CLEARED", cause_id), ctx)


def _is_newest(summary: Summary, record: CreditRecord, scheme: str, ctx: Context) -> bool:
    """Whether no later rating of the scheme is known; earlier ones end with it, whatever their grade."""
    if record.decided_on < summary.rated_on.get(scheme, record.decided_on):
        return False
    summary.rated_on[scheme] = record.decided_on
    replaced = [
        one.natural_key
        for one in summary.incentives
        if one.deserved_by.startswith(f"{scheme}:") and one.natural_key != record.natural_key
    ]
    for natural_key in replaced:
        end_incentives(summary, natural_key, ("REPLACED", record.record_id), ctx)
    return True


def _tell(summary: Summary, state: IncentiveState, what: tuple[str, str], why: Why, ctx: Context) -> None:
    """Offer or withdraw everything that follows from one honour or grade, once."""
    offers = what is OFFER
    if state.is_offered is offers or state.hold_id:
        return
    state.is_offered = offers
    for order in state.orders:
        ctx.emissions.append(offer_message(summary, state, order, ctx, (*what, *why)))


def offer_message(
    summary: Summary, state: IncentiveState, order: OrderState, ctx: Context, what: tuple[str, str, str, str]
) -> MeasureOrder:
    """What is told of an incentive. what: action, code of its text, cause, and id of what is behind it."""
    action, code, cause, cause_id = what
    text = ctx.rules.reasons[code].text
    rule = next((one for one in ctx.rules.incentives if one.code == order.measure), None)
    honour = ctx.rules.deserving.get(state.deserved_by)
    facts = {"name": summary.name, "document": state.document_number}
    words = (
        text.zh.format(
            measure=rule.name.zh if rule else order.measure, honour=honour.zh if honour else state.deserved_by, **facts
        ),
        text.en.format(
            measure=rule.name.en if rule else order.measure, honour=honour.en if honour else state.deserved_by, **facts
        ),
    )
    origin = Origin(
        state.deserved_by,
        state.record_id,
        state.record_id,
        state.region,
        state.since,
        state.until,
        state.fictitious,
    )
    return order_message(summary, order, origin, (action, cause, cause_id), words, ctx.now_ms)
