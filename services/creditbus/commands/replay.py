"""``creditbus replay``: the same log gives the same answer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from creditbus.commands.connecting import running
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.lab.replay import Compared, Place, replay_all


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(replay)


def replay(
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Empty folder for the sandbox. 沙箱文件夹。")],
    processes: Annotated[int, typer.Option(min=1, max=64, help="Partitions at a time. 并行数。")] = 1,
    as_json: AsJson = False,
) -> None:
    """Rebuild every dossier from the log and compare it with the live state, bit for bit. 重放日志并比对。"""
    console = terminal(stderr=as_json)
    if into.exists() and any(into.iterdir()):
        console.print(f"[red]✗[/] {into} is not empty: name a new folder, or empty it. 文件夹不为空。")
        raise typer.Exit(2)
    places = running()
    place = Place(brokers=places.brokers, registry_url=places.registry_url, folder=into)
    with console.status("reading the live state 读取现有状态 …") as status:
        found = replay_all(place, processes, lambda one: status.update(f"partition {one.partition} done 完成 …"))
    if as_json:
        print_json([{**asdict(one), "is_same": one.is_same} for one in found])
    else:
        _show(console, found)
    raise typer.Exit(0 if all(one.is_same for one in found) else 1)


def _show(console: Console, found: list[Compared]) -> None:
    table = WholeTable(title="Replay and live state 重放与现有状态")
    for column in ("partition 分区", "messages 消息", "state keys 状态键", "digest 摘要", "same 一致"):
        table.add_column(column)
    for one in found:
        verdict = "[green]✓[/]" if one.is_same else f"[red]✗ {one.differing:,} keys differ 处不同[/]"
        table.add_row(str(one.partition), f"{one.messages:,}", f"{one.keys:,}", one.replay_digest[:16], verdict)
    console.print(table)
