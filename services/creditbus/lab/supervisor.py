"""The supervisor: starts the stack's processes as its own children, keeps them running, stops them in order."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TextIO

import structlog
from confluent_kafka import KafkaException

from creditbus.bus.stopping import StopRequest
from creditbus.core.errors import ReconnectError, RetryLaterError
from creditbus.lab.errors import AlreadyRunningError, LabError
from creditbus.lab.process import Process, note, signal_group, spawn, stop
from creditbus.lab.state import (
    DeployRecord,
    LabState,
    PidRecord,
    ProcessRecord,
    now_utc,
    own_record,
    record_pid,
    write_state,
)
from creditbus.lab.steps import (
    ALIVE,
    ChildState,
    Phase,
    RestartPolicy,
    after_check,
    after_end,
    after_start,
    next_starts,
    stop_waves,
)

log = structlog.get_logger()

# how often ends are noticed; part of the three seconds in which a killed service processes again
LOOP_SECONDS = 0.1
CHECK_STARTING_SECONDS = 0.25
CHECK_READY_SECONDS = 5.0
# how long a deploy step waits for what is away; a slow machine takes half a minute over the first answers
DEPLOY_PATIENCE_SECONDS = 150.0
DEPLOY_PAUSE_SECONDS = 1.0
AWAY = (RetryLaterError, ReconnectError, KafkaException)
DEPLOY = "deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One deploy step, ready to run."""

    en: str
    zh: str
    run: Callable[[], None]


class _Child:
    """A process of the stack and what is known of it."""

    def __init__(self, process: Process, log_file: Path) -> None:
        self.process, self.log_file = process, log_file
        self.state = ChildState()
        self.popen: subprocess.Popen[bytes] | None = None
        self.record: ProcessRecord = ProcessRecord(
            name=process.name,
            phase=Phase.WAITING,
            process=None,
            started_at=None,
            restarts=0,
            port=process.port,
            address=process.address,
            memory_limit_mb=process.memory_mb,
            log=log_file,
        )
        self.next_check_at = 0.0

    def update(self, state: ChildState, **changes: object) -> None:
        self.state = state
        facts = {"phase": state.phase, "restarts": state.restarts, **changes}
        self.record = self.record.model_copy(update=facts)


class Supervisor:
    """Runs until told to stop; everything happens in the thread that calls `run`, but the deploy steps."""

    def __init__(
        self,
        folder: Path,
        processes: Sequence[Process],
        deploy: Sequence[Task],
        deploy_after: Sequence[str],
        *,
        deploy_patience_seconds: float = DEPLOY_PATIENCE_SECONDS,
    ) -> None:
        """deploy_after: what has to be ready before the deploy steps, for which those wait that depend on "deploy"."""
        self._folder = folder
        self._children = {p.name: _Child(p, folder / "logs" / f"{p.name}.log") for p in processes}
        self._depends_on = {p.name: p.depends_on for p in processes}
        self._tasks = tuple(deploy)
        self._deploy = [DeployRecord(en=task.en, zh=task.zh, phase=Phase.WAITING) for task in deploy]
        self._deploy_after = tuple(deploy_after)
        self._deploy_patience_seconds = deploy_patience_seconds
        self._deploying: threading.Thread | None = None
        self._policy = RestartPolicy()
        self._written: LabState | None = None
        self._stopping = StopRequest()
        self._itself: PidRecord = own_record()

    def request_stop(self) -> None:
        """Make `run` return after it has stopped everything; may be called from a signal handler."""
        self._stopping.make()

    def run(self) -> None:
        """Keep the stack running until a stop is requested.

        1. notice   processes that ended; decide when they start again
        2. start    what is due, and the deploy steps once what they need is ready
        3. check    one living process that is due, so that a hanging check delays nothing else by more than a second
        4. write    the state, when it changed
        5. stop     at the end, whatever happens: dependants first
        """
        try:
            while not self._stopping.is_made():
                self._notice_ends()
                self._start_due()
                self._check_one()
                self._write()
                self._stopping.wait(LOOP_SECONDS)
        finally:
            self._stopping.make()
            self._stop_all()

    def _notice_ends(self) -> None:
        for child in self._children.values():
            code = child.popen.poll() if child.popen is not None else None
            if child.popen is None or code is None or child.state.phase not in ALIVE:
                continue
            # helpers that the process left behind in its group would hold its ports
            signal_group(child.popen.pid, signal.SIGKILL)
            child.update(after_end(self._policy, child.state, time.monotonic()), process=None, last_exit=code)
            log.warning("process ended", process=child.process.name, code=code, restarts=child.state.restarts)

    def _start_due(self) -> None:
        states = {name: child.state for name, child in self._children.items()}
        done = [DEPLOY] if all(step.phase is Phase.DONE for step in self._deploy) and self._is_ready_to_deploy() else []
        for name in next_starts(states, self._depends_on, done, time.monotonic()):
            self._start(self._children[name])
        if self._deploying is None and self._tasks and self._is_ready_to_deploy():
            self._deploying = threading.Thread(target=self._run_deploy, name="deploy", daemon=True)
            self._deploying.start()

    def _is_ready_to_deploy(self) -> bool:
        # once begun it stays so: a broker that restarts later stops no service from being restarted
        begun = any(step.phase is not Phase.WAITING for step in self._deploy)
        return begun or all(self._children[name].state.phase is Phase.READY for name in self._deploy_after)

    def _start(self, child: _Child) -> None:
        try:
            child.process.prepare()
        except (LabError, OSError) as error:
            log.error("process cannot be prepared", process=child.process.name, error=str(error))
            note(child.log_file, str(error))
            child.update(after_end(self._policy, after_start(child.state, time.monotonic()), time.monotonic()))
            return
        child.popen = spawn(child.process, child.log_file)
        pid = child.popen.pid
        started = after_start(child.state, time.monotonic())
        child.update(started, process=record_pid(pid), started_at=now_utc(), last_exit=None)
        child.next_check_at = 0.0
        # recorded at once: a killed supervisor must be able to find its children
        self._write()
        log.info("process started", process=child.process.name, pid=pid)

    def _check_one(self) -> None:
        now = time.monotonic()
        due = [c for c in self._children.values() if c.state.phase in ALIVE and c.next_check_at <= now]
        if not due:
            return
        child = min(due, key=lambda c: c.next_check_at)
        child.update(after_check(child.state, answered=child.process.is_ready()))
        pause = CHECK_READY_SECONDS if child.state.phase is Phase.READY else CHECK_STARTING_SECONDS
        child.next_check_at = time.monotonic() + pause

    def _run_deploy(self) -> None:
        for position, task in enumerate(self._tasks):
            self._note_deploy(position, Phase.STARTING)
            try:
                self._run_step(position, task)
            except Exception as error:  # noqa: BLE001 - reported to the user, who decides
                log.error("deploy step failed", step=task.en, error=str(error))
                self._note_deploy(position, Phase.FAILED, error)
                return
            self._note_deploy(position, Phase.DONE)

    def _run_step(self, position: int, task: Task) -> None:
        """Run one step, again while what it needs is away: that ends by itself, a refusal does not."""
        deadline = time.monotonic() + self._deploy_patience_seconds
        while True:
            try:
                return task.run()
            except AWAY as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("deploy step waits", step=task.en, error=str(error))
                self._note_deploy(position, Phase.BACKING_OFF, error)
                if self._stopping.wait(DEPLOY_PAUSE_SECONDS):
                    raise

    def _note_deploy(self, position: int, phase: Phase, error: Exception | None = None) -> None:
        told = f"{type(error).__name__}: {error}" if error is not None else None
        self._deploy[position] = self._deploy[position].model_copy(update={"phase": phase, "error": told})

    def _write(self) -> None:
        state = LabState(
            supervisor=self._itself,
            stopping=self._stopping.is_made(),
            written_at=self._written.written_at if self._written else now_utc(),
            processes=tuple(child.record for child in self._children.values()),
            deploy=tuple(self._deploy),
        )
        if state != self._written:
            self._written = state.model_copy(update={"written_at": now_utc()})
            write_state(self._folder, self._written)

    def _stop_all(self) -> None:
        inner = {n: [d for d in needs if d in self._children] for n, needs in self._depends_on.items()}
        self._write()
        for wave in stop_waves(inner):
            living = [self._children[name] for name in wave if self._children[name].popen is not None]
            for child in living:
                signal_group(child.popen.pid, signal.SIGTERM)  # type: ignore[union-attr]
            for child in living:
                stop(child.popen, child.process.stop_within_seconds)  # type: ignore[arg-type]
            for name in wave:
                child = self._children[name]
                child.update(replace(child.state, phase=Phase.STOPPED), process=None)
            self._write()
        log.info("everything stopped")


@contextmanager
def owned_folder(folder: Path) -> Iterator[TextIO]:
    """Own the data folder for as long as this process lives; raises AlreadyRunningError when another one does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                en=f"A lab runs on {folder} already. See `creditbus status`, stop it with `creditbus down`, "
                "or use another folder: CREDITBUS_LAB_DATA",
                zh=f"{folder} 上已有 lab 在运行。用 `creditbus status` 查看、`creditbus down` 停止，"
                "或用 CREDITBUS_LAB_DATA 另设目录",
            ) from error
        yield handle


def is_owned(folder: Path) -> bool:
    """Whether a supervisor lives on the data folder."""
    if not folder.is_dir():
        return False
    with suppress(AlreadyRunningError), owned_folder(folder):
        return False
    return True


def stop_on_signals(supervisor: Supervisor) -> None:
    """Let SIGTERM, SIGINT and a closed terminal stop the stack in order."""

    def handle(_: int, __: FrameType | None) -> None:
        supervisor.request_stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
