"""One child process of the lab: what it is, how it starts without outliving its parent, how it is stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from creditbus.lab.errors import NotReadyError

PR_SET_PDEATHSIG = 1
ROTATE_ABOVE_BYTES = 20 * 1024 * 1024
TAIL_BYTES = 16 * 1024

BEHIND = 5
"""Niceness of what may lag a little, so that records become orders in time on a machine with few cores."""

Check = Callable[[], bool]


def _nothing() -> None:
    """What most processes need before they start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What to run, and how to see that it is ready."""

    name: str
    argv: tuple[str, ...]
    # quick (a second at most) and without side effects; called again and again
    is_ready: Check
    # before every start; quick when there is nothing to do
    prepare: Callable[[], None] = _nothing
    # added to the lab's own environment
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    depends_on: tuple[str, ...] = ()
    port: int | None = None
    address: str = ""
    # what it is expected to use at most, for the table; the limit itself stands in argv
    memory_mb: int | None = None
    ready_within_seconds: float = 60.0
    # between SIGTERM and SIGKILL
    stop_within_seconds: float = 20.0
    # how far it stands back when cores are scarce, as `nice` counts: 0 not at all, 19 most
    niceness: int = 0
    # what the system sends it when the lab was killed; nobody is left then who would end it if it waits for others
    orphan_signal: int = signal.SIGTERM


def spawn(process: Process, log: Path) -> subprocess.Popen[bytes]:
    """Start a process in its own group, with its output appended to log (rotated above 20 MB).

    Linux tells the child when its parent dies, so that a killed lab leaves no orphans; elsewhere the next start finds
    them by their recorded pid. Call from the thread that lives as long as the lab: the signal follows it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate(log)
    prctl, parent = _libc_prctl(), os.getpid()

    def follow_parent() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, process.orphan_signal, 0, 0, 0)
            if os.getppid() != parent:  # it died just before
                os._exit(1)

    with log.open("ab") as output:
        child = subprocess.Popen(
            process.argv,
            env={**os.environ, **process.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=follow_parent,  # system calls only, resolved before the fork
        )
    if process.niceness:
        stand_back(child.pid, process.niceness)
    return child


def stand_back(pid: int, niceness: int) -> None:
    """Let a process, a session of its own, have less of the cores than others while they are scarce."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    # where Linux shares the cores among sessions first, only this counts (man 7 sched, the autogroup feature)
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness), encoding="ascii")


def die_with_parent() -> None:
    """Get SIGTERM when the parent dies (Linux; elsewhere nothing happens)."""
    prctl = _libc_prctl()
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _libc_prctl() -> Callable[..., int] | None:
    # resolved before the fork: nothing may be allocated or imported between fork and exec
    return ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def rotate(log: Path) -> None:
    """Keep one older log beside a log that has grown large."""
    if log.exists() and log.stat().st_size > ROTATE_ABOVE_BYTES:
        log.replace(log.with_suffix(".log.1"))


def note(log: Path, text: str) -> None:
    """Append the lab's own words to a process's log, for what prevents its start."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as handle:
        handle.write(f"ERROR {text}\n")


def signal_group(pid: int, number: int) -> None:
    """Signal a process group; one that has ended already is what was wanted."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def stop(child: subprocess.Popen[bytes], within_seconds: float) -> None:
    """Ask a child to end, and end it and its group after the deadline."""
    signal_group(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(within_seconds)
    signal_group(child.pid, signal.SIGKILL)
    child.wait()


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = handle.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def answers_http(url: str, timeout_seconds: float = 1.0) -> bool:
    """Whether a GET is answered with a status below 300; never through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_seconds) as response:
            return bool(response.status < 300)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except (OSError, ValueError):
        return False


def wait_ready(process: Process, child: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the process is ready; raises NotReadyError with the end of its log when it ends or takes too long."""
    deadline = time.monotonic() + process.ready_within_seconds
    while not process.is_ready():
        ended = child.poll()
        if ended is not None:
            raise not_ready(process, log, en=f"ended with code {ended}", zh=f"已退出，代码 {ended}")
        if time.monotonic() > deadline:
            seconds = process.ready_within_seconds
            raise not_ready(process, log, en=f"was not ready after {seconds:g} s", zh=f"{seconds:g} 秒后仍未就绪")
        time.sleep(0.05)


def not_ready(process: Process, log: Path, *, en: str, zh: str) -> NotReadyError:
    """The error for a process that did not become ready, with the end of its log."""
    end = tail(log)
    return NotReadyError(
        en=f"{process.name} {en}. The end of {log}:\n{end}",
        zh=f"{process.name} {zh}。日志 {log} 的末尾见上。",
    )


@contextmanager
def running(process: Process, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process until the block ends: started, ready, and stopped whatever happens. For tests and tools."""
    process.prepare()
    child = spawn(process, log)
    try:
        wait_ready(process, child, log)
        yield child
    finally:
        stop(child, process.stop_within_seconds)
