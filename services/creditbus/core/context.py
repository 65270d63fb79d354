"""What a decision about a subject is made with, and where its emissions go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from creditbus.core.breaker import Turns
from creditbus.core.errors import StopError
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder, business_day
from creditbus.core.rules import Rules
from creditbus.core.subject import Facts

Emission = ListingChange | MeasureOrder | Alert
RecordsAt = Callable[[Sequence[int]], list[tuple[int, CreditRecord]]]
"""Records by their offsets, in the same order, each with its offset."""


def no_log(places: Sequence[int]) -> list[tuple[int, CreditRecord]]:
    """Where the log is not at hand."""
    if places:
        raise StopError("the log is not at hand here: records cannot be read again")
    return []


def no_facts(record: CreditRecord) -> Facts:
    """Where no facts can be read."""
    raise StopError(f"the facts of record {record.record_id} are not at hand here")


class Context(msgspec.Struct):
    """Rules and time of decisions, and what the present one leads to.

    Between two ticks the same one serves every record, with ``emissions``, ``ended`` and ``moves`` emptied in between.
    """

    rules: Rules
    now_ms: int
    """Business time of the partition: its last tick."""
    turns: Turns = {}
    """What sources are and were (core/breaker.py)."""
    emissions: list[Emission] = []
    ended: list[tuple[str, str, str]] = []
    """(record id, kind, outcome) of records that another record ended."""
    moves: list[CreditRecord] = []
    """Copies of records for the key that the subject has now (core/rekeying.py)."""
    records_at: RecordsAt = no_log
    """Reads records of the partition's log again, where it is at hand."""
    facts_of: Callable[[CreditRecord], Facts] = no_facts
    """Reads the facts of a record, of those too that are read again; called only where they matter."""
    today: int = 0
    """The Beijing calendar day of the business time."""

    def __post_init__(self) -> None:
        self.today = business_day(self.now_ms)
