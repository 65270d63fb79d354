"""What deciding about one subject looks at and results in: the view of its state, and what each record became."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from creditbus.core.records import CreditRecord
from creditbus.core.state import EventRow, Row, Summary

Facts = Mapping[str, object]

RECORDED = "RECORDED"
DUPLICATE = "DUPLICATE"
HELD = "HELD"
PARKED = "PARKED"
DROPPED = "DROPPED"
FORWARDED = "FORWARDED"
"""It went on to the key that the subject has now."""


class SubjectView(Protocol):
    """The state of one subject while a batch is decided."""

    summary: Summary

    def row(self, natural_key: str) -> Row | None:
        """What became of a fact."""

    def set_row(self, natural_key: str, row: Row) -> None:
        """Note what became of a fact."""

    def event(self, event_key: str) -> EventRow | None:
        """What became of an event."""

    def set_event(self, event_key: str, row: EventRow) -> None:
        """Note what became of an event."""

    def forget_event(self, event_key: str) -> None:
        """Nothing is known of an event any more."""

    def held(self, natural_key: str) -> list[CreditRecord]:
        """Records that wait for this fact, in order of arrival."""

    def set_held(self, natural_key: str, records: list[CreditRecord]) -> None:
        """Keep records until this fact arrives; an empty list forgets them."""

    # -- for subjects whose key changes (rekeying.py); none of it costs anything as long as it does not

    def all_events(self) -> list[EventRow]:
        """What became of every event, in the order of the log."""

    def all_rows(self) -> dict[str, Row]:
        """What became of every fact, by natural key."""

    def start_anew(self) -> None:
        """Forget every row, and begin with an empty summary."""

    def standing_at(self, place: int) -> AbstractContextManager[None]:
        """Meanwhile records are applied that stand at this place of the log."""

    def forwarded(self, event_key: str) -> EventRow | None:
        """An event that went on to the other key, or tells what another one told, and so has no row of its own."""

    def set_forwarded(self, event_key: str, row: EventRow) -> None:
        """Note that it did."""

    def all_forwarded(self) -> list[EventRow]:
        """Every such event, in the order of the log."""

    def forget_forwarded(self) -> None:
        """They are applied here after all."""


class Applied(msgspec.Struct, frozen=True, gc=False):
    """What one record became; a record that released held ones is followed by theirs."""

    record: CreditRecord
    outcome: str
    ordinal: int = 0
    """1 for a record that was held before."""


class Expired(msgspec.Struct, frozen=True, gc=False):
    """A deadline that fired: id of the firing, and the kind and record that it ended, or the term that was missed."""

    timer_id: str
    kind: str
    record_id: str
    outcome: str = "EXPIRED"
    """OVERDUE for a missed term, NEAR for one that ends soon, DELETED for a fact that is kept no longer."""
    event_key: str | None = None
    """Of a fact that is kept no longer: by it its rows are found wherever they are."""
