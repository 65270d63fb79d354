"""Jumps of the clock over a standstill: who approved them, and letting one happen (design.md 11.3).

A tick advances at most ten minutes, so a stack that stood still catches up by a chain of ticks. A jump leaves the chain
out; it takes two officers of different departments, whose approvals come through the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from creditbus.bus.kafka import transactional_producer, translated
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writer, read_value
from creditbus.clock.log import TOPIC, TickLog
from creditbus.lab.editions import APPROVALS, OFFICERS
from creditbus.lab.errors import LabError
from creditbus.lab.reading import read_topic

_ANSWER_SECONDS = 15.0


@dataclass(slots=True)
class ClockJump:
    """A leap that somebody approved; times in milliseconds since 1970."""

    jump_id: str
    since_ms: int
    until_ms: int
    approvals: list[Mapping[str, Any]] = field(default_factory=list)
    """In the order in which they came, one an officer."""

    @property
    def officers(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(one["officer"] for one in self.approvals)


def note(found: dict[str, ClockJump], name: str, value: Mapping[str, Any]) -> None:
    """One more message of the topic of approvals."""
    if name == "ClockJumpApproval":
        one = found.setdefault(value["jump_id"], ClockJump(value["jump_id"], value["since"], value["until"]))
        if value["officer"] not in one.officers:
            one.approvals.append(value)


def jumps(brokers: str, registry: Registry) -> dict[str, ClockJump]:
    """Every jump that was ever approved by somebody, by id, oldest first."""
    types = Types(registry)
    found: dict[str, ClockJump] = {}

    def use(messages: Sequence[Any]) -> None:
        for message in messages:
            schema, value = read_value(types, message.value())
            note(found, schema.short_name, value)

    read_topic(brokers, APPROVALS, use)
    return found


def standing(brokers: str, registry: Registry) -> dict[int, int]:
    """Business time of each partition."""
    return TickLog(brokers, registry, SchemaSet.load()).last_ticks()


def refusal_of(jump: ClockJump, last: Mapping[int, int], now_ms: int) -> LabError | None:
    """Why a jump may not happen; None when it may. last: business time of each partition."""
    if len(jump.officers) < OFFICERS:
        known = ", ".join(jump.officers)
        remedy = "`creditbus clock approve JUMP --as OFFICER --reason …`"
        return LabError(
            en=f"{jump.jump_id[:16]} is approved by {known or 'nobody'}, and two departments have to: {remedy}",
            zh=f"{jump.jump_id[:16]} 的批准单位：{known or '无'}，须由两个不同单位批准：{remedy}",
        )
    if jump.until_ms > now_ms:
        return LabError(
            en="the jump leads into the future: wait until then, or propose one to now",
            zh="跳跃的终点晚于当前时间：请等待，或另行提议跳至当前时间",
        )
    if not last or max(last.values()) > jump.since_ms:
        return LabError(
            en="time has gone on since the jump was proposed: propose another where it is still needed",
            zh="提议之后业务时间已推进：仍需跳跃的请另行提议",
        )
    return None


def leap(brokers: str, registry: Registry, jump: ClockJump) -> None:
    """Let the clock leap, in every partition or in none. Raises LabError while it may not."""
    refusal = refusal_of(jump, standing(brokers, registry), int(time.time() * 1000))
    if refusal is not None:
        raise refusal
    write = Writer(registry, TOPIC, SchemaSet.load().records["ClockJump"])
    officers = list(jump.officers[:OFFICERS])
    value = write({"jump_id": jump.jump_id, "since": jump.since_ms, "at": jump.until_ms, "approved_by": officers})
    producer = transactional_producer(brokers, "creditbus-clock-jump")
    with translated("letting the clock leap"):
        producer.begin_transaction()
        for partition in producer.list_topics(TOPIC, timeout=_ANSWER_SECONDS).topics[TOPIC].partitions:
            producer.produce(TOPIC, value, None, partition)
        producer.commit_transaction(_ANSWER_SECONDS)
