"""Wiring of the clock."""

from __future__ import annotations

import time

from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.clock.log import TickLog
from creditbus.clock.settings import ClockSettings
from creditbus.clock.steps import seconds_until_next, ticks_due


def main() -> int:
    """Run the clock until told to stop."""
    settings = ClockSettings()
    service = Service("clock", settings.http_port)
    schemas = SchemaSet.load()

    def life(stopping: Stopping) -> None:
        registry = Registry(settings.registry_url)
        try:
            log = TickLog(settings.brokers, registry, schemas)
            last = log.last_ticks()
            service.health.up()
            run(log, last, settings.clock_interval_seconds * 1000, service.metrics, stopping)
        finally:
            registry.close()

    return service.main(life)


def run(log: TickLog, last: dict[int, int], interval_ms: int, metrics: Metrics, stopping: Stopping) -> None:
    """Write due ticks into every partition, over and over.

    1. due    the ticks between a partition's last one and now
    2. write  them, oldest first, until the brokers acknowledged all
    3. wait   for the next full interval
    """
    partitions = log.partitions()
    while not stopping():
        now_ms = int(time.time() * 1000)
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
