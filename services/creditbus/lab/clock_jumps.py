"""Jumps of the clock over a standstill: who approved them, and letting one happen (design.md 11.3).

A tick advances at most ten minutes, so a stack that stood still catches up by a chain of ticks. A jump leaves the chain
out; it takes two officers of different departments, whose approvals come through the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from creditbus.bus.kafka import produce_everywhere, transactional_producer, translated
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writer
from creditbus.clock.log import TickLog
from creditbus.core.topics import APPROVALS, RECORDS
from creditbus.lab.approvals import OFFICERS, Approved
from creditbus.lab.errors import LabError
from creditbus.lab.reading import read_values

_ANSWER_SECONDS = 15.0


@dataclass(slots=True)
class ClockJump(Approved):
    """A leap that somebody approved; times in milliseconds since 1970."""

    jump_id: str
    since_ms: int
    until_ms: int


def note(found: dict[str, ClockJump], name: str, value: Mapping[str, Any]) -> None:
    """One more message of the topic of approvals."""
    if name == "ClockJumpApproval":
        found.setdefault(value["jump_id"], ClockJump(value["jump_id"], value["since"], value["until"])).note(value)


def jumps(brokers: str, registry: Registry) -> dict[str, ClockJump]:
    """Every jump that was ever approved by somebody, by id, oldest first."""
    found: dict[str, ClockJump] = {}
    read_values(brokers, APPROVALS, Types(registry), partial(note, found))
    return found


def standing(brokers: str, registry: Registry) -> dict[int, int]:
    """Business time of each partition."""
    return TickLog(brokers, registry, SchemaSet.load()).last_ticks()


def refusal_of(jump: ClockJump, last: Mapping[int, int], now_ms: int) -> LabError | None:
    """Why a jump may not happen; None when it may. last: business time of each partition."""
    lacking = jump.refusal(jump.jump_id, "`creditbus clock approve JUMP --as OFFICER --reason …`")
    if lacking is not None:
        return lacking
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
    write = Writer(registry, RECORDS, SchemaSet.load().records["ClockJump"])
    officers = list(jump.officers[:OFFICERS])
    value = write({"jump_id": jump.jump_id, "since": jump.since_ms, "at": jump.until_ms, "approved_by": officers})
    producer = transactional_producer(brokers, "creditbus-clock-jump")
    with translated("letting the clock leap"):
        producer.begin_transaction()
        produce_everywhere(producer, RECORDS, value, _ANSWER_SECONDS)
        producer.commit_transaction(_ANSWER_SECONDS)
