"""What takes effect by two officers of different departments: who approved it, and who still has to.

Approvals come through the gateway, which proves who they are; here they are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from creditbus.lab.errors import LabError

OFFICERS = 2
"""No row of the catalogue: an edition must not lower what its own activation asks for (design.md 11.2)."""


@dataclass(slots=True)
class Approved:
    """Something that officers approve."""

    approvals: list[Mapping[str, Any]] = field(default_factory=list, kw_only=True)
    """In the order in which they came, one an officer."""

    @property
    def officers(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(one["officer"] for one in self.approvals)

    def note(self, approval: Mapping[str, Any]) -> None:
        """One more approval; an officer's second changes nothing."""
        if approval["officer"] not in self.officers:
            self.approvals.append(approval)

    def lacks(self, *also: str) -> int:
        """How many officers have yet to approve it. also: whoever approves it at this moment."""
        return max(0, OFFICERS - len({*self.officers, *also}))

    def refusal(self, name: str, remedy: str) -> LabError | None:
        """Why it may not take effect; None when enough have approved it. remedy: the command to type."""
        if not self.lacks():
            return None
        known = ", ".join(self.officers)
        return LabError(
            en=f"{name[:16]} is approved by {known or 'nobody'}, and two departments have to: {remedy}",
            zh=f"{name[:16]} 的批准单位：{known or '无'}，须由两个不同单位批准：{remedy}",
        )
