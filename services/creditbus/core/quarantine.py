"""Records that cannot be applied: they wait in their subject's queue, and everything behind them waits too.

A record that the program cannot apply is a fault of the program, of the edition or of the record; whichever it is,
neither may it stop other subjects, nor may later records of its subject overtake it. Deadlines and lifts of the
subject go on all the while (design.md 11.8).
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from creditbus.core.hashing import output_id

PARK = "PARK"
REDRIVE = "REDRIVE"
DROP = "DROP"


class ParkedRow(msgspec.Struct, array_like=True):
    """A waiting record as the state keeps it."""

    record_id: str
    subject_kind: str
    """As it was known when the record came; the topic's twin follows from it."""
    value: bytes
    """The message as it stands on the log: it is read anew when it is redriven, by whatever program runs then."""
    place: int = -1
    """Its offset."""


@dataclass(frozen=True, slots=True)
class QuarantineOrder:
    """What is to become of a subject's waiting records."""

    order_id: str
    action: str
    subject_key: str
    record_id: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A record came into the queue, or left it (``value`` None)."""

    subject_key: str
    subject_kind: str
    sequence: int
    record_id: str
    kind: str = ""
    sender: str = ""
    event_id: str = ""
    is_cause: bool = False
    reason: str = ""
    engine: int = 0
    edition: str = ""
    parked_at: int = 0
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message of the log of records that cannot be read; its key still tells whose it is."""

    subject_key: str
    record_id: str
    """Hash of the bytes."""
    reason: str


class PoisonError(Exception):
    """A record cannot be applied. Raised inside a batch, which is then decided again with the record parked."""

    def __init__(self, record_id: str, reason: str) -> None:
        super().__init__(reason)
        self.record_id = record_id
        self.reason = reason


def park_id(record_id: str, attempt: str) -> str:
    """Id of the note that a record could not be applied. attempt: "" when it arrived, or the order that redrove it."""
    return output_id(record_id, f"{PARK} {attempt}")


def reason_of(error: Exception) -> str:
    """Kind and place of an error, for people who mend programs; never its text, which may hold a person's data."""
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "creditbus" in Path(frame.filename).parts]
    place = ours[-1] if ours else frames[-1]
    return f"{type(error).__name__} in {Path(place.filename).stem}.{place.name}, line {place.lineno}"
