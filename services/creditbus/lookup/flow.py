"""The flow as the console shows it: how many messages each stage has seen, and how far each group is behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from creditbus.bus.kafka import admin
from creditbus.bus.topics import Topic
from creditbus.core.errors import BusError
from creditbus.core.topics import EVENTS_START

log = structlog.get_logger()

GROUPS = {"intake": "creditbus-intake", "dossier": "creditbus-dossier", "warehouse": "creditbus-warehouse"}
_SECONDS = 1.0


class Flow:
    """Counts and lags, brought up to date each second by a thread while somebody asks."""

    def __init__(self, brokers: str, topics: tuple[Topic, ...], counts: Callable[[], dict[str, int]]) -> None:
        self._admin = admin(brokers)
        self._counts = counts
        self._places = [TopicPartition(t.name, number) for t in topics for number in range(t.partitions)]
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self._looked_at = 0.0

    def now(self) -> dict[str, Any]:
        """The flow, at most a second old. Raises RetryLaterError when the warehouse is away."""
        with self._lock:
            if time.monotonic() - self._looked_at > _SECONDS:
                self._known = self._look()
                self._looked_at = time.monotonic()
            return self._known

    def _look(self) -> dict[str, Any]:
        counts = self._counts()
        try:
            ends = self._ends()
            lags = {stage: self._lag(group, ends) for stage, group in GROUPS.items()}
        except KafkaException as error:
            raise BusError("Kafka does not answer; trying again") from error
        events = sum(end for (topic, _), end in ends.items() if topic.startswith(EVENTS_START))
        stages = [
            _stage("gateway", "接入网关", "gateway", events, 0),
            _stage("intake", "接收校验", "intake", counts["records"] + counts["rejections"], lags["intake"]),
            _stage("records", "标准化记录", "records", counts["records"], 0),
            _stage("rejections", "退回", "rejections", counts["rejections"], 0),
            _stage("dossier", "信用档案", "dossier", counts["changes"], lags["dossier"]),
            _stage("listings", "名单", "listings", counts["listings"], 0),
            _stage("measures", "惩戒措施", "measures", counts["orders"], 0),
            _stage("alerts", "预警", "alerts", counts["alerts"], 0),
            _stage("warehouse", "数据仓库", "warehouse", sum(counts.values()), lags["warehouse"]),
            _stage("lookup", "查询", "look-ups", counts["access"], 0),
        ]
        return {"at": int(time.time() * 1000), "subjects": counts["dossiers"], "stages": stages}

    def _ends(self) -> dict[tuple[str, int], int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        futures = self._admin.list_offsets(dict.fromkeys(self._places, latest), request_timeout=5)
        return {(place.topic, place.partition): future.result().offset for place, future in futures.items()}

    def _lag(self, group: str, ends: dict[tuple[str, int], int]) -> int:
        request = [ConsumerGroupTopicPartitions(group)]
        answer = self._admin.list_consumer_group_offsets(request, request_timeout=5)[group].result()
        behind = 0
        for place in answer.topic_partitions:
            left = ends.get((place.topic, place.partition), 0) - max(0, place.offset)
            # the marker that ends a transaction takes an offset and is never delivered
            behind += left if left > 1 else 0
        return behind


def _stage(name: str, zh: str, en: str, count: int, lag: int) -> dict[str, Any]:
    return {"name": name, "zh": zh, "en": en, "count": count, "lag": lag}
