"""An officer approves the release of a held source (熔断放行): who approves is proven by the key, not claimed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from creditbus.bus.keyring import Holder
from creditbus.bus.wire import Writer
from creditbus.core.hashing import digest
from creditbus.core.problems import Problem
from creditbus.core.processing import Output
from creditbus.gateway import problems
from creditbus.gateway.preparation import APPROVALS, Ports

_OFFICER = "officer"


class ApprovalBody(BaseModel):
    """What an officer says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_id: Annotated[str, Field(pattern="^[0-9a-f]{32,64}$")]
    """The hold that is to end, as `creditbus breaker show` tells it."""
    reason: Annotated[str, Field(min_length=5, max_length=500)]
    """Why it is right to let the effects go on."""


async def approve(
    ports: Ports, source: str, holder: Holder, body: ApprovalBody, at_ms: int
) -> dict[str, str] | Problem:
    """Put an approval on the log; the answer says when the brokers have it. The breaker decides what it does."""
    if _OFFICER not in holder.roles:
        return problems.not_an_officer(holder.department)
    if source == holder.department:
        return problems.own_release(source)
    if ports.not_ready or ports.approvals is None:
        return problems.STARTING
    message = _message(ports.approvals, source, holder.department, body, at_ms)
    with ports.publisher.admitted(1, len(message.value or b"")) as has_room:
        if not has_room:
            return problems.BUSY
        [received] = await ports.publisher.publish([message])
    return {"status": "RECEIVED", "officer": holder.department} if received else problems.ALL_UNKNOWN


def _message(write: Writer, source: str, officer: str, body: ApprovalBody, at_ms: int) -> Output:
    value = {
        "approval_id": digest("approval", source, body.hold_id, officer),
        "source": source,
        "hold_id": body.hold_id,
        "officer": officer,
        "reason": body.reason,
        "at": at_ms,
    }
    return Output(APPROVALS, source.encode(), write(value))
