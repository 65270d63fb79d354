"""``creditbus clock``: where business time stands, and a jump over a long standstill that two officers approve."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.markup import escape

from creditbus.commands.connecting import Key, Officer, Why, connected, console, fail, send_approval, tell_approved
from creditbus.commands.printing import AsJson, WholeTable, iso_time, minute, picked, print_json
from creditbus.core.hashing import jump_id
from creditbus.lab.clock_jumps import ClockJump, jumps, leap, standing

_MINUTE_MS = 60_000
_PATH = "/v1/clock-jumps/approvals"

Jump = Annotated[str, typer.Argument(help="Id of the jump, or its first characters 跳跃标识或其前几位")]


def register(app: typer.Typer) -> None:
    """Add `clock show`, `propose`, `approve` and `jump` to app."""
    group = typer.Typer(help="Business time, and jumps over a standstill. 业务时间与时钟跳跃。", no_args_is_help=True)
    group.command("show")(show)
    group.command("propose")(propose)
    group.command("approve")(approve)
    group.command("jump")(jump)
    app.add_typer(group, name="clock")


def show(as_json: AsJson = False) -> None:
    """Where business time stands, and the jumps that somebody approved. 查看业务时间与跳跃的批准情况。"""
    with connected() as (places, registry):
        last, found = standing(places.brokers, registry), jumps(places.brokers, registry)
    if as_json:
        ticks = {str(partition): iso_time(at_ms) for partition, at_ms in sorted(last.items())}
        print_json({"last_tick_by_partition": ticks, "jumps": [_document(one) for one in found.values()]})
        return
    for partition, at_ms in sorted(last.items()):
        console.print(f"partition 分区 {partition}: {minute(at_ms)}", highlight=False)
    if not found:
        return
    table = WholeTable(title="Jumps 时钟跳跃")
    for column in ("jump 标识", "from 起", "to 止", "approved by 批准", "reasons 理由"):
        table.add_column(column)
    for one in found.values():
        reasons = "\n".join(f"{approval['officer']}: {approval['reason']}" for approval in one.approvals)
        times = (minute(one.since_ms), minute(one.until_ms))
        table.add_row(one.jump_id[:16], *times, ", ".join(one.officers), escape(reasons))
    console.print(table)


def propose(officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve, as the first, that the clock leaps from where it stands to now. 提议跳至当前时间。"""
    with connected() as (places, registry):
        last = standing(places.brokers, registry)
        if not last:
            fail("the log has no tick yet: `creditbus up` 日志中尚无时钟节拍")
        now_ms = int(time.time() * 1000)
        one = ClockJump("", max(last.values()), now_ms - now_ms % _MINUTE_MS)
        if one.until_ms <= one.since_ms:
            fail("business time is up to date: there is nothing to leap over 业务时间无需跳跃")
        send_approval(places, _PATH, _body(one, reason), (officer, key))
    told = jump_id(one.since_ms, one.until_ms)
    console.print(
        f"[green]✓[/] proposed 已提议 {told}: {minute(one.since_ms)} → {minute(one.until_ms)}", highlight=False
    )
    console.print(f"Then another: `creditbus clock approve {told[:16]} --as OFFICER --reason …`", highlight=False)


def approve(jump: Jump, officer: Officer, reason: Why, key: Key = "") -> None:
    """Approve a jump that somebody proposed. 批准时钟跳跃。"""
    with connected() as (places, registry):
        one = _found(jumps(places.brokers, registry), jump)
        send_approval(places, _PATH, _body(one, reason), (officer, key))
    tell_approved(one.lacks(officer), f"creditbus clock jump {jump}")


def jump(jump: Jump) -> None:
    """Let the clock leap as two officers approved; what fell due meanwhile fires as of its own day. 执行时钟跳跃。"""
    with connected() as (places, registry):
        one = _found(jumps(places.brokers, registry), jump)
        leap(places.brokers, registry, one)
    console.print(f"[green]✓[/] business time is {minute(one.until_ms)} 业务时间已跳跃", highlight=False)


def _document(one: ClockJump) -> dict[str, object]:
    return {
        "jump": one.jump_id,
        "since": iso_time(one.since_ms),
        "until": iso_time(one.until_ms),
        "approvals": [picked(row, "officer", "reason") for row in one.approvals],
    }


def _body(one: ClockJump, reason: str) -> dict[str, str]:
    times = {name: iso_time(at_ms) for name, at_ms in (("since", one.since_ms), ("until", one.until_ms))}
    return {**times, "reason": reason}


def _found(known: dict[str, ClockJump], name: str) -> ClockJump:
    matching = [one for known_id, one in known.items() if known_id.startswith(name)]
    if len(matching) != 1:
        what = "no jump begins so" if not matching else f"{len(matching)} jumps begin so"
        fail(f"{name}: {what}; `creditbus clock show` tells them 请核对跳跃标识")
    return matching[0]
