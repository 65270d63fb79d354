"""Breaker per source (熔断): when a department lists far more than it usually does, what follows from it waits.

Above the soft band of a source a new listing takes effect only some minutes later, so that a flood can be seen first;
above the hard band it waits until two officers release the source. Lifts are never delayed, and what was in effect
before stays in effect. The step that counts (services/creditbus/breaker) writes its decisions into every partition of
the log; what a source was at some business time follows from them, so a replay holds what was held (design.md 11.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from creditbus.core.rules import BreakerRule, Rules

WATCH = "WATCH"
"""Above the soft band: effects wait for a while."""
HOLD = "HOLD"
"""Above the hard band: effects wait for two officers."""
RELEASE = "RELEASE"
"""Two officers released it: everything takes effect, and the count begins anew."""
ROLL_BACK = "ROLL_BACK"
"""Two officers found the flood wrong: what waits never takes effect (批量回退), and the count begins anew."""
ENDS_HOLD = (RELEASE, ROLL_BACK)
CALM = "CALM"
"""Below the soft band again, without ever having been held."""
_KEPT = 50
"""So many turns of a source are remembered by a partition."""


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """A source is watched, held, released, rolled back or calm from here on."""

    control_id: str
    action: str
    source: str


class Turn(msgspec.Struct, array_like=True):
    """What a source was from a business time on."""

    since_ms: int
    action: str
    control_id: str


Turns = Mapping[str, Sequence[Turn]]
"""The turns of each source that ever had one, oldest first."""


def obey(turns: dict[str, list[Turn]], order: SourceOrder, now_ms: int) -> None:
    """Note an order; one that is known, or changes nothing, has no effect."""
    known = turns.setdefault(order.source, [])
    if any(turn.control_id == order.control_id for turn in known):
        return
    last = known[-1].action if known else CALM
    if order.action == last or (last == HOLD and order.action not in ENDS_HOLD):
        return
    known.append(Turn(now_ms, order.action, order.control_id))
    del known[:-_KEPT]


def standing(turns: Turns, source: str, due_ms: int | None = None) -> Turn | None:
    """What a source is now, or what it was when a deadline fell due; None = nothing was ever said about it.

    A deadline comes before whatever the log says within the same business minute.
    """
    known = turns.get(source, ())
    return next((turn for turn in reversed(known) if due_ms is None or turn.since_ms < due_ms), None)


def release_of(turns: Turns, source: str, hold_id: str) -> Turn | None:
    """The release or roll-back that ended a hold; None while it lasts."""
    known = turns.get(source, ())
    place = next((number for number, turn in enumerate(known) if turn.control_id == hold_id), None)
    if place is None:
        return known[0] if known else None  # forgotten, so it was long ago
    return known[place + 1] if place + 1 < len(known) else None


def rule_for(rules: Rules, source: str) -> BreakerRule | None:
    """The band of a department: its own row, else that of its domain, else the row for everybody."""
    department = rules.departments.get(source)
    wanted = (source, department.domain if department is not None else "", "*")
    rows = {row.source: row for row in rules.breakers}
    return next((rows[one] for one in wanted if one in rows), None)
