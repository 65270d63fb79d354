"""``creditbus checkpoint``: what the log leads to, checked by a replay and signed, so that later ones are short."""

from __future__ import annotations

from typing import Annotated

import typer

from creditbus.bus.settings import read_key
from creditbus.bus.wire import Types
from creditbus.commands.connecting import connected, console
from creditbus.commands.printing import AsJson, WholeTable, iso_time, minute, print_json
from creditbus.commands.replay import Into, Processes, must_be_empty, replayed, show
from creditbus.lab.checkpoints import Signed, Writing, latest, lineage_of, public_key_of, read_checkpoints, superseded
from creditbus.lab.replay import Place
from creditbus.lab.secrets import RECEIPT_KEY
from creditbus.lab.snapshot import read_snapshots

Keep = Annotated[int, typer.Option(min=1, help="Whole checkpoints to keep a partition. 保留个数。")]


def register(app: typer.Typer) -> None:
    """Add `checkpoint make` and `list` to app."""
    group = typer.Typer(help="Signed states that a replay may begin from. 检查点。", no_args_is_help=True)
    group.command("make")(make)
    group.command("list")(list_all)
    app.add_typer(group, name="checkpoint")


def make(into: Into, processes: Processes = 1, keep: Keep = 3) -> None:
    """Replay from the last checkpoint, and sign the state where it agrees with the live one. 形成检查点。"""
    must_be_empty(console, into)
    with connected() as (places, registry):
        key = read_key(places.secrets, RECEIPT_KEY)
        types, trusted = Types(registry), public_key_of(key)
        known = read_checkpoints(places.brokers, types, trusted)
        starts = latest(known, places.brokers)
        with console.status("replaying 重放 …") as status:
            live, lineage = read_snapshots(places.brokers), lineage_of(places.brokers)
            found = replayed(status, Place.of(places, into), live, processes, starts)
            writing, made = Writing(places.brokers, registry, key), []
            for number in (one.partition for one in found if one.is_same):
                after = starts[number].checkpoint_id if number in starts else ""
                made.append(writing.write(number, live[number], lineage, after))
            for old in superseded(known, made, keep):
                writing.drop_state(old)
    show(console, found)
    if not all(one.is_same for one in found):
        console.print("[red]✗[/] nothing is signed of what differs: `creditbus verify` 不一致的分区未形成检查点")
        raise typer.Exit(1)
    console.print(f"[green]✓[/] signed by 签名公钥 {trusted}", highlight=False)


def list_all(as_json: AsJson = False) -> None:
    """Every checkpoint of this log. 列出检查点。"""
    with connected() as (places, registry):
        trusted = public_key_of(read_key(places.secrets, RECEIPT_KEY))
        found = read_checkpoints(places.brokers, Types(registry), trusted)
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        console.print("no checkpoint so far: `creditbus checkpoint make --into DIR` 尚无检查点")
        return
    table = WholeTable(title="Checkpoints 检查点")
    for column in (
        "partition 分区",
        "position 位置",
        "business time 业务时间",
        "keys 状态键",
        "digest 摘要",
        "use 可用",
    ):
        table.add_column(column)
    for one in found:
        at = one.checkpoint
        row = (str(at.partition), f"{at.position:,}", minute(at.tick_ms), f"{at.keys:,}", at.digest[:16])
        table.add_row(*row, _use(one))
    console.print(table)


def _use(one: Signed) -> str:
    if not one.is_trusted:
        return "[red]✗ signature 签名不符[/]"
    return "[green]✓[/]" if one.has_state else "statement only 仅存摘要"


def _document(one: Signed) -> dict[str, object]:
    at = one.checkpoint
    return {
        "checkpoint_id": at.checkpoint_id,
        "partition": at.partition,
        "position": at.position,
        "tick_at": iso_time(at.tick_ms),
        "edition": at.edition,
        "keys": at.keys,
        "digest": at.digest,
        "after": at.after,
        "made_at": iso_time(at.made_at_ms),
        "public_key": one.public_key,
        "is_trusted": one.is_trusted,
        "has_state": one.has_state,
    }
