"""Which initial loads are open, as ``credit.breaker`` tells: read when an event names one.

What was on its way when the department said that everything is sent still belongs to the load.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from creditbus.bus.reading import ReadingOn
from creditbus.bus.wire import Types, read_value
from creditbus.core.breaker import HOLD
from creditbus.core.loading import COMPLETE, is_load
from creditbus.core.topics import BREAKER

_OPEN_SECONDS = 5.0
"""So old may be what was read of a load that is open; who asks about another one has what is new read first."""
_GROUP = "creditbus-loads"
_NOTHING = ("", 0)


class Loads:
    """The last order about each load."""

    def __init__(self, brokers: str, types: Types) -> None:
        self._orders = ReadingOn(brokers, _GROUP, BREAKER)
        self._types = types
        self._last: dict[str, tuple[str, int]] = {}
        """Action and its time by source."""
        self._read_at = -_OPEN_SECONDS

    def asked_once(self) -> Callable[[str, int], bool]:
        """Whether a load takes an event of this time, for one batch: however many name one that is not open, it reads
        once.
        """
        has_read = False

        def is_open(source: str, at_ms: int) -> bool:
            nonlocal has_read
            is_old = time.monotonic() - self._read_at > _OPEN_SECONDS
            if not has_read and (is_old or self._last.get(source, _NOTHING)[0] != HOLD):
                self._read_on()
                has_read = True
            action, since_ms = self._last.get(source, _NOTHING)
            return action == HOLD or (action == COMPLETE and at_ms <= since_ms)

        return is_open

    def _read_on(self) -> None:
        """Raises ReconnectError while the brokers are away."""
        for message in self._orders.messages():
            schema, order = read_value(self._types, message.value() or b"")
            if schema.short_name == "SourceOrder" and is_load(order["source"]):
                self._last[order["source"]] = order["action"], order["at"]
        self._read_at = time.monotonic()
