"""Every line of a service's log says which service wrote it, whatever thread or library it came from."""

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

LIBRARY = """
import logging
from creditbus.bus.logs import configure_logging
configure_logging("monitor")
library = logging.getLogger("aiokafka")
for number in range(1000):
    library.error("try %d failed", number)
library.info("of no use to anybody")
try:
    raise ValueError("two\\nlines")
except ValueError:
    library.exception("ended")
"""


def lines_of(script: str) -> list[str]:
    """What a process says on standard error."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stderr.splitlines()


def test_lines_of_every_thread_name_the_service() -> None:
    lines = lines_of(SCRIPT)
    assert len(lines) == 2
    assert all(" level=info service=intake event=" in line for line in lines), lines


def test_what_a_library_says_again_and_again_is_one_line_of_ours() -> None:
    tries, ended = lines_of(LIBRARY)
    assert 'level=error service=monitor event="said by a library"' in tries
    assert 'library=aiokafka problem="try 0 failed"' in tries
    assert "problem=ended exception=" in ended
    assert "ValueError: two\\nlines" in ended
