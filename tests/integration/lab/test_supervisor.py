"""The supervisor with real child processes: restarts, orderly end, and nothing left after kill -9."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psutil
import pytest

from creditbus.commands.lab import watch_start
from creditbus.core.errors import RetryLaterError
from creditbus.lab.daemon import fork_supervisor
from creditbus.lab.process import Process
from creditbus.lab.state import LabState, read_state, stop_orphans
from creditbus.lab.steps import Phase
from creditbus.lab.supervisor import DEPLOY, Supervisor, Task
from waiting import wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="children follow their parent on Linux only"),
]

SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")
IGNORING = "import signal as s; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); s.pause()"
STUBBORN = (sys.executable, "-c", IGNORING)


def sleeper(name: str, **changes: object) -> Process:
    return Process(**{"name": name, "argv": SLEEPER, "is_ready": lambda: True, **changes})  # type: ignore[arg-type]


@contextmanager
def supervised(
    folder: Path, *processes: Process, deploy: tuple[Task, ...] = (), deploy_patience_seconds: float = 60
) -> Iterator[int]:
    def build() -> Supervisor:
        first = [processes[0].name]
        return Supervisor(folder, processes, deploy, first, deploy_patience_seconds=deploy_patience_seconds)

    pid = fork_supervisor(folder, build, detach=False)
    try:
        yield pid
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def state_of(folder: Path) -> LabState:
    state = read_state(folder)
    assert state is not None
    return state


def is_ready(folder: Path) -> bool:
    state = read_state(folder)
    return state is not None and state.is_ready


def pid_of(folder: Path, name: str) -> int:
    record = next(record for record in state_of(folder).processes if record.name == name)
    return record.process.pid if record.process else 0


def is_dead(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_killed_process_runs_again_within_three_seconds(tmp_path: Path) -> None:
    with supervised(tmp_path, sleeper("one")):
        wait_until("readiness", lambda: is_ready(tmp_path))
        first = pid_of(tmp_path, "one")
        os.kill(first, signal.SIGKILL)
        wait_until("a new process", lambda: pid_of(tmp_path, "one") not in (0, first))
        wait_until("readiness", lambda: is_ready(tmp_path))
        assert state_of(tmp_path).processes[0].restarts == 1
        assert state_of(tmp_path).processes[0].last_exit in (-signal.SIGKILL, None)


def test_what_may_lag_stands_back_from_the_cores(tmp_path: Path) -> None:
    with supervised(tmp_path, sleeper("one", niceness=5), sleeper("two")):
        wait_until("readiness", lambda: is_ready(tmp_path))
        assert [psutil.Process(pid_of(tmp_path, name)).nice() for name in ("one", "two")] == [5, os.nice(0)]
        groups = [Path(f"/proc/{pid_of(tmp_path, name)}/autogroup") for name in ("one", "two")]
        if all(group.exists() for group in groups):
            assert [group.read_text().split()[-1] for group in groups] == ["5", "0"]


def test_an_orderly_stop_ends_every_child_even_one_that_ignores_it(tmp_path: Path) -> None:
    stubborn = sleeper("stubborn", argv=STUBBORN, stop_within_seconds=0.5)
    with supervised(tmp_path, sleeper("one"), stubborn):
        wait_until("readiness", lambda: is_ready(tmp_path))
        wait_until("the stubborn process to be up", lambda: (tmp_path / "logs" / "stubborn.log").read_text() == "up\n")
        pids = [pid_of(tmp_path, "one"), pid_of(tmp_path, "stubborn")]
    assert all(is_dead(pid) for pid in pids)
    assert {record.phase for record in state_of(tmp_path).processes} == {Phase.STOPPED}


def test_after_kill_9_of_the_supervisor_its_children_end_and_the_next_start_works(tmp_path: Path) -> None:
    with supervised(tmp_path, sleeper("one"), sleeper("two")) as supervisor:
        wait_until("readiness", lambda: is_ready(tmp_path))
        pids = [pid_of(tmp_path, "one"), pid_of(tmp_path, "two")]
        os.kill(supervisor, signal.SIGKILL)
        os.waitpid(supervisor, 0)
        wait_until("every process to end", lambda: all(is_dead(pid) for pid in pids))
    with supervised(tmp_path, sleeper("one")):
        wait_until("new processes", lambda: is_ready(tmp_path) and pid_of(tmp_path, "one") not in pids)


def test_a_child_that_outlives_a_killed_supervisor_is_found_and_stopped(tmp_path: Path) -> None:
    with supervised(tmp_path, sleeper("one"), sleeper("stubborn", argv=STUBBORN)) as supervisor:
        wait_until("readiness", lambda: is_ready(tmp_path))
        wait_until("the stubborn process to be up", lambda: (tmp_path / "logs" / "stubborn.log").read_text() == "up\n")
        pid = pid_of(tmp_path, "stubborn")
        os.kill(supervisor, signal.SIGKILL)
        os.waitpid(supervisor, 0)
    assert stop_orphans(state_of(tmp_path), within_seconds=0.5)[-1:] == ("stubborn",)
    assert is_dead(pid)


def test_services_wait_for_the_deploy_steps_and_a_failed_step_is_named(tmp_path: Path) -> None:
    def fail() -> None:
        raise ValueError("topic credit.records has 3 partitions, not 6")

    tasks = (Task(en="create topics", zh="创建主题", run=fail),)
    with supervised(tmp_path, sleeper("kafka"), sleeper("intake", depends_on=(DEPLOY,)), deploy=tasks):
        wait_until(
            "the deploy step to fail",
            lambda: read_state(tmp_path) is not None and state_of(tmp_path).deploy[0].phase is Phase.FAILED,
        )
        state = state_of(tmp_path)
    assert "3 partitions, not 6" in (state.deploy[0].error or "")
    assert state.processes[1].phase is Phase.WAITING


def test_a_start_waits_for_a_registry_that_is_away_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`creditbus up` gave up when a slow machine's registry did not answer a deploy step in time once."""
    away = tmp_path / "away"
    away.touch()

    def register() -> None:
        if away.exists():
            raise RetryLaterError("schema registry does not answer (ReadTimeout); is it running?")

    def backing_off() -> bool:
        return read_state(tmp_path) is not None and state_of(tmp_path).deploy[0].phase is Phase.BACKING_OFF

    def come_back() -> None:
        wait_until("the step to wait", backing_off)
        away.unlink()

    task = Task(en="register schemas", zh="登记模式", run=register)
    registry = Thread(target=come_back)
    with supervised(tmp_path, sleeper("kafka"), sleeper("intake", depends_on=(DEPLOY,)), deploy=(task,)) as supervisor:
        registry.start()
        assert watch_start(tmp_path, supervisor)
        registry.join()
    assert "Deploy step failed" not in capsys.readouterr().out


def test_a_deploy_step_waits_no_longer_than_its_patience(tmp_path: Path) -> None:
    def register() -> None:
        raise RetryLaterError("schema registry does not answer (ReadTimeout)")

    task = Task(en="register schemas", zh="登记模式", run=register)
    with supervised(tmp_path, sleeper("kafka"), deploy=(task,), deploy_patience_seconds=0) as supervisor:
        assert not watch_start(tmp_path, supervisor)
        step = state_of(tmp_path).deploy[0]
    assert (step.phase, step.error) == (
        Phase.FAILED,
        "RetryLaterError: schema registry does not answer (ReadTimeout)",
    )


def test_services_start_once_the_deploy_steps_are_done(tmp_path: Path) -> None:
    task = Task(en="create topics", zh="创建主题", run=lambda: None)
    with supervised(tmp_path, sleeper("kafka"), sleeper("intake", depends_on=(DEPLOY,)), deploy=(task,)):
        wait_until("readiness", lambda: is_ready(tmp_path))
