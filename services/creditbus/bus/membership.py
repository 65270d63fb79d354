"""Whether the group has given this member its share, and what to do when it never does.

librdkafka can stay without an answer for ever when the broker dies while a member joins (seen in CI: connected to the
coordinator, nothing asked of it, for a minute and more). Nobody would notice: the loop polls, and there is nothing to
read. A member that has had no assignment for a while, not even an empty one, starts again with a new client.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPolicy:
    """How long joining may take."""

    patience_seconds: float = 20.0
    """More than the group's first rebalance, a session timeout and a broker's start take together."""


class Membership:
    """One consumer's place in its group."""

    def __init__(self, policy: JoinPolicy, now: float) -> None:
        """now: seconds of a clock that never goes back, as in every method."""
        self._policy = policy
        self._waiting_since: float | None = now

    def joined(self) -> None:
        """The group gave an assignment, maybe an empty one."""
        self._waiting_since = None

    def left(self, now: float) -> None:
        """The assignment was taken back; the next one is to come."""
        self._waiting_since = now

    def is_lost(self, now: float) -> bool:
        """Whether the assignment is overdue."""
        return self._waiting_since is not None and now - self._waiting_since > self._policy.patience_seconds
