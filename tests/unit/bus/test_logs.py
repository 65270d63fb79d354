"""Every line of a service's log says which service wrote it, whatever thread it came from."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import threading, structlog
from creditbus.bus.logs import configure_logging
configure_logging("intake")
log = structlog.get_logger()
log.info("from the main thread", count=1)
thread = threading.Thread(target=lambda: log.info("from another thread"))
thread.start(); thread.join()
"""


def test_lines_of_every_thread_name_the_service() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(" level=info service=intake event=" in line for line in lines), lines
