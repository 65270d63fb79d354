"""What subscribers answer to orders and lifts (回执): most in time, some late, some decline, a few never do.

How a department answers follows from the seed, the order and the department alone, so the same orders are answered in
the same way again, under the same event ids.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from creditbus.client.subscriber import LIFT, ORDER, Executor, Order, acknowledgement_of
from creditbus.core.rules import Rules
from creditbus.lab.simulator.story import Sent

_ITEM = "P04-FEEDBACK"
_MANDATORY = "MANDATORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How departments answer; parts of one, of the rest each answers in time."""

    declined: float = 0.05
    """Of orders: the measure does not apply there, so its lift needs no answer."""
    late: float = 0.08
    silent: float = 0.03


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement, and whether it comes after the others."""

    sent: Sent
    is_late: bool


def answers_to(order: Order, rules: Rules, seed: int, at: datetime, manners: Manners | None = None) -> Iterator[Answer]:
    """What those whose measure it is answer to an order or a lift; advice and suspensions are not answered.

    at: when they answer; aware.
    """
    if order.binding != _MANDATORY or order.action not in (ORDER, LIFT):
        return
    codes = {row.department for row in rules.subscribers if row.carries_out(order.family, order.subject_kind)}
    for code in sorted(codes):
        state = _state(order, code, seed, manners or Manners())
        if state is not None:
            department = rules.departments[code]
            who = Executor(sender=code, authority=min(department.authorities), region=department.region, item=_ITEM)
            event = dict(acknowledgement_of(order, who, at=at, state=state[0]))
            yield Answer(Sent(code, event, "RECORDED"), state[1])


def _state(order: Order, department: str, seed: int, manners: Manners) -> tuple[str, bool] | None:
    """(state, whether late) of an answer; None when there is none."""
    applies = _draw(seed, ORDER, order.order_id, department) >= manners.declined
    if order.action == ORDER and not applies:
        return "NOT_APPLICABLE", False
    if not applies:
        return None
    draw = _draw(seed, f"{order.action} when", order.order_id, department)
    if draw < manners.silent:
        return None
    return "LIFTED" if order.action == LIFT else "APPLIED", draw < manners.silent + manners.late


def _draw(seed: int, *parts: str) -> float:
    """A number from 0 to 1 that follows from the seed and the parts."""
    return random.Random(f"{seed} {' '.join(parts)}").random()  # noqa: S311 - reproducible, nothing secret
