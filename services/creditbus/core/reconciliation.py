"""对账: what a department sent on a day against what reached the bus, event by event (design.md 11.18).

Both sides make one digest of the ids of a day, so that a day that agrees is one comparison; where it does not, the ids
that differ are named, each with what is to be done about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An event of a department that reached the bus."""

    event_id: str
    kind: str
    rejected: bool
    """It came to no record, whatever else came of its id: it is to be mended and sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two sides have not both."""

    missing: tuple[str, ...]
    """The department sent it, and it never reached the bus: send it again under the same id."""
    other_days: Mapping[str, date]
    """It reached the bus, on another day: by id."""
    surplus: tuple[str, ...]
    """It reached the bus, and the department does not know of it: find out who holds its key."""

    @property
    def is_none(self) -> bool:
        """Whether nothing is missing and nothing surplus."""
        return not self.missing and not self.surplus


def digest_of(event_ids: Collection[str]) -> str:
    """SHA-256 of the ids, each once, in the order of their bytes, each with a line break behind it.

    The same as ``LC_ALL=C sort -u ids.txt | sha256sum`` says of a file with one id a line.
    """
    ordered = sorted({one.encode() for one in event_ids})
    return hashlib.sha256(b"".join(one + b"\n" for one in ordered)).hexdigest()


def compared(sent: Collection[str], arrived: Collection[str], elsewhere: Mapping[str, date]) -> Difference:
    """sent: ids of a day as the department has them; arrived: as the bus has them.

    elsewhere: days of other ids of the department that were sent and arrived, as far as they were looked for.
    """
    unknown = sorted(set(sent) - set(arrived))
    return Difference(
        missing=tuple(one for one in unknown if one not in elsewhere),
        other_days={one: elsewhere[one] for one in unknown if one in elsewhere},
        surplus=tuple(sorted(set(arrived) - set(sent))),
    )
