"""An end in time: a process that was told to stop ends within some seconds, whatever one of its threads waits for.

Clients of Kafka wait for brokers that are gone, some of them without end and without letting Python see the signal
(librdkafka's consumer waits for an offset that is on its way; the interpreter waits for every thread of a pool before
it leaves). Whoever supervises the process kills it then; a process whose supervisor was killed has nobody who does.
Nothing is lost: ending like this is what the services are proven to survive at any moment.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time

import structlog

from creditbus.bus.stopping import StopRequest

log = structlog.get_logger()

STOP_SECONDS = 4.5
"""How long a service may take to end by itself: it promises five seconds at most."""
_MORE_SECONDS = 1.0
_EXIT_ERROR = 1
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def end_once_told(seconds: float = STOP_SECONDS) -> None:
    """Let the process end at the latest so many seconds behind a SIGTERM or SIGINT.

    Call it from the main thread, which has handlers for both. The signal is seen even while that thread is within a
    call that never returns, where no handler runs.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)

    def wait() -> None:
        while not _SIGNALS & frozenset(reader.recv(64)):
            pass
        _give_up_after(seconds)

    threading.Thread(target=wait, name="ending", daemon=True).start()


def end_once_made(request: StopRequest, seconds: float = STOP_SECONDS) -> None:
    """Let the process end at the latest so many seconds behind a request to stop.

    Call it before the handlers of signals are set that make the request: no thread may be started within one.
    """

    def wait() -> None:
        request.wait()
        _give_up_after(seconds)

    threading.Thread(target=wait, name="ending", daemon=True).start()


def _give_up_after(seconds: float) -> None:
    faulthandler.dump_traceback_later(seconds + _MORE_SECONDS, exit=True)  # where no thread of Python gets its turn
    time.sleep(seconds)
    log.error("told to stop and still waiting for something; ending without it", seconds=seconds)
    sys.stdout.flush()
    faulthandler.dump_traceback()
    os._exit(_EXIT_ERROR)
