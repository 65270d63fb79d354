"""What merge remembers: ids of the records of some days, so that what the mirror brings twice is taken over once.

A mirror that was killed goes on from its last noted offset, minutes ago at most; days are ample. What comes twice later
than that changes nothing either, since the dossier knows each record for as long as it keeps it.
Keys: ``r`` and the record's id say that it came; ``d``, day and id list the ids of a day.
"""

from __future__ import annotations

from collections.abc import Iterator

from creditbus.core.records import business_day

_DAY_BYTES = 4
PRUNED_AT_ONCE = 2_000
"""So many ids are forgotten in one batch at most."""


def id_key(record_id: bytes) -> bytes:
    """Is there when the record came."""
    return b"r" + record_id


def day_key(day: int, record_id: bytes = b"") -> bytes:
    """Where an id of a day is; without an id the beginning of the day's."""
    return b"d" + day.to_bytes(_DAY_BYTES, "big") + record_id


def remembered(record_id: bytes, at_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """What is written of a record that came at a moment."""
    yield id_key(record_id), b""
    yield day_key(business_day(at_ms), record_id), b""


def forgotten(key: bytes) -> tuple[bytes, bytes]:
    """The two keys that go with a key of a day."""
    return key, id_key(key[1 + _DAY_BYTES :])
