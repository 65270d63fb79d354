"""Decisions of the lab: when a process is started again, what starts next, what stops first, what is stuck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Phase(StrEnum):
    """Where a process stands."""

    WAITING = "waiting"
    """Not started: something that it depends on is not ready."""
    STARTING = "starting"
    """Started, not ready yet."""
    READY = "ready"
    """Its check answers."""
    UNHEALTHY = "unhealthy"
    """Was ready, and its check does not answer now; it is left alone to recover."""
    BACKING_OFF = "backing off"
    """Ended by itself; waits for its next start."""
    STOPPED = "stopped"
    """Ended because it was told to."""
    FAILED = "failed"
    """A deploy step that did not succeed; the services are not started."""
    DONE = "done"
    """A deploy step that succeeded."""


ALIVE = frozenset({Phase.STARTING, Phase.READY, Phase.UNHEALTHY})
SATISFIED = frozenset({Phase.READY, Phase.UNHEALTHY, Phase.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How fast a process that ended is started again; seconds.

    The first restart is immediate, so that a killed service processes again within three seconds (design 11.5).
    """

    second_delay: float = 1.0
    factor: float = 2.0
    max_delay: float = 30.0
    forgiven_after: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildState:
    """What is known of one process; times are monotonic seconds."""

    phase: Phase = Phase.WAITING
    # ends since it last ran for `forgiven_after`
    failures: int = 0
    restarts: int = 0
    started_at: float = 0.0
    next_start_at: float = 0.0


def restart_delay(policy: RestartPolicy, failures: int) -> float:
    """Seconds before the start that follows the given number of earlier failures: 0, 1, 2, 4 … 30."""
    if failures == 0:
        return 0.0
    # the exponent is bounded first: a float power of a large count overflows
    return min(policy.max_delay, policy.second_delay * policy.factor ** min(failures - 1, 30))


def after_start(state: ChildState, now: float) -> ChildState:
    """The state of a process that has just been started."""
    return replace(state, phase=Phase.STARTING, started_at=now)


def after_end(policy: RestartPolicy, state: ChildState, now: float) -> ChildState:
    """The state of a process that has ended by itself."""
    failures = 0 if now - state.started_at >= policy.forgiven_after else state.failures
    return replace(
        state,
        phase=Phase.BACKING_OFF,
        failures=failures + 1,
        restarts=state.restarts + 1,
        next_start_at=now + restart_delay(policy, failures),
    )


def after_check(state: ChildState, *, answered: bool) -> ChildState:
    """The state of a living process after its check."""
    if answered:
        return replace(state, phase=Phase.READY)
    return replace(state, phase=Phase.STARTING if state.phase is Phase.STARTING else Phase.UNHEALTHY)


def next_starts(
    states: Mapping[str, ChildState], depends_on: Mapping[str, Sequence[str]], satisfied: Iterable[str], now: float
) -> tuple[str, ...]:
    """Names to start now, in the order of `states`: due, and everything that they depend on is there."""
    there = {*satisfied, *(name for name, state in states.items() if state.phase in SATISFIED)}
    return tuple(
        name
        for name, state in states.items()
        if state.phase in (Phase.WAITING, Phase.BACKING_OFF)
        and state.next_start_at <= now
        and there.issuperset(depends_on[name])
    )


def stop_waves(depends_on: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Names in the order to stop: each wave holds those that nothing of the later waves' dependants still needs."""
    left = dict(depends_on)
    waves: list[tuple[str, ...]] = []
    while left:
        needed = {needed for names in left.values() for needed in names}
        wave = tuple(name for name in left if name not in needed)
        if not wave:
            raise ValueError(f"processes depend on each other in a circle: {', '.join(left)}")
        waves.append(wave)
        left = {name: needs for name, needs in left.items() if name not in wave}
    return tuple(waves)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLag:
    """Where a consumer group stands in one partition."""

    group: str
    topic: str
    partition: int
    # next offset to read, as committed
    offset: int
    end_offset: int

    @property
    def lag(self) -> int:
        """Messages between the position and the end."""
        return max(0, self.end_offset - self.offset)


def unmoved(before: Sequence[PartitionLag], after: Sequence[PartitionLag]) -> tuple[PartitionLag, ...]:
    """Partitions that lag and did not advance between two looks, the largest lag first."""
    offsets = {(lag.group, lag.topic, lag.partition): lag.offset for lag in before}
    # the marker that ends a transaction takes an offset and is never delivered
    stuck = [lag for lag in after if lag.lag > 1 and offsets.get((lag.group, lag.topic, lag.partition)) == lag.offset]
    return tuple(sorted(stuck, key=lambda lag: -lag.lag))


def service_of_group(group: str, services: Sequence[str]) -> str | None:
    """The service that a consumer group belongs to: group ids carry the service's name."""
    return next((service for service in services if service in group.replace("-", ".").split(".")), None)


def last_error(log: str) -> str | None:
    """The last line of a log that tells of an error, or None."""
    words = ("error", "exception", "critical", "fatal", "traceback")
    lines = [line.strip() for line in log.splitlines() if any(word in line.lower() for word in words)]
    return lines[-1] if lines else None
