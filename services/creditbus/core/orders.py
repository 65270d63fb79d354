"""The messages of measures and incentives, whatever they follow from: one way to make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from creditbus.core.hashing import output_id
from creditbus.core.records import CreditRecord, MeasureOrder
from creditbus.core.rules import IncentiveRule, MeasureRule
from creditbus.core.state import OrderState, Summary


class Origin(NamedTuple):
    """What an order follows from: a listing, or an honour or grade."""

    list: str
    """Code of the list; honour or grade of an incentive."""
    listing_id: str
    record_id: str
    region: str
    effective_on: int
    until: int | None
    fictitious: bool


def order_of(rule: MeasureRule | IncentiveRule, record: CreditRecord, scope: Sequence[str] = ()) -> OrderState:
    """The order that a row of the catalogue makes of a record; nobody has answered it yet."""
    return OrderState(
        order_id=output_id(record.effect_id, f"order {rule.code}"),
        family=rule.family,
        measure=rule.code,
        binding=rule.binding,
        executor=rule.executor,
        basis=list(rule.basis),
        acknowledged=[],
        scope=list(scope),
    )


def order_message(
    summary: Summary,
    order: OrderState,
    origin: Origin,
    why: tuple[str, str, str],
    words: tuple[str, str],
    at_ms: int,
) -> MeasureOrder:
    """why: action, cause, and id of the record or timer behind it; words: text in Chinese and English."""
    action, cause, cause_id = why
    return MeasureOrder(
        order_id=order.order_id,
        message_id=output_id(cause_id, f"{action} {order.order_id}"),
        action=action,
        family=order.family,
        measure=order.measure,
        binding=order.binding,
        subject_key=summary.subject_key,
        subject_kind=summary.kind,
        subject_name=summary.name,
        identifier=summary.identifier,
        list=origin.list,
        listing_id=origin.listing_id,
        record_id=origin.record_id,
        cause=cause,
        cause_id=cause_id,
        basis=order.basis,
        executor=order.executor,
        region=origin.region,
        effective_on=origin.effective_on,
        until=origin.until,
        fictitious=origin.fictitious,
        at=at_ms,
        text_zh=words[0],
        text_en=words[1],
        scope=order.scope,
    )
