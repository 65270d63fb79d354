"""What a decision about a subject is made with, and where its emissions go."""

from __future__ import annotations

from dataclasses import dataclass, field

from creditbus.core.breaker import Turns
from creditbus.core.records import Alert, ListingChange, MeasureOrder, business_day
from creditbus.core.rules import Rules

Emission = ListingChange | MeasureOrder | Alert


@dataclass(slots=True)
class Context:
    """Rules and time of one decision."""

    rules: Rules
    now_ms: int
    """Business time of the partition: its last tick."""
    turns: Turns = field(default_factory=dict)
    """What sources are and were (core/breaker.py)."""
    emissions: list[Emission] = field(default_factory=list)
    ended: list[tuple[str, str, str]] = field(default_factory=list)
    """(record id, kind, outcome) of records that another record ended."""

    @property
    def today(self) -> int:
        """The Beijing calendar day of the business time."""
        return business_day(self.now_ms)
