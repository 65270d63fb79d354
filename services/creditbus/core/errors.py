"""Errors of the outside world, named by what the caller does next.

BusError
├── RetryLaterError            busy or away: wait retry_after_seconds, then read the batch again
├── ReconnectError             outcome unknown (timeout of a commit): new client, then read the batch again
├── SettingsError              refuse to start: names the setting, what is wrong, what would be right
└── StopError                  going on would lose or double something: end the process
    ├── FencedError            another process owns this transactional.id
    └── DeadLetterError        a dead letter was not acknowledged

Every message names what failed, the problem and the remedy; none carries personal data. Bad data is no error but an
outcome (outcome.py).
"""

from __future__ import annotations


class BusError(Exception):
    """Anything that the outside world did to us."""


class RetryLaterError(BusError):
    """Busy or away: wait ``retry_after_seconds``, then read the batch again."""

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ReconnectError(BusError):
    """Outcome unknown: make a new client, then read the batch again."""


class SettingsError(BusError):
    """Refuse to start."""


class StopError(BusError):
    """Going on would lose or double something: end the process."""


class FencedError(StopError):
    """Another process owns this transactional id."""


class DeadLetterError(StopError):
    """A dead letter was not acknowledged."""
