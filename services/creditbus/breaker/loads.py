"""When an initial load is opened, complete, released or rolled back: the words of officers and of its department.

Two officers open it, its department closes it, and two officers release it; they may roll it back before, too. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from creditbus.breaker.steps import Approval, Decision
from creditbus.core.breaker import HOLD, RELEASE, ROLL_BACK
from creditbus.core.hashing import digest
from creditbus.core.loading import COMPLETE, OPEN, department_of

_OFFICERS = 2
_UNKNOWN = ""
_NEXT = {_UNKNOWN: (OPEN,), HOLD: (COMPLETE, ROLL_BACK), COMPLETE: (ROLL_BACK, RELEASE)}
"""What may come next, first what goes before the others."""
_DONE = {
    HOLD: "initial load opened by",
    COMPLETE: "everything is sent, says",
    RELEASE: "initial load released by",
    ROLL_BACK: "initial load rolled back by",
}


@dataclass(slots=True)
class Load:
    """What is known of one load."""

    action: str = _UNKNOWN
    """The last order."""
    said: dict[str, list[str]] = field(default_factory=dict)
    """Departments that said what is to become of it, by action, in order."""


class Loads:
    """All loads. Told of orders and of what was said in the order of the log; asked what is to be done."""

    def __init__(self) -> None:
        self.loads: dict[str, Load] = {}

    def ordered(self, source: str, action: str) -> None:
        """An order stands on the log."""
        self.loads.setdefault(source, Load()).action = action

    def approved(self, approval: Approval) -> None:
        """Somebody said what is to become of a load: officers of other departments, or that it is complete its own.

        What may not come next is not heard: nobody has read the report of a load that is not complete.
        """
        one = self.loads.setdefault(approval.source, Load())
        is_own = approval.officer == department_of(approval.source)
        if approval.action in _NEXT.get(one.action, ()) and is_own is (approval.action == COMPLETE):
            officers = one.said.setdefault(approval.action, [])
            if approval.officer not in officers:
                officers.append(approval.officer)

    def due(self, now_ms: int) -> Iterator[Decision]:
        """What has to be ordered now, by load."""
        for source, one in sorted(self.loads.items()):
            action = next((action for action in _NEXT.get(one.action, ()) if _is_agreed(one, action)), None)
            if action is not None:
                yield Decision(
                    control_id=digest("load-order", source, action),
                    action=HOLD if action == OPEN else action,
                    source=source,
                    at_ms=now_ms,
                    approved_by=tuple(one.said[action]),
                )

    def count(self, action: str) -> int:
        """How many loads have this as their last order."""
        return sum(one.action == action for one in self.loads.values())


def _is_agreed(one: Load, action: str) -> bool:
    return len(one.said.get(action, ())) >= (1 if action == COMPLETE else _OFFICERS)


def reason_of(decision: Decision) -> str:
    """Why, for the log."""
    return f"{_DONE[decision.action]} {' and '.join(decision.approved_by)}"
