"""Registered keys of departments that write to Kafka themselves (直接报送)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from creditbus.core.rules import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An Ed25519 key that a department signs its batches with, and what that department may send."""

    kid: str
    """Key id, which follows from the public key."""
    public: bytes
    department: str
    span: Span
    """Days on which events signed with it are taken, as intake comes to them."""
    revoked_on: date | None
    """Day on which it was taken back, at once; None = it was not."""
    roles: frozenset[str] = frozenset()
    """Of the department, as its API key has them."""

    def counts_on(self, day: date) -> bool:
        """Whether events signed with it are taken on that day."""
        return self.revoked_on is None and self.span.covers(day)


Registered = Callable[[str], SigningKey | None]
"""The key that is registered under a key id."""


def none_registered(_kid: str) -> None:
    """Where no department writes to Kafka itself."""
