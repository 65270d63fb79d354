"""Officers approve what takes effect by two of them: who approves is proven by the key, not claimed.

The release of a held source (熔断放行), an initial load (初始导入), the activation of an edition of the catalogue
(目录版本启用), and a jump of the clock over a standstill (时钟跳跃).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from creditbus.bus.keyring import Holder
from creditbus.core.hashing import digest, jump_id
from creditbus.core.loading import COMPLETE, department_of
from creditbus.core.problems import Problem
from creditbus.core.processing import Output
from creditbus.core.topics import APPROVALS, BREAKER
from creditbus.gateway import problems
from creditbus.gateway.preparation import Ports

_OFFICER = "officer"
_RELEASES = (BREAKER, "ReleaseApproval")
_EDITIONS = (APPROVALS, "EditionApproval")
_JUMPS = (APPROVALS, "ClockJumpApproval")

Reason = Annotated[str, Field(min_length=5, max_length=500)]
"""Why it is right; it stays on the log."""


class ReleaseBody(BaseModel):
    """What an officer says about a held source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_id: Annotated[str, Field(pattern="^[0-9a-f]{32,64}$")]
    """The hold that is to end, as `creditbus breaker show` tells it."""
    reason: Reason
    action: Literal["RELEASE", "ROLL_BACK"] = "RELEASE"
    """Let the listings that wait take effect, or see that they never do."""


class LoadBody(BaseModel):
    """What an officer says about the initial load of a department."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    action: Literal["OPEN", "RELEASE", "ROLL_BACK"]
    """Let it begin; or, when its report has been read, let what it brings take effect, or see that it never does."""


class CompletionBody(BaseModel):
    """What a department says when it has sent everything of an initial load."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason = "everything is sent 已全部报送"


class EditionBody(BaseModel):
    """What an officer says about an edition of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason


class JumpBody(BaseModel):
    """What an officer says about a jump of the clock over a standstill."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime
    """Business time at which everything stands, as `creditbus clock show` tells it."""
    until: AwareDatetime
    """Business time to which it leads."""
    reason: Reason

    @model_validator(mode="after")
    def _forward(self) -> JumpBody:
        if self.until <= self.since:
            raise ValueError("until has to lie after since: time only goes on; correct one of them")
        return self


Answer = dict[str, str] | Problem


async def approve_release(ports: Ports, source: str, holder: Holder, body: ReleaseBody, at_ms: int) -> Answer:
    """Put an approval on the log; the answer says when the brokers have it. The breaker decides what it does."""
    if source == holder.department and _OFFICER in holder.roles:
        return problems.own_release(source)
    value = {
        "approval_id": digest("approval", source, body.hold_id, holder.department, body.action),
        "source": source,
        "hold_id": body.hold_id,
        "action": body.action,
    }
    return await _approve(ports, _RELEASES, source, holder, {**value, "reason": body.reason, "at": at_ms})


async def approve_load(ports: Ports, source: str, holder: Holder, body: LoadBody, at_ms: int) -> Answer:
    """Put an approval on the log; what it does is decided where breakers are."""
    if department_of(source) == holder.department and _OFFICER in holder.roles:
        return problems.own_load(source)
    return await _approve(ports, _RELEASES, source, holder, _of_load(source, holder, body.action, body.reason, at_ms))


async def complete_load(ports: Ports, source: str, holder: Holder, body: CompletionBody, at_ms: int) -> Answer:
    """The department has sent everything: put that on the log."""
    value = _of_load(source, holder, COMPLETE, body.reason, at_ms)
    return await _say(ports, _RELEASES, source, holder, value)


def _of_load(source: str, holder: Holder, action: str, reason: str, at_ms: int) -> dict[str, object]:
    about = {"source": source, "hold_id": "", "action": action, "reason": reason, "at": at_ms}
    return {"approval_id": digest("approval", source, holder.department, action), **about}


async def approve_edition(ports: Ports, edition: str, holder: Holder, body: EditionBody, at_ms: int) -> Answer:
    """Put an approval on the log; `creditbus rules activate` asks for two of different departments."""
    value = {"approval_id": digest("approval", edition, holder.department), "edition": edition}
    return await _approve(ports, _EDITIONS, edition, holder, {**value, "reason": body.reason, "at": at_ms})


async def approve_jump(ports: Ports, holder: Holder, body: JumpBody, at_ms: int) -> Answer:
    """Put an approval on the log; `creditbus clock jump` asks for two of different departments."""
    since_ms, until_ms = (int(one.timestamp() * 1000) for one in (body.since, body.until))
    jump = jump_id(since_ms, until_ms)
    value = {"approval_id": digest("approval", jump, holder.department), "jump_id": jump}
    told = {**value, "since": since_ms, "until": until_ms, "reason": body.reason, "at": at_ms}
    return await _approve(ports, _JUMPS, jump, holder, told)


async def _approve(ports: Ports, what: tuple[str, str], key: str, holder: Holder, value: dict[str, object]) -> Answer:
    if _OFFICER not in holder.roles:
        return problems.not_an_officer(holder.department)
    return await _say(ports, what, key, holder, value)


async def _say(ports: Ports, what: tuple[str, str], key: str, holder: Holder, value: dict[str, object]) -> Answer:
    """what: topic and type of what is put on the log."""
    topic, name = what
    write = ports.approvals.get(name)
    if ports.not_ready or write is None:
        return problems.STARTING
    message = Output(topic, key.encode(), write({**value, "officer": holder.department}))
    with ports.publisher.admitted(1, len(message.value or b"")) as has_room:
        if not has_room:
            return problems.BUSY
        [received] = await ports.publisher.publish([message])
    return {"status": "RECEIVED", "officer": holder.department} if received else problems.ALL_UNKNOWN
