"""Wiring of the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog

from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import registry_of
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.clock.log import TickLog
from creditbus.clock.settings import ClockSettings
from creditbus.clock.steps import seconds_until_next, ticks_due, waits_for_a_jump

logger = structlog.get_logger()

_HOUR_MS = 3_600_000
_JUMP_SECONDS = 10.0
"""How often a clock that waits looks for the jump."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How time goes on."""

    interval_ms: int
    """Between two ticks."""
    longest_chain_ms: int = 0
    """A longer standstill waits for a jump; 0: a chain of ticks leads over any."""


def main() -> int:
    """Run the clock until told to stop."""
    settings = ClockSettings()
    service = Service("clock", settings.http_address)
    schemas = SchemaSet.load()

    def life(stopping: Stopping) -> None:
        registry = registry_of(settings)
        try:
            log = TickLog(settings.brokers, registry, schemas)
            last = log.last_ticks()
            service.health.up()
            pace = Pace(settings.clock_interval_seconds * 1000, settings.clock_longest_chain_hours * _HOUR_MS)
            run(log, last, pace, service.metrics, stopping)
        finally:
            registry.close()

    return service.main(life)


def run(log: TickLog, last: dict[int, int], pace: Pace, metrics: Metrics, stopping: Stopping) -> None:
    """Write due ticks into every partition, over and over.

    0. wait   where it stood still for too long: until officers' jump is on the log
    1. due    the ticks between a partition's last one and now
    2. write  them, oldest first, until the brokers acknowledged all
    3. wait   for the next full interval
    """
    partitions = log.partitions()
    interval_ms = pace.interval_ms
    while not stopping():
        now_ms = int(time.time() * 1000)
        if any(waits_for_a_jump(last.get(one), now_ms, pace.longest_chain_ms) for one in partitions):
            logger.warning("stood still for too long: `creditbus clock propose`, or a longer chain", last_ms=last)
            _wait(_JUMP_SECONDS, stopping)
            last.update(log.last_ticks())
            continue
        for partition in partitions:
            for tick in ticks_due(last.get(partition), now_ms, interval_ms):
                log.write(partition, tick)
                last[partition] = tick.at_ms
                metrics.count("creditbus_ticks_written_total")
        log.flush()
        for partition in partitions:
            metrics.set("creditbus_tick_seconds", last[partition] / 1000, partition=str(partition))
        _wait(seconds_until_next(now_ms, interval_ms), stopping)


def _wait(seconds: float, stopping: Stopping) -> None:
    """Wait in short steps, so that a stop is heard at once."""
    until = time.monotonic() + seconds
    while not stopping() and (left := until - time.monotonic()) > 0:
        time.sleep(min(0.25, left))
