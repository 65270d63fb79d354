"""Metric names, and the one class that declares them.

A misspelt name fails the type check. Labels take bounded values only: a reason, a topic, a partition,
a stage; never an id, never an error text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CounterName: TypeAlias = Literal[
    # what became of them, per outcome (ok, dropped, rejected, parked) and reason
    "creditbus_messages_decided_total",
    # alerts that the dossier told, per kind (core/alerts.py)
    "creditbus_alerts_total",
    # transactions, per result (committed, aborted)
    "creditbus_transactions_total",
    # rows written to ClickHouse, per table
    "creditbus_rows_written_total",
    # messages that a reader could not use and passed over, per reason
    "creditbus_dead_letters_total",
    # events that the gateway answered, per status (received, rejected, unknown)
    "creditbus_gateway_events_total",
    # HTTP answers, per route and status
    "creditbus_http_requests_total",
    # ticks written by the clock
    "creditbus_ticks_written_total",
    # attempts to send a message to a webhook, per webhook and outcome (delivered, refused)
    "creditbus_webhook_messages_total",
]
GaugeName: TypeAlias = Literal[
    # messages between the consumer's position and the end of the log, per topic and partition
    "creditbus_lag_messages",
    # age of the oldest message not yet processed, per topic and partition; zero when idle
    "creditbus_lag_seconds",
    # 1 while the service can do its work
    "creditbus_ready",
    # seconds since a partition that has messages waiting last moved, per topic and partition; zero when idle
    "creditbus_stalled_seconds",
    # seconds since the loop last asked for messages: a loop that hangs is seen although it says nothing
    "creditbus_loop_seconds",
    # messages of the last batch
    "creditbus_batch_messages",
    # messages that the next batch may have
    "creditbus_batch_limit_messages",
    # business time of a partition's last tick, as seconds since 1970
    "creditbus_tick_seconds",
    # state restored so far, from 0 to 1, per partition
    "creditbus_restore_progress_ratio",
    # how long the restore will still take, per partition
    "creditbus_restore_remaining_seconds",
    # messages that the gateway has sent and that are not acknowledged yet
    "creditbus_gateway_in_flight_messages",
    # events in the last window, per department and what (received, accepted, rejected, late, duplicate, corrected)
    "creditbus_department_events",
    # sources whose listings wait, per action (watch, hold)
    "creditbus_breaker_sources",
    # initial loads that are not ended, per last action (hold: open, complete)
    "creditbus_breaker_loads",
    # webhooks, per state (starting, waiting, failing, refused)
    "creditbus_webhooks",
    # 1 while a webhook's endpoint does not take a message, per webhook
    "creditbus_webhook_failing",
    # seconds since a department was last heard
    "creditbus_department_silence_seconds",
]
HistogramName: TypeAlias = Literal[
    # from the first message of a batch to its commit
    "creditbus_batch_seconds",
    # duration of the commit alone
    "creditbus_commit_seconds",
    # time of one stage of a batch (decide, produce, store; the commit has its own)
    "creditbus_stage_seconds",
    # duration of one insert, per table
    "creditbus_insert_seconds",
    # duration of an HTTP answer, per route
    "creditbus_http_seconds",
]

LABELS: Mapping[str, tuple[str, ...]] = {
    "creditbus_messages_decided_total": ("outcome", "reason"),
    "creditbus_alerts_total": ("kind",),
    "creditbus_transactions_total": ("result",),
    "creditbus_rows_written_total": ("table",),
    "creditbus_dead_letters_total": ("reason",),
    "creditbus_gateway_events_total": ("status",),
    "creditbus_http_requests_total": ("route", "status"),
    "creditbus_lag_messages": ("topic", "partition"),
    "creditbus_lag_seconds": ("topic", "partition"),
    "creditbus_stalled_seconds": ("topic", "partition"),
    "creditbus_tick_seconds": ("partition",),
    "creditbus_restore_remaining_seconds": ("partition",),
    "creditbus_restore_progress_ratio": ("partition",),
    "creditbus_department_events": ("department", "what"),
    "creditbus_department_silence_seconds": ("department",),
    "creditbus_breaker_sources": ("action",),
    "creditbus_breaker_loads": ("action",),
    "creditbus_webhook_messages_total": ("webhook", "outcome"),
    "creditbus_webhook_failing": ("webhook",),
    "creditbus_webhooks": ("state",),
    "creditbus_stage_seconds": ("stage",),
    "creditbus_insert_seconds": ("table",),
    "creditbus_http_seconds": ("route",),
}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


class Metrics:
    """The metrics of one process, in a registry of its own; declared on first use, service as a constant label.

    For any number of threads.
    """

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._declared: dict[str, Any] = {}
        self._declaring = Lock()
        self._refresh: Callable[[], None] = lambda: None

    def before_exposition(self, refresh: Callable[[], None]) -> None:
        """Have gauges that depend on the time set whenever somebody looks; replaces what was set before."""
        self._refresh = refresh

    def count(self, name: CounterName, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter."""
        self._of(Counter, name).labels(service=self._service, **labels).inc(amount)

    def set(self, name: GaugeName, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        self._of(Gauge, name).labels(service=self._service, **labels).set(value)

    def forget(self, name: GaugeName, /, **labels: str) -> None:
        """Show no value any more where these labels are; other labels may have any value."""
        gauge = self._declared.get(name)
        if gauge is not None:
            gauge.remove_by_labels(labels)

    def observe(self, name: HistogramName, seconds: float, /, **labels: str) -> None:
        """Record a duration in seconds."""
        self._of(Histogram, name, buckets=_BUCKETS).labels(service=self._service, **labels).observe(seconds)

    def _of(self, kind: type[_Metric], name: str, **options: Any) -> _Metric:
        found: _Metric | None = self._declared.get(name)
        if found is None:
            with self._declaring:
                found = self._declared.get(name)
                if found is None:
                    labels = ("service", *LABELS.get(name, ()))
                    found = self._declared[name] = kind(name, name, labels, registry=self.registry, **options)
        return found

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format."""
        self._refresh()
        return generate_latest(self.registry)


def all_names() -> frozenset[str]:
    """Every metric name that the program can emit."""
    return frozenset((*get_args(CounterName), *get_args(GaugeName), *get_args(HistogramName)))
