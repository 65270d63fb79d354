"""How far behind a consumer is, from librdkafka's own statistics.

The statistics arrive in the thread that reads, once a second, and cost no request. (Asking for watermarks from the
thread of the metrics page blocks while the consumer waits for messages.)
"""

from __future__ import annotations

import time
from typing import Any

import orjson

from creditbus.bus.metrics import Metrics

_EVERY_MS = 1_000


class Lag:
    """The lag gauges of one consumer."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seen_at_ms: dict[tuple[str, int], int] = {}
        self._waiting: dict[tuple[str, int], int] = {}
        self._moved_at: dict[tuple[str, int], float] = {}
        self._polled_at = time.monotonic()
        metrics.before_exposition(self._set_stalled)

    @property
    def config(self) -> dict[str, Any]:
        """What the consumer's configuration needs."""
        return {"statistics_interval_ms": _EVERY_MS, "stats_cb": self._on_statistics}

    def polled(self) -> None:
        """The loop came round."""
        self._polled_at = time.monotonic()

    def saw(self, topic: str, partition: int, timestamp_ms: int) -> None:
        """A message of this time was read."""
        self._seen_at_ms[topic, partition] = timestamp_ms
        self._moved_at[topic, partition] = time.monotonic()

    def _on_statistics(self, text: str) -> None:
        now_ms = time.time() * 1000
        for name, topic in orjson.loads(text)["topics"].items():
            for number, partition in topic["partitions"].items():
                if partition["fetch_state"] != "none":
                    self._set(name, int(number), int(partition["consumer_lag"]), now_ms)

    def _set(self, topic: str, partition: int, lag: int, now_ms: float) -> None:
        # the marker that ends a transaction takes an offset and is never delivered
        behind = lag if lag > 1 else 0
        slot = (topic, partition)
        if not behind or not self._waiting.get(slot):
            self._moved_at[slot] = time.monotonic()
        self._waiting[slot] = behind
        seen = self._seen_at_ms.get(slot, 0)
        labels = {"topic": topic, "partition": str(partition)}
        self._metrics.set("creditbus_lag_messages", behind, **labels)
        self._metrics.set("creditbus_lag_seconds", (now_ms - seen) / 1000 if behind and seen else 0.0, **labels)

    def _set_stalled(self) -> None:
        """Called by the thread of the metrics page, so that a loop that hangs is seen although it says nothing."""
        now = time.monotonic()
        self._metrics.set("creditbus_loop_seconds", now - self._polled_at)
        for (topic, partition), behind in list(self._waiting.items()):
            stalled = now - self._moved_at[topic, partition] if behind else 0.0
            self._metrics.set("creditbus_stalled_seconds", stalled, topic=topic, partition=str(partition))
