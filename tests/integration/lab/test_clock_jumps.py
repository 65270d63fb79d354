"""A jump of the clock on a real Kafka and registry: in every partition, by two officers, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from creditbus.bus.kafka import producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import ensure_topics, load_topics, schemas_of
from creditbus.bus.wire import Writers
from creditbus.clock.log import TickLog
from creditbus.clock.steps import Tick
from creditbus.core.hashing import jump_id
from creditbus.core.topics import APPROVALS
from creditbus.lab.clock_jumps import ClockJump, jumps, leap
from creditbus.lab.errors import LabError

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
_HOUR_MS = 3_600_000


@pytest.fixture
def registry(kafka_brokers: str, registry_url: str) -> Iterator[Registry]:
    made = Registry(registry_url)
    topics = [topic for topic in load_topics() if topic.name in ("credit.records", APPROVALS)]
    ensure_topics(kafka_brokers, topics)
    list(made.push(schemas_of(topics, SCHEMAS)))
    yield made
    made.close()


def approve(brokers: str, registry: Registry, jump: ClockJump, officer: str) -> None:
    """What the gateway writes for an officer."""
    value: dict[str, Any] = {
        "approval_id": f"{jump.jump_id} {officer}", "jump_id": jump.jump_id, "since": jump.since_ms,
        "until": jump.until_ms, "officer": officer, "reason": "停运（虚构）", "at": jump.until_ms,
    }  # fmt: skip
    producer = Producer(producer_config(brokers))
    producer.produce(APPROVALS, Writers(registry, SCHEMAS)(APPROVALS, "ClockJumpApproval")(value), b"jump")
    assert producer.flush(15) == 0


def test_the_clock_leaps_in_every_partition_and_goes_on_from_there(kafka_brokers: str, registry: Registry) -> None:
    clock = TickLog(kafka_brokers, registry, SCHEMAS)
    now_ms = int(time.time() * 1000)
    since_ms = max([now_ms - _HOUR_MS, *clock.last_ticks().values()])
    for partition in clock.partitions():
        clock.write(partition, Tick(since_ms, None))
    clock.flush()
    until_ms = max(now_ms, since_ms + 1)
    wanted = ClockJump(jump_id(since_ms, until_ms), since_ms, until_ms)
    approve(kafka_brokers, registry, wanted, "150000-xxzx")
    approve(kafka_brokers, registry, wanted, "150000-xxzx")
    with pytest.raises(LabError, match="two departments"):
        leap(kafka_brokers, registry, jumps(kafka_brokers, registry)[wanted.jump_id])
    approve(kafka_brokers, registry, wanted, "150000-fgw")
    known = jumps(kafka_brokers, registry)[wanted.jump_id]
    assert known.officers == ("150000-xxzx", "150000-fgw")
    leap(kafka_brokers, registry, known)
    assert clock.last_ticks() == dict.fromkeys(clock.partitions(), until_ms)
    with pytest.raises(LabError, match="time has gone on"):
        leap(kafka_brokers, registry, known)
