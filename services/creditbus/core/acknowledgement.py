"""Who carries out a measure, and what it has to answer: every order and every lift is acknowledged (回执).

The register of subscribers says whose a family of measures is. An order that nobody answers in time alarms; a lift
stays open until each that may have applied the measure says that it stopped, and when none is open, nothing stays
downstream. Sources: domain.md 4.2, design.md section 6.
"""

from __future__ import annotations

from creditbus.core.context import Context
from creditbus.core.records import CreditRecord, date_of
from creditbus.core.rules import Rules
from creditbus.core.state import IncentiveState, ListingState, OrderState, Summary, TermState
from creditbus.core.subject import Facts
from creditbus.core.terms import LIFT_ACKNOWLEDGEMENT, ORDER_ACKNOWLEDGEMENT, begin, close, open_terms, term_about

ANSWER = "MeasureAcknowledgement"
"""Kind of the record with which a department answers."""
PROPOSED, NOTIFIED, ACTIVE, SUSPENDED = "PROPOSED", "NOTIFIED", "ACTIVE", "SUSPENDED"
"""States of an order (措施状态) before it is lifted or expires."""
_MANDATORY = "MANDATORY"
_INCENTIVE = "I"


def is_incentive(family: str) -> bool:
    """Whether a family is one of incentives (I01 to I08) and not of measures (M01 to M14)."""
    return family.startswith(_INCENTIVE)


def order_state(listing: ListingState, order: OrderState) -> str:
    """Where an order stands: decided, sent, applied by somebody, or suspended by a dispute."""
    if listing.is_waiting:
        return PROPOSED
    return SUSPENDED if listing.is_suspended else _sent_state(order)


def offer_state(incentive: IncentiveState, order: OrderState) -> str:
    """Where an offer stands: decided, sent, carried out by somebody, or held back by a list of severe dishonesty."""
    if incentive.hold_id:
        return PROPOSED
    return _sent_state(order) if incentive.is_offered else SUSPENDED


def _sent_state(order: OrderState) -> str:
    return ACTIVE if order.acknowledged else NOTIFIED


def subscribers_of(rules: Rules, family: str, subject_kind: str, since: int, until: int) -> set[str]:
    """Departments whose measures of a family were on any day from one to another, both included."""
    first, last = date_of(since), date_of(until)
    return {
        row.department
        for row in rules.subscribers
        if row.carries_out(family, subject_kind)
        and row.span.since <= last
        and (row.span.until is None or row.span.until >= first)
    }


def await_orders(summary: Summary, listing: ListingState, ctx: Context) -> None:
    """Every subscriber says what it did about each mandatory order of a listing; advice needs no answer."""
    waiting = [
        answer_of(order, department)
        for order in listing.orders
        if order.binding == _MANDATORY
        for department in sorted(subscribers_of(ctx.rules, order.family, summary.kind, ctx.today, ctx.today))
    ]
    if waiting:
        begin(summary, _term(ORDER_ACKNOWLEDGEMENT, listing.listing_id, listing, waiting, ctx), ctx)


def await_lift(summary: Summary, listing: ListingState, order: OrderState, ctx: Context) -> None:
    """Whoever said that it applies a measure, or was told to and never said that it does not, says that it stopped."""
    told = subscribers_of(ctx.rules, order.family, summary.kind, listing.effective_on, ctx.today)
    waiting = sorted((told | set(order.acknowledged)) - set(order.declined))
    if waiting:
        state = _term(LIFT_ACKNOWLEDGEMENT, order.order_id, listing, waiting, ctx)
        state.measure = order.measure
        state.unanswered = [one for one in waiting if one not in order.acknowledged]
        begin(summary, state, ctx)


def acknowledge(summary: Summary, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """回执: a department applies an order, does not have to, or stopped it."""
    order_id, sender = str(facts["order_id"]), record.sender
    if facts["action"] == "LIFT":
        _answer_lift(summary, order_id, record)
        return
    offered, found = _offered(summary, order_id), _in_force(summary, order_id)
    if offered is not None:
        _note_answer(offered, sender, facts)
        return
    if found is None:
        _answer_late(summary, record, facts, ctx)
        return
    listing, order = found
    _note_answer(order, sender, facts)
    _answered(summary, listing.listing_id, ORDER_ACKNOWLEDGEMENT, answer_of(order, sender))


def take_back(summary: Summary, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """An answer was withdrawn, revoked or corrected: its department is asked again, in doubt once too often."""
    order_id, sender = str(facts["order_id"]), record.sender
    found = _in_force(summary, order_id)
    order = found[1] if found is not None else _offered(summary, order_id)
    if order is None:
        _ask_for_lift_again(summary, record, facts, ctx)
    elif facts["action"] != "LIFT":
        _forget_answer(order, sender, facts)
        if found is not None and sender not in (*order.acknowledged, *order.declined):
            _ask_again(summary, found[0], order, sender, ctx)


def _in_force(summary: Summary, order_id: str) -> tuple[ListingState, OrderState] | None:
    found = ((one, order) for one in summary.in_force for order in one.orders if order.order_id == order_id)
    return next(found, None)


def _offered(summary: Summary, order_id: str) -> OrderState | None:
    return next((order for one in summary.incentives for order in one.orders if order.order_id == order_id), None)


def _forget_answer(order: OrderState, sender: str, facts: Facts) -> None:
    if facts["state"] == "APPLIED":
        order.acknowledged = _with(order.acknowledged, sender, is_in=False)
    else:
        order.declined = _with(order.declined, sender, is_in=False)


def _ask_again(summary: Summary, listing: ListingState, order: OrderState, department: str, ctx: Context) -> None:
    told = subscribers_of(ctx.rules, order.family, summary.kind, listing.effective_on, ctx.today)
    if order.binding != _MANDATORY or department not in told:
        return
    answer = answer_of(order, department)
    state = next(iter(open_terms(summary, listing.listing_id, ORDER_ACKNOWLEDGEMENT)), None)
    if state is None:
        begin(summary, _term(ORDER_ACKNOWLEDGEMENT, listing.listing_id, listing, [answer], ctx), ctx)
    else:
        state.waiting = _with(state.waiting, answer, is_in=True)


def _ask_for_lift_again(summary: Summary, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The order is lifted: who did not say that it stopped, or that it never applied it, has to say so."""
    order_id, family, sender = str(facts["order_id"]), str(facts["family"]), record.sender
    if facts["action"] == "LIFT":
        ahead = (ORDER_ACKNOWLEDGEMENT, f"{order_id} {sender}", record.decided_on)
        summary.answers = [one for one in summary.answers if one != ahead]
    is_told = sender in subscribers_of(ctx.rules, family, summary.kind, record.decided_on, ctx.today)
    if facts["action"] != "LIFT" and facts["state"] == "APPLIED":
        for state in open_terms(summary, order_id, LIFT_ACKNOWLEDGEMENT):
            state.unanswered = _with(state.unanswered, sender, is_in=sender in state.waiting)
        if not is_told:
            _answered(summary, order_id, LIFT_ACKNOWLEDGEMENT, sender)
    elif (is_told or facts["action"] == "LIFT") and not is_incentive(family):
        again = term_about(LIFT_ACKNOWLEDGEMENT, order_id, record)
        again.opened_by, again.since = "", ctx.today
        _wait_for_lift(summary, again, record, facts, ctx)


def _wait_for_lift(summary: Summary, new: TermState, record: CreditRecord, facts: Facts, ctx: Context) -> TermState:
    """The department of the record has to say that it stopped. new: the term, where none is open."""
    state = next(iter(open_terms(summary, new.key, LIFT_ACKNOWLEDGEMENT)), None)
    if state is None:
        state = new
        state.measure = str(facts["family"])
        begin(summary, state, ctx)
    state.waiting = _with(state.waiting, record.sender, is_in=True)
    return state


def _note_answer(order: OrderState, sender: str, facts: Facts) -> None:
    applies = facts["state"] == "APPLIED"
    order.acknowledged = _with(order.acknowledged, sender, is_in=applies)
    order.declined = _with(order.declined, sender, is_in=not applies)


def answer_of(order: OrderState, department: str) -> str:
    """How an answer that is waited for is named: the family, and the department whose it is."""
    return f"{order.family} {department}"


def _answer_lift(summary: Summary, order_id: str, record: CreditRecord) -> None:
    """A department stopped; that it had begun may still be on its way, and must not open the lift again."""
    for state in open_terms(summary, order_id, LIFT_ACKNOWLEDGEMENT):
        if record.sender in state.unanswered:
            ahead = (ORDER_ACKNOWLEDGEMENT, f"{order_id} {record.sender}", record.decided_on)
            summary.answers = sorted({*summary.answers, ahead})
    _answered(summary, order_id, LIFT_ACKNOWLEDGEMENT, record.sender)


def _answer_late(summary: Summary, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The order was lifted meanwhile: who applied it has to say that it stopped; who never did need not."""
    order_id = str(facts["order_id"])
    asked = (ORDER_ACKNOWLEDGEMENT, f"{order_id} {record.sender}")
    ahead = [one for one in summary.answers if one[:2] == asked]
    if ahead:
        summary.answers.remove(ahead[0])
        return
    if facts["state"] != "APPLIED":
        _answered(summary, order_id, LIFT_ACKNOWLEDGEMENT, record.sender)
        return
    if is_incentive(str(facts["family"])):
        return  # an offer that ended harms nobody: no word is asked for
    state = _wait_for_lift(summary, term_about(LIFT_ACKNOWLEDGEMENT, order_id, record), record, facts, ctx)
    state.unanswered = _with(state.unanswered, record.sender, is_in=False)


def _answered(summary: Summary, key: str, term: str, answer: str) -> None:
    for state in open_terms(summary, key, term):
        state.waiting = [one for one in state.waiting if one != answer]
        if not state.waiting:
            close(summary, key, term)


def _with(names: list[str], name: str, *, is_in: bool) -> list[str]:
    others = [one for one in names if one != name]
    return sorted([*others, name]) if is_in else others


def _term(term: str, key: str, listing: ListingState, waiting: list[str], ctx: Context) -> TermState:
    return TermState(
        term=term,
        key=key,
        opened_by="",
        record_id=listing.record_id,
        region=listing.region,
        document_number=listing.document_number,
        fictitious=listing.fictitious,
        since=ctx.today,
        list_code=listing.list_code,
        waiting=waiting,
    )
