"""Tumbling windows of counts per department, and since when each is silent: pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

OTHER = "other"
"""Label of every department that the catalogue does not name: senders must not be able to make up label values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events of one department, by what became of them."""

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    late: int = 0
    duplicate: int = 0
    corrected: int = 0

    def __add__(self, more: Counts) -> Counts:
        return Counts(
            received=self.received + more.received,
            accepted=self.accepted + more.accepted,
            rejected=self.rejected + more.rejected,
            late=self.late + more.late,
            duplicate=self.duplicate + more.duplicate,
            corrected=self.corrected + more.corrected,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a service counted in one batch for one department and kind."""

    department: str
    at_ms: int
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPolicy:
    """How long a window is, and which departments there are."""

    seconds: int = 60
    departments: frozenset[str] = frozenset()

    def start_of(self, at_ms: int) -> int:
        """Start of the window that a time falls into; milliseconds since 1970."""
        return at_ms - at_ms % (self.seconds * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The windows that can still be asked for, and when each department was last heard; replaced, never changed."""

    windows: Mapping[int, Mapping[str, Counts]]
    heard_ms: Mapping[str, int]


def begin(policy: WindowPolicy, now_ms: int) -> State:
    """Nothing counted. Silence is measured from now on: a department that stays silent is seen to be so."""
    return State(windows={}, heard_ms=dict.fromkeys(policy.departments, now_ms))


def adopt(state: State, policy: WindowPolicy, now_ms: int) -> State:
    """Other departments are in the catalogue: those that stay keep their counts, the silence of new ones begins now."""
    named = {*policy.departments, OTHER}
    heard_ms = dict.fromkeys(policy.departments, now_ms)
    return State(
        windows={
            start: {department: counts for department, counts in window.items() if department in named}
            for start, window in state.windows.items()
        },
        heard_ms=heard_ms | {department: at_ms for department, at_ms in state.heard_ms.items() if department in named},
    )


def add(state: State, row: Row, policy: WindowPolicy, now_ms: int) -> State:
    """Count a row in the window of its own time.

    The window before the running one, the running one and the next (clocks differ a little) are kept. A row outside
    them, as after a long pause of the monitor, only tells that its department was heard.
    """
    department = row.department if row.department in policy.departments else OTHER
    heard_ms = {**state.heard_ms, department: max(state.heard_ms.get(department, 0), min(row.at_ms, now_ms))}
    kept = _kept(state.windows, policy, now_ms)
    start = policy.start_of(row.at_ms)
    if start not in _askable(policy, now_ms):
        return replace(state, windows=kept, heard_ms=heard_ms)
    window = kept.get(start, {})
    counted = {**window, department: window.get(department, Counts()) + row.counts}
    return State(windows={**kept, start: counted}, heard_ms=heard_ms)


def last_window(state: State, policy: WindowPolicy, now_ms: int) -> Mapping[str, Counts]:
    """Counts of the last complete window; every department that is known, with zeros when it sent nothing."""
    window = state.windows.get(_askable(policy, now_ms)[0], {})
    return {department: window.get(department, Counts()) for department in state.heard_ms}


def silence_seconds(state: State, now_ms: int) -> Mapping[str, float]:
    """Seconds since each department was last heard, never negative."""
    return {department: max(0, now_ms - at_ms) / 1000 for department, at_ms in state.heard_ms.items()}


def _askable(policy: WindowPolicy, now_ms: int) -> range:
    length_ms = policy.seconds * 1000
    running = policy.start_of(now_ms)
    return range(running - length_ms, running + 2 * length_ms, length_ms)


def _kept(
    windows: Mapping[int, Mapping[str, Counts]], policy: WindowPolicy, now_ms: int
) -> dict[int, Mapping[str, Counts]]:
    askable = _askable(policy, now_ms)
    return {start: window for start, window in windows.items() if start in askable}
