"""The supervisor as a process of its own: forked from the command line, so that a terminal that closes is no crash."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from creditbus.lab.process import die_with_parent, rotate
from creditbus.lab.supervisor import Supervisor, owned_folder, stop_on_signals

LOG_NAME = "supervisor.log"


def fork_supervisor(folder: Path, build: Callable[[], Supervisor], *, detach: bool) -> int:
    """Start a supervisor on the data folder; its pid. Its own log is logs/supervisor.log.

    Call while the process has a single thread. Unless detached, it stops the stack when the caller dies.
    """
    log = folder / "logs" / LOG_NAME
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate(log)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        if not detach:
            die_with_parent()
        _redirect(log)
        code = _supervise(folder, build)
    finally:
        # never return into the caller's stack: its open files and exit handlers belong to the parent
        os._exit(code)


def _redirect(log: Path) -> None:
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


def _supervise(folder: Path, build: Callable[[], Supervisor]) -> int:
    # the parent's Ctrl-C is passed on by the parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logger = structlog.get_logger()
    try:
        with owned_folder(folder):
            supervisor = build()
            stop_on_signals(supervisor)
            supervisor.run()
    except Exception:  # noqa: BLE001 - the last frame of a process
        logger.exception("supervisor failed")
        return 1
    finally:
        sys.stdout.flush()
    return 0
