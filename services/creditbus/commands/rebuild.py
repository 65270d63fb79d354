"""``creditbus rebuild``: the dossiers' state is lost or wrong, and the log has it all."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from creditbus.commands.connecting import connected, console
from creditbus.commands.printing import WholeTable, id_column
from creditbus.commands.replay import FromCheckpoint, Into, Processes, must_be_empty, replayed, show, starts_of
from creditbus.core.context import Emission
from creditbus.core.records import Alert, ListingChange, MeasureOrder
from creditbus.core.topics import RECORDS
from creditbus.dossier.app import GROUP
from creditbus.lab.errors import LabError
from creditbus.lab.rebuilding import Plan, Rebuilding, worked_up_to
from creditbus.lab.replay import Place
from creditbus.lab.seat import only_member
from creditbus.lab.snapshot import read_snapshots

_SHOWN = 30
"""Messages that are shown one by one."""
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask 不再询问")]


def register(app: typer.Typer) -> None:
    """Add the command to app."""
    app.command()(rebuild)


def rebuild(into: Into, processes: Processes = 1, from_checkpoint: FromCheckpoint = False, yes: Yes = False) -> None:
    """Put the state that the log leads to in the place of the dossiers' own. 按日志重建档案状态。"""
    must_be_empty(console, into)
    with connected() as (places, registry):
        if places.is_region:
            raise LabError(
                en="This is a region's node: dossiers are made at its hub, rebuild them there",
                zh="此处为盟市节点：档案在中心生成，请在中心重建",
            )
        place = Place.of(places, into)
        with only_member(places.brokers, GROUP, RECORDS) as seat:
            with console.status("reading the state 读取状态 …") as status:
                lived = read_snapshots(places.brokers)
                live = worked_up_to(places.brokers, seat, lived)
                starts = starts_of(places, registry) if from_checkpoint else {}
                found = replayed(status, place, live, processes, starts)
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
    table = WholeTable(title="What it would do 预计效果", show_header=False)
    table.add_row("state keys to write 待写状态键", f"{sum(len(plan.changes) for plan in plans):,}")
    table.add_row("subjects that differ 涉及主体", f"{sum(plan.subjects for plan in plans):,}")
    told = [one for plan in plans for one in plan.told]
    counts = Counter(_said(one)[0] for one in told)
    table.add_row("told to subscribers 对外更正", ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "–")
    console.print(table)
    if told:
        shown = WholeTable(id_column("subject 主体"), "what 内容", "about 事项")
        for one in told[:_SHOWN]:
            shown.add_row(one.subject_key, *_said(one))
        console.print(shown)
    if len(told) > _SHOWN:
        console.print(f"… and {len(told) - _SHOWN:,} more 其余从略")


def _said(one: Emission) -> tuple[str, str]:
    """What is told, and what it is about."""
    match one:
        case MeasureOrder():
            return one.action, one.measure
        case ListingChange():
            return one.state, one.list
        case Alert():
            return one.kind, ", ".join(one.lists)
