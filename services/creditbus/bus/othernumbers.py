"""What other numbers of organisations lead to, as ``credit.identities`` tells: read when somebody asks, kept in memory.

Nearly every event names its subject by a code, so nothing is followed: whoever asks for a number that is not known has
what is new read first. Rows of persons are passed over.
"""

from __future__ import annotations

import time

from creditbus.bus.reading import ReadingOn
from creditbus.bus.wire import Types, read_value
from creditbus.core.identity import TOKEN, Identity
from creditbus.core.topics import IDENTITIES

_UNKNOWN_SECONDS, _KNOWN_SECONDS = 1.0, 30.0
"""So old may be what was read when a number is not known, and when it is."""
_GROUP = "creditbus-other-numbers"


class OtherNumbers:
    """A copy of the rows of organisations."""

    def __init__(self, brokers: str, types: Types) -> None:
        self._rows = ReadingOn(brokers, _GROUP, IDENTITIES)
        self._types = types
        self._known: dict[str, str] = {}
        self._read_at = -_KNOWN_SECONDS

    def leads_to(self, key: str) -> str | None:
        """Subject that the number under this key leads to. Raises ReconnectError while the brokers are away."""
        age = time.monotonic() - self._read_at
        if age > (_KNOWN_SECONDS if key in self._known else _UNKNOWN_SECONDS):
            for message in self._rows.messages():
                self._take(message.key() or b"", message.value())
            self._read_at = time.monotonic()
        return self._known.get(key)

    def _take(self, key: bytes, value: bytes | None) -> None:
        if key.startswith(f"{TOKEN}|".encode()):
            return
        if value is None:
            self._known.pop(key.decode(), None)
            return
        _, row = read_value(self._types, value, raw=False)
        told = Identity(row["scheme"], row["alias"], row["subject_key"])
        self._known[told.key] = told.subject_key
