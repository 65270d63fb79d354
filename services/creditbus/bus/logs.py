"""Logging: one line a fact, constant phrases, facts as key = value, UTC times."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Hashable

import structlog
from structlog.typing import EventDict

_TELL_SECONDS = 10.0
_MOST_TOLD = 1_000
"""Different things are remembered."""


class Seldom:
    """Whether something is to be said again: each thing once in a while, however often it happens."""

    def __init__(self) -> None:
        self._told_at: dict[Hashable, float] = {}

    def __call__(self, what: Hashable) -> bool:
        """Yes is remembered: it is said now."""
        now = time.monotonic()
        if now - self._told_at.get(what, -_TELL_SECONDS) < _TELL_SECONDS:
            return False
        if len(self._told_at) >= _MOST_TOLD:
            self._told_at.clear()
        self._told_at[what] = now
        return True


class _Library(logging.Handler):
    """What libraries say, as lines of ours. Each thing once in a while: a client says of every try that it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._is_due = Seldom()
        self._kept_back: dict[tuple[str, str], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, with how often it was kept back since it was said last."""
        what = (record.name, str(record.msg))
        if not self._is_due(what):
            self._kept_back[what] = self._kept_back.get(what, 0) + 1
            return
        kept_back = self._kept_back.pop(what, 0)
        more = {"kept_back": kept_back} if kept_back else {}
        structlog.get_logger().log(
            record.levelno,
            "said by a library",
            library=record.name,
            problem=record.getMessage(),
            exc_info=record.exc_info,
            **more,
        )


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Send this process's log to standard error as one line an event, marked with the service's name."""

    def named(_: object, __: str, event: EventDict) -> EventDict:
        return {**event, "service": service}  # not a context variable: threads would not have it

    logging.basicConfig(handlers=[_Library()], level=logging.WARNING)
    structlog.configure(
        processors=[
            named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "service", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
