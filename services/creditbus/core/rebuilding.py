"""What has to be told where a dossier was not what the log leads to (重建).

A rebuild puts the state that the log leads to in the place of another one that was lived with (``lab/rebuilding.py``).
Subscribers heard what that one said: what the log does not lead to is taken back, and what was never told is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from creditbus.core.alerts import tell_grade
from creditbus.core.context import Context
from creditbus.core.incentives import OFFER, WITHDRAW, offer_message
from creditbus.core.listing import (
    listing_change,
    order_told,
    resume,
    severity_alert,
    suspend,
    tell_in_effect,
    tell_state,
)
from creditbus.core.state import (
    ACTIVE,
    CORRECTED,
    SUPERSEDED,
    WAITING,
    WITHDRAWN,
    IncentiveState,
    ListingState,
    OrderState,
    Row,
    Summary,
)

REBUILT = "REBUILT"
"""Cause of whatever is told by a rebuild."""
_OUTCOMES = {ACTIVE: "RECORDED", WAITING: "HELD", SUPERSEDED: CORRECTED}
"""What is told of a record, by the state of its fact, where these differ."""

_Why = tuple[str, str]


def reconcile(lived: Summary, due: Summary, cause_id: str, ctx: Context) -> None:
    """Emit what whoever heard of the one has to hear to be where the other is. Both are used up.

    lived: what was told; due: what the log leads to, with kind and name where it knows nothing; cause_id: id of the
    rebuild.
    """
    why = (REBUILT, cause_id)
    _reconcile_listings(lived, due, why, ctx)
    _reconcile_offers(lived, due, why, ctx)
    _alert(lived, due, cause_id, ctx)
    tell_grade(due, lived.grade, "", cause_id, ctx)


def told_of(lived: Row | None, due: Row | None) -> Iterator[tuple[str, str, str]]:
    """(record, kind, outcome) of each record of which history said something else than what the log leads to."""
    if lived is not None and (due is None or due.record_id != lived.record_id):
        yield lived.record_id, lived.kind, WITHDRAWN
    if due is not None:
        yield due.record_id, due.kind, _OUTCOMES.get(due.state, due.state)


def _reconcile_listings(lived: Summary, due: Summary, why: _Why, ctx: Context) -> None:
    told = {one.listing_id: one for one in lived.in_force}
    for listing in due.in_force:
        before = told.pop(listing.listing_id, None)
        if before is None:
            tell_in_effect(due, listing, why, ctx)
        else:
            _reconcile_listing((lived, before), (due, listing), why, ctx)
    for listing in told.values():
        for order in listing.orders:
            ctx.emissions.append(order_told(lived, listing, order, ctx, ("LIFT", *why)))
        ctx.emissions.append(listing_change(lived, listing, ctx, ("REMOVED", *why)))


def _reconcile_listing(
    lived: tuple[Summary, ListingState], due: tuple[Summary, ListingState], why: _Why, ctx: Context
) -> None:
    """A listing that both know."""
    told, wanted = (_by_id(listing.orders) for _, listing in (lived, due))
    for action, (summary, listing), orders in (
        ("LIFT", lived, told.keys() - wanted.keys()),
        ("ORDER", due, wanted.keys() - told.keys()),
    ):
        found = _by_id(listing.orders)
        ctx.emissions += [order_told(summary, listing, found[one], ctx, (action, *why)) for one in sorted(orders)]
    if due[1].disputed != lived[1].disputed:
        tell_state(*due, "DISPUTED" if due[1].disputed else "UNDISPUTED", why, ctx)
    if due[1].is_suspended != lived[1].is_suspended:
        (suspend if due[1].is_suspended else resume)(*due, why, ctx)


def _reconcile_offers(lived: Summary, due: Summary, why: _Why, ctx: Context) -> None:
    told, wanted = _offers(lived), _offers(due)
    for summary, offers, other, what in ((lived, told, wanted, WITHDRAW), (due, wanted, told, OFFER)):
        for order_id in sorted(offers.keys() - other.keys()):
            ctx.emissions.append(offer_message(summary, *offers[order_id], ctx, (*what, *why)))


def _offers(summary: Summary) -> Mapping[str, tuple[IncentiveState, OrderState]]:
    offered = (one for one in summary.incentives if one.is_offered and not one.hold_id)
    return {order.order_id: (one, order) for one in offered for order in one.orders}


def _by_id(orders: list[OrderState]) -> dict[str, OrderState]:
    return {order.order_id: order for order in orders}


def _alert(lived: Summary, due: Summary, cause_id: str, ctx: Context) -> None:
    """A subject that is dishonest, or cleared, only now is news; both weigh the same."""
    if lived.is_severely_listed == due.is_severely_listed:
        return
    kind, listed = ("DISHONEST_SUBJECT", due) if due.is_severely_listed else ("CLEARED_SUBJECT", lived)
    listing = next(one for one in listed.in_force if one.severe)
    ctx.emissions.append(severity_alert(due, listing, ctx, kind, cause_id))
