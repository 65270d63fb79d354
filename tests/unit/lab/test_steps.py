"""The lab's decisions: back-off, start order, stop order, stuck partitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.lab.steps import (
    ChildState,
    PartitionLag,
    Phase,
    RestartPolicy,
    after_check,
    after_end,
    after_start,
    last_error,
    next_starts,
    restart_delay,
    service_of_group,
    stop_waves,
    unmoved,
)

POLICY = RestartPolicy()


def lag(**changes: int) -> PartitionLag:
    facts = {"partition": 0, "offset": 10, "end_offset": 12, **changes}
    return PartitionLag(group="creditbus-intake", topic="credit.events.tax", **facts)


def test_the_first_restart_is_immediate_and_later_ones_back_off_to_thirty_seconds() -> None:
    assert [restart_delay(POLICY, failures) for failures in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(min_value=0, max_value=10**9))
def test_a_delay_never_exceeds_the_limit_and_never_shrinks(failures: int) -> None:
    assert restart_delay(POLICY, failures) <= restart_delay(POLICY, failures + 1) <= POLICY.max_delay


def test_a_process_that_keeps_ending_waits_longer_each_time() -> None:
    state, now = ChildState(), 0.0
    waits = []
    for _ in range(4):
        state = after_end(POLICY, after_start(state, now), now + 1)
        waits.append(state.next_start_at - (now + 1))
        now = state.next_start_at
    assert waits == [0, 1, 2, 4]
    assert state.restarts == 4


def test_a_healthy_minute_makes_the_next_restart_immediate_again() -> None:
    state = ChildState(failures=5, started_at=0.0, phase=Phase.READY)
    assert after_end(POLICY, state, 60.0).next_start_at == 60.0
    assert after_end(POLICY, state, 59.0).next_start_at > 59.0


def test_a_silent_process_is_starting_until_it_was_ready_once_and_unhealthy_after() -> None:
    starting = ChildState(phase=Phase.STARTING)
    assert after_check(starting, answered=False).phase is Phase.STARTING
    ready = after_check(starting, answered=True)
    assert ready.phase is Phase.READY
    assert after_check(ready, answered=False).phase is Phase.UNHEALTHY


def test_a_process_starts_only_when_everything_that_it_needs_is_ready() -> None:
    needs = {"kafka": (), "registry": ("kafka",), "intake": ("deploy",)}
    states = {name: ChildState() for name in needs}
    assert next_starts(states, needs, (), 0.0) == ("kafka",)
    states["kafka"] = ChildState(phase=Phase.STARTING)
    assert next_starts(states, needs, (), 0.0) == ()
    states["kafka"] = ChildState(phase=Phase.READY)
    assert next_starts(states, needs, (), 0.0) == ("registry",)
    assert next_starts(states, needs, ("deploy",), 0.0) == ("registry", "intake")


def test_a_process_that_backs_off_starts_when_its_time_has_come() -> None:
    states = {"intake": ChildState(phase=Phase.BACKING_OFF, next_start_at=5.0)}
    assert next_starts(states, {"intake": ()}, (), 4.9) == ()
    assert next_starts(states, {"intake": ()}, (), 5.0) == ("intake",)


def test_dependants_stop_before_what_they_depend_on() -> None:
    waves = stop_waves({"kafka": (), "registry": ("kafka",), "intake": ("kafka", "registry"), "clickhouse": ()})
    assert waves == (("intake", "clickhouse"), ("registry",), ("kafka",))


def test_a_circle_of_dependencies_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        stop_waves({"a": ("b",), "b": ("a",)})


def test_only_a_partition_with_work_that_did_not_advance_is_stuck() -> None:
    before = (lag(partition=0), lag(partition=1), lag(partition=2, offset=12))
    after = (lag(partition=0, end_offset=90), lag(partition=1, offset=11), lag(partition=2, offset=12))
    assert [stuck.partition for stuck in unmoved(before, after)] == [0]


def test_a_group_belongs_to_the_service_that_its_id_names() -> None:
    assert service_of_group("creditbus-intake", ["gateway", "intake"]) == "intake"
    assert service_of_group("somebody-else", ["gateway", "intake"]) is None


def test_the_cause_is_the_last_line_that_tells_of_an_error() -> None:
    assert last_error("ERROR first\nINFO fine\nERROR second\nINFO bye") == "ERROR second"
    assert last_error("INFO fine") is None
