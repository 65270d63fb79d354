"""``creditbus rebuild``: the dossiers' state is lost or wrong, and the log has it all."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from creditbus.commands.connecting import connected, console
from creditbus.commands.printing import WholeTable
from creditbus.commands.replay import Into, Processes, must_be_empty, replayed, show
from creditbus.core.topics import RECORDS
from creditbus.dossier.app import GROUP
from creditbus.lab.rebuilding import Plan, Rebuilding, worked_up_to
from creditbus.lab.replay import Place
from creditbus.lab.seat import only_member
from creditbus.lab.snapshot import read_snapshots

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask 不再询问")]


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(rebuild)


def rebuild(into: Into, processes: Processes = 1, yes: Yes = False) -> None:
    """Put the state that the log leads to in the place of the dossiers' own. 按日志重建档案状态。"""
    must_be_empty(console, into)
    with connected() as (places, registry):
        place = Place.of(places, into)
        with only_member(places.brokers, GROUP, RECORDS) as seat:
            with console.status("reading the state 读取状态 …") as status:
                lived = read_snapshots(places.brokers)
                live = worked_up_to(places.brokers, seat, lived)
                found = replayed(status, place, live, processes, {})
                rebuilding = Rebuilding(place, registry)
                plans = rebuilding.plans(found, lived, live)
            show(console, found)
            if not plans:
                console.print("[green]✓[/] the state is what the log leads to: nothing to do 状态与日志一致，无需重建")
                return
            _tell(plans)
            if not yes:
                typer.confirm("Write it? 确认写入？", abort=True)
            rebuilding.write(plans, seat)
    console.print("[green]✓[/] rebuilt; the dossier goes on from there when it starts. 已重建，启动档案服务即可。")


def _tell(plans: list[Plan]) -> None:
    """What it would do."""
    told = sum((plan.told for plan in plans), Counter[str]())
    table = WholeTable(title="What it would do 预计效果", show_header=False)
    table.add_row("state keys to write 待写状态键", f"{sum(len(plan.changes) for plan in plans):,}")
    table.add_row("subjects that differ 涉及主体", f"{sum(plan.subjects for plan in plans):,}")
    table.add_row("told to subscribers 对外更正", ", ".join(f"{n} {name}" for name, n in sorted(told.items())) or "–")
    console.print(table)
