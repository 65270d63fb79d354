"""state.json: what the supervisor last knew, read by every other command, and by the next start to find orphans."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL, SIGTERM

import psutil
from pydantic import BaseModel, ConfigDict

from creditbus.lab.process import signal_group
from creditbus.lab.steps import Phase

# psutil derives start times from the boot time, which follows corrections of the clock
START_TIME_TOLERANCE_SECONDS = 2.0
# a JVM that is told to stop for the first time writes its start-up cache
ORPHAN_DEADLINE_SECONDS = 60.0


class PidRecord(BaseModel):
    """A process that can be told from another one that got its pid later."""

    model_config = ConfigDict(frozen=True)

    pid: int
    # seconds since the epoch, as the system tells it
    created_at: float
    # SHA-256 of the command line
    command: str


class ProcessRecord(BaseModel):
    """One supervised process."""

    model_config = ConfigDict(frozen=True)

    name: str
    phase: Phase
    process: PidRecord | None
    started_at: datetime | None
    restarts: int
    port: int | None
    address: str
    memory_limit_mb: int | None
    log: Path
    last_exit: int | None = None


class DeployRecord(BaseModel):
    """One deploy step."""

    model_config = ConfigDict(frozen=True)

    en: str
    zh: str
    phase: Phase
    error: str | None = None
    """Why it failed or, while it is backing off, what it waits for."""


class LabState(BaseModel):
    """The lab at one moment."""

    model_config = ConfigDict(frozen=True)

    supervisor: PidRecord
    stopping: bool
    written_at: datetime
    processes: tuple[ProcessRecord, ...]
    deploy: tuple[DeployRecord, ...]

    @property
    def done(self) -> int:
        """How much of the start is done: deploy steps that are, and processes that are ready."""
        return sum(step.phase is Phase.DONE for step in self.deploy) + sum(
            process.phase is Phase.READY for process in self.processes
        )

    @property
    def is_ready(self) -> bool:
        """Everything deployed, and every process ready."""
        return (
            not self.stopping
            and all(step.phase is Phase.DONE for step in self.deploy)
            and all(process.phase is Phase.READY for process in self.processes)
        )


def state_path(folder: Path) -> Path:
    """Where the state is kept below the data folder."""
    return folder / "state.json"


def write_state(folder: Path, state: LabState) -> None:
    """Replace the state in one step, so that a reader never sees half of it."""
    partial = state_path(folder).with_suffix(".partial")
    partial.write_text(state.model_dump_json(indent=1), encoding="utf-8")
    partial.replace(state_path(folder))


def read_state(folder: Path) -> LabState | None:
    """The last state, None before the first start."""
    try:
        return LabState.model_validate_json(state_path(folder).read_bytes())
    except FileNotFoundError:
        return None


def record_pid(pid: int) -> PidRecord:
    """Identify a living process; raises psutil.NoSuchProcess."""
    process = psutil.Process(pid)
    return PidRecord(pid=pid, created_at=process.create_time(), command=_digest(process.cmdline()))


def find_alive(record: PidRecord | None) -> psutil.Process | None:
    """The recorded process if it lives: same pid, start time and command line; a zombie does not live."""
    if record is None:
        return None
    with suppress(psutil.Error):
        process = psutil.Process(record.pid)
        same_start = abs(process.create_time() - record.created_at) < START_TIME_TOLERANCE_SECONDS
        if same_start and process.status() != psutil.STATUS_ZOMBIE and _digest(process.cmdline()) == record.command:
            return process
    return None


def stop_orphans(state: LabState, within_seconds: float = ORPHAN_DEADLINE_SECONDS) -> tuple[str, ...]:
    """Stop recorded children that outlived their supervisor; their names. No other pid is touched."""
    orphans = [(record.name, find_alive(record.process)) for record in state.processes]
    living = {name: process for name, process in orphans if process is not None}
    for process in living.values():
        signal_group(process.pid, SIGTERM)
    _, stubborn = psutil.wait_procs(list(living.values()), timeout=within_seconds)
    for process in stubborn:
        signal_group(process.pid, SIGKILL)
    psutil.wait_procs(stubborn, timeout=within_seconds)
    return tuple(living)


def wait_gone(process: psutil.Process, within_seconds: float) -> bool:
    """Wait for a process that need not be a child; whether it has ended."""
    deadline = time.monotonic() + within_seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def now_utc() -> datetime:
    """The time for `written_at` and `started_at`."""
    return datetime.now(tz=UTC)


def own_record() -> PidRecord:
    """This process."""
    return record_pid(os.getpid())


def _digest(command: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(command).encode(errors="surrogateescape")).hexdigest()
