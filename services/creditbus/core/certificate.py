"""The certificate that nothing stays downstream (下游无留存证明): each measure ever ordered, and who stopped it.

It is made from the subject's log alone, so anybody who has the log recomputes it bit for bit. It says "clear" when no
measure is in force and each department that may have applied one has said that it stopped. Source: domain.md 4.2 and
5.3 (after exit the measures stop everywhere: Henan 37), issue 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from creditbus.core.context import Emission
from creditbus.core.records import CreditRecord, MeasureOrder, business_day, date_of
from creditbus.core.rules import Rules
from creditbus.core.state import Summary
from creditbus.core.subject import Facts
from creditbus.core.terms import LIFT_ACKNOWLEDGEMENT

Answers = Sequence[tuple[CreditRecord, Facts]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """One order from beginning to end."""

    order_id: str
    measure: str
    list: str
    listing_id: str
    ordered_on: str
    lifted_on: str | None
    """None: it is in force."""
    cause: str
    """Why it was lifted; "" while it is in force."""
    applied_by: tuple[str, ...]
    not_applicable_to: tuple[str, ...]
    stopped_by: tuple[str, ...]
    waited_for: tuple[str, ...]
    """Departments that have not said yet that they stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is left of measures with whoever carries them out."""

    subject_key: str
    subject_name: str
    day: str
    edition: str
    is_clear: bool
    orders: tuple[Ordered, ...]
    """In the order in which they were sent."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def certificate_of(
    summary: Summary, rules: Rules, emissions: Iterable[Emission], answers: Answers, day: int
) -> Certificate:
    """The certificate of a subject. emissions, answers: everything so far, in order; day: the business day."""
    messages: dict[str, list[MeasureOrder]] = {}
    for one in emissions:
        if isinstance(one, MeasureOrder):
            messages.setdefault(one.order_id, []).append(one)
    told: dict[str, list[tuple[CreditRecord, Facts]]] = {}
    for record, facts in answers:
        told.setdefault(str(facts["order_id"]), []).append((record, facts))
    open_lifts = {state.key: state.waiting for state in summary.terms if state.term == LIFT_ACKNOWLEDGEMENT}
    return Certificate(
        subject_key=summary.subject_key,
        subject_name=summary.name,
        day=date_of(day).isoformat(),
        edition=rules.edition,
        is_clear=not open_lifts and not any(listing.orders for listing in summary.in_force),
        orders=tuple(
            _ordered(sent, told.get(order_id, ()), open_lifts.get(order_id, ())) for order_id, sent in messages.items()
        ),
    )


def _ordered(sent: Sequence[MeasureOrder], answers: Answers, waited_for: Iterable[str]) -> Ordered:
    first, last = sent[0], sent[-1]
    is_lifted = last.action == "LIFT"
    return Ordered(
        order_id=first.order_id,
        measure=first.measure,
        list=first.list,
        listing_id=first.listing_id,
        ordered_on=_day(first.at),
        lifted_on=_day(last.at) if is_lifted else None,
        cause=last.cause if is_lifted else "",
        applied_by=_who(answers, {"action": "ORDER", "state": "APPLIED"}),
        not_applicable_to=_who(answers, {"action": "ORDER", "state": "NOT_APPLICABLE"}),
        stopped_by=_who(answers, {"action": "LIFT"}),
        waited_for=tuple(waited_for),
    )


def _who(answers: Answers, wanted: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        sorted({record.sender for record, facts in answers if all(facts[name] == one for name, one in wanted.items())})
    )


def _day(at_ms: int) -> str:
    return date_of(business_day(at_ms)).isoformat()
