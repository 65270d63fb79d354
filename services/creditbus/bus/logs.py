"""Logging: one line a fact, constant phrases, facts as key = value, UTC times."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Send this process's log to standard error as one line an event, marked with the service's name."""

    def named(_: object, __: str, event: EventDict) -> EventDict:
        return {**event, "service": service}  # not a context variable: threads would not have it

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
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
