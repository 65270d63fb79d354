"""Work that may not end when it is told to: it runs in a thread, and is left behind when it hangs.

Faust and aiokafka wait for brokers in ways that neither a cancellation nor a signal ends: a monitor whose broker died
while it joined its group stayed for ever. It holds nothing that could be lost, so the process goes without it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()

_LOOK_SECONDS = 0.1
_NAME = "attended"


def attended(work: Callable[[], None], stopping: Callable[[], bool], patience_seconds: float) -> None:
    """Do the work until it ends, or until told to stop and some patience is over. Raises what the work raised.

    What goes wrong after a stop was asked for is told, and is nobody's business any more.
    """
    troubles: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            troubles.append(error)

    thread = threading.Thread(target=do, name=_NAME, daemon=True)
    thread.start()
    while thread.is_alive() and not stopping():
        thread.join(_LOOK_SECONDS)
    thread.join(patience_seconds if stopping() else None)
    if thread.is_alive():
        log.warning("left behind what did not end in time", seconds=patience_seconds)
    elif troubles and stopping():
        log.warning("did not end cleanly", problem=f"{type(troubles[0]).__name__}: {troubles[0]}")
    elif troubles:
        raise troubles[0]


def leave(code: int) -> None:
    """End the process at once where threads stay: they wait for Kafka, and Python would wait for them."""
    staying = [one.name for one in threading.enumerate() if one is not threading.main_thread() and _stays(one)]
    if staying:
        log.warning("ending without threads that wait for Kafka", threads=staying)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _stays(thread: threading.Thread) -> bool:
    return not thread.daemon or thread.name == _NAME
