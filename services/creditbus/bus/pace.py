"""How many messages a batch has, and how long it waits for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """When a batch is full, and how long one may take."""

    max_messages: int = 5_000
    min_messages: int = 50
    every_seconds: float = 0.05
    """How long after one batch the next one is full; what came while that one was committed has waited already."""
    idle_seconds: float = 0.25
    """How long one poll waits for a first message."""
    target_seconds: float = 0.5
    """How long a batch may take from its first message to its commit; batches shrink when they take longer."""


class Pace:
    """How many messages the next batch may have: fewer when batches take too long, more again when they do not.

    And how long it may wait for them: batches come at a regular interval, so that neither the time that a commit
    takes nor that of an idle poll is waited for twice. Behind a full batch there are more messages than the client
    holds perhaps; waiting for another full one costs less than many small ones.
    """

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self.limit = policy.max_messages
        self._filled = float("-inf")
        self._was_full = False

    def wait(self, now: float) -> float:
        """Seconds that a batch with a message in it may still wait for more."""
        every = self._policy.every_seconds
        return every if self._was_full else max(0.0, self._filled + every - now)

    def filled(self, now: float) -> None:
        """A batch is full, or a poll found nothing."""
        self._filled = now

    def took(self, messages: int, seconds: float) -> None:
        """Learn from a batch."""
        policy = self._policy
        self._was_full = messages >= self.limit
        if seconds > policy.target_seconds and messages:
            fitting = int(min(messages, self.limit) * policy.target_seconds / seconds)
            self.limit = max(policy.min_messages, fitting)
        elif self._was_full and seconds < policy.target_seconds * 0.7:
            self.limit = min(policy.max_messages, self.limit + self.limit // 4 + 1)
