"""``creditbus replay``: the same log gives the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from creditbus.bus.registry import Registry
from creditbus.bus.settings import read_key
from creditbus.bus.wire import Types
from creditbus.commands.connecting import connected
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.core.checkpoints import Checkpoint
from creditbus.lab.checkpoints import latest, public_key_of, read_checkpoints
from creditbus.lab.replay import Compared, Place, replay_all
from creditbus.lab.secrets import RECEIPT_KEY
from creditbus.lab.snapshot import Snapshot, read_snapshots
from creditbus.lab.stack import LabAddresses

Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="Empty folder for the sandbox. 沙箱文件夹。")]
FromCheckpoint = Annotated[bool, typer.Option("--from-checkpoint", help="Begin at the last checkpoint. 从检查点起。")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="Partitions at a time. 并行数。")]


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(replay)


def replay(
    into: Into, processes: Processes = 1, from_checkpoint: FromCheckpoint = False, as_json: AsJson = False
) -> None:
    """Rebuild every dossier from the log and compare it with the live state, bit for bit. 重放日志并比对。"""
    console = terminal(stderr=as_json)
    must_be_empty(console, into)
    with connected() as (places, registry), console.status("reading the live state 读取现有状态 …") as status:
        starts = starts_of(places, registry) if from_checkpoint else {}
        found = replayed(status, Place.of(places, into), read_snapshots(places.brokers), processes, starts)
    if as_json:
        print_json([{**asdict(one), "is_same": one.is_same} for one in found])
    else:
        show(console, found)
        if not all(one.is_same for one in found):
            console.print("`creditbus rebuild --into DIR` puts what the log leads to in its place 可按日志重建")
    raise typer.Exit(0 if all(one.is_same for one in found) else 1)


def starts_of(places: LabAddresses, registry: Registry) -> Mapping[int, Checkpoint]:
    """The last trusted checkpoint of each partition that has one."""
    trusted = public_key_of(read_key(places.secrets, RECEIPT_KEY))
    return latest(read_checkpoints(places.brokers, Types(registry), trusted), places.brokers)


def replayed(
    status: Status, place: Place, live: Mapping[int, Snapshot], processes: int, starts: Mapping[int, Checkpoint]
) -> list[Compared]:
    """What a replay comes to; the user sees which partition is done."""
    return replay_all(
        place, live, processes, lambda one: status.update(f"partition {one.partition} done 完成 …"), starts
    )


def must_be_empty(console: Console, folder: Path) -> None:
    """Ends the command where the folder of a sandbox has something in it."""
    if folder.exists() and any(folder.iterdir()):
        console.print(f"[red]✗[/] {folder} is not empty: name a new folder, or empty it. 文件夹不为空。")
        raise typer.Exit(2)


def show(console: Console, found: list[Compared]) -> None:
    """What a replay came to, by partition."""
    table = WholeTable(title="Replay and live state 重放与现有状态")
    for column in ("partition 分区", "from 起始", "messages 消息", "state keys 状态键", "digest 摘要", "same 一致"):
        table.add_column(column)
    for one in found:
        verdict = "[green]✓[/]" if one.is_same else f"[red]✗ {one.differing:,} keys differ 处不同[/]"
        counts = (f"{one.began_at:,}", f"{one.messages:,}", f"{one.keys:,}")
        table.add_row(str(one.partition), *counts, one.replay_digest[:16], verdict)
    console.print(table)
