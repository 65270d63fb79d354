"""Told to stop, a process ends within its time, whatever it waits for."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

_START = """
import ctypes, signal, sys, threading, time
from creditbus.bus.ending import end_once_made, end_once_told
from creditbus.bus.stopping import StopRequest
stop = StopRequest()
signal.signal(signal.SIGTERM, lambda *_: stop.make())
"""
_NEVER_RETURNS = """
lock = ctypes.create_string_buffer(64)
take = ctypes.CDLL(None).pthread_mutex_lock
take(lock)
print("ready", flush=True)
take(lock)
"""


def _ended(program: str, *, tell: bool = True) -> tuple[int, float, str]:
    """Exit code, seconds behind the signal, and what it wrote."""
    with subprocess.Popen(
        [sys.executable, "-c", _START + program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            told = time.monotonic()
            if tell:
                process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, time.monotonic() - told, output


@pytest.mark.skipif(sys.platform != "linux", reason="the call that never returns is one of Linux's")
def test_a_call_that_never_returns_does_not_keep_the_process() -> None:
    code, seconds, output = _ended("end_once_told(0.5)" + _NEVER_RETURNS)
    assert code == 1
    assert seconds >= 0.5
    assert "ending without it" in output
    assert "most recent call first" in output  # where each thread was


def test_a_thread_that_the_interpreter_waits_for_does_not_keep_the_process() -> None:
    code, _, output = _ended(
        """
end_once_told(0.5)
threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
stop.wait()
"""
    )
    assert code == 1
    assert "ending without it" in output


def test_a_process_that_ends_in_time_ends_well() -> None:
    assert _ended("end_once_told(20)\nprint('ready', flush=True)\nstop.wait()\nsys.exit(7)")[::2] == (7, "")


def test_a_process_that_nobody_told_to_stop_goes_on() -> None:
    program = "end_once_told(0.1)\nprint('ready', flush=True)\ntime.sleep(1)\nprint('still here')\nsys.exit(7)"
    assert _ended(program, tell=False)[::2] == (7, "still here\n")


def test_a_server_that_was_told_to_stop_has_its_time_and_no_more() -> None:
    code, _, output = _ended("end_once_made(stop, 0.5)\nprint('ready', flush=True)\nstop.wait()\ntime.sleep(60)")
    assert code == 1
    assert "ending without it" in output
