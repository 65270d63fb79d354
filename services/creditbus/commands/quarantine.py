"""``creditbus quarantine``: records that cannot be applied, and what is to become of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

import typer
from rich.markup import escape

from creditbus.commands.connecting import fail, running
from creditbus.commands.printing import AsJson, WholeTable, id_column, picked, print_json, terminal
from creditbus.core.quarantine import DROP, REDRIVE, QuarantineOrder
from creditbus.lab.quarantine import Preview, Quarantine, Waiting, new_order

console = terminal()

Subject = Annotated[str, typer.Argument(help="Key of the subject 主体键")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays on the log 理由（记入日志）")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask 不再询问")]


def register(app: typer.Typer) -> None:
    """Add `quarantine list`, `show`, `redrive` and `drop` to app."""
    group = typer.Typer(
        help="Records that cannot be applied: list, show, redrive, drop. 隔离区。", no_args_is_help=True
    )
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("redrive")(redrive)
    group.command("drop")(drop)
    app.add_typer(group, name="quarantine")


def list_all(as_json: AsJson = False) -> None:
    """Every subject with records that wait, and why. 列出隔离中的主体。"""
    with _quarantine() as quarantine:
        queues = quarantine.waiting()
    if as_json:
        print_json([{**_place(one), "waiting": len(one.records), "cause": _parked(one.cause)} for one in queues])
        return
    if not queues:
        console.print("[green]✓[/] nothing waits 无隔离记录")
        return
    columns = ("waiting 等待", "kind 种类", "sender 报送单位", "reason 原因")
    table = WholeTable(id_column("subject 主体"), *columns, title="Quarantine 隔离区")
    for one in queues:
        cause = one.cause
        shown = (one.subject_key, str(len(one.records)), cause["kind"], cause["sender"], cause["reason"])
        table.add_row(*map(escape, shown))
    console.print(table)
    console.print("`creditbus quarantine show SUBJECT` tells more; redrive or drop decide. 查看后可重放或丢弃。")


def show(subject: Subject, as_json: AsJson = False) -> None:
    """The queue of one subject, in order. 查看一个主体的排队记录。"""
    with _quarantine() as quarantine:
        waiting = _waiting(quarantine, subject)
    if as_json:
        print_json({**_place(waiting), "records": [_parked(row) for row in waiting.records]})
        return
    columns = ("kind 种类", "event 事件", "sender 报送单位", "reason 原因")
    table = WholeTable(id_column("record 记录"), *columns, title=f"{escape(subject)} · {len(waiting.records)}")
    for row in waiting.records:
        shown = (row["record_id"], row["kind"], row["event_id"], row["sender"], row["reason"])
        table.add_row(*map(escape, shown))
    console.print(table)


def redrive(subject: Subject, reason: Reason, yes: Yes = False) -> None:
    """Apply the waiting records in order, up to the first that still cannot be applied. 重放。"""
    _order(subject, REDRIVE, None, reason, yes)


def drop(
    subject: Subject,
    record: Annotated[str, typer.Argument(help="Id of the record to drop 记录标识")],
    reason: Reason,
    yes: Yes = False,
) -> None:
    """Drop one record for good and let those behind it go on. 丢弃一条记录。"""
    _order(subject, DROP, record, reason, yes)


def _order(subject: str, action: str, record: str | None, reason: str, yes: bool) -> None:
    with _quarantine() as quarantine:
        waiting = _waiting(quarantine, subject)
        if record is not None and record not in {row["record_id"] for row in waiting.records}:
            fail(f"no record {record} waits for {subject}: `creditbus quarantine show {subject}` 没有该记录")
        order = new_order(action, subject, record, reason)
        _tell(order, quarantine.preview(waiting, order))
        if not yes:
            typer.confirm("Give the order? 确认执行？", abort=True)
        quarantine.give(waiting, order, int(time.time() * 1000))
    console.print(f"[green]✓[/] order {order.order_id} is on the log; the dossier obeys it now. 指令已写入日志。")


def _tell(order: QuarantineOrder, preview: Preview) -> None:
    """The effect beforehand: outcomes, what would be emitted, the score."""
    decided = preview.decided
    outcomes: Counter[str] = Counter(change.outcome for change in decided.changes)
    emitted: Counter[str] = Counter(type(emission).__name__ for emission in decided.emissions)
    table = WholeTable(title=f"{order.action}: what it would do 预计效果", show_header=False)
    table.add_row("outcomes 结果", _counts(outcomes))
    table.add_row("emitted 发出", _counts(emitted))
    table.add_row("score 信用分", f"{_number(preview.score_before)} → {_number(preview.score_after)}")
    table.add_row("still waiting 仍在等待", str(preview.still_waiting))
    for note in decided.notes:
        table.add_row("cannot be applied 仍不可用", escape(f"{note.record_id}: {note.reason}"))
    console.print(table)


def _place(waiting: Waiting) -> dict[str, object]:
    return {"subject_key": waiting.subject_key, "partition": waiting.partition}


def _parked(row: Mapping[str, Any]) -> dict[str, object]:
    return picked(row, "sequence", "record_id", "kind", "event_id", "sender", "reason")


def _counts(counts: Counter[Any]) -> str:
    return ", ".join(f"{amount} {name}" for name, amount in sorted(counts.items())) or "–"


def _number(score: int | None) -> str:
    return "–" if score is None else str(score)


def _waiting(quarantine: Quarantine, subject: str) -> Waiting:
    found = next((one for one in quarantine.waiting() if one.subject_key == subject), None)
    if found is None:
        fail(f"nothing waits for {subject}: `creditbus quarantine list` 该主体没有隔离记录")
    return found


def _quarantine() -> closing[Quarantine]:
    places = running()
    return closing(Quarantine(places.brokers, places.registry_url))
