"""``creditbus scenario``: play a story against the running lab."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from creditbus.catalogue.loader import load
from creditbus.commands.connecting import running
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.lab.scenarios import hohhot, lifetime
from creditbus.lab.scenarios.stage import Seen, Stage
from creditbus.lab.stack import LabAddresses

SCENARIOS = ("hohhot", "lifetime")


def register(app: typer.Typer) -> None:
    """Add the command to app."""

    @app.command()
    def scenario(
        name: str = typer.Argument("hohhot", help=f"One of: {', '.join(SCENARIOS)}"), as_json: AsJson = False
    ) -> None:
        """Play a story. 演示场景。

        hohhot: on the running lab, a firm is listed, a subscriber acts, the firm repairs, all is lifted.
        lifetime: without a lab, five years of a firm and a person, each change with the article behind it.
        """
        console = terminal(stderr=as_json)
        if name not in SCENARIOS:
            console.print(f"There is no scenario {name}; choose from {', '.join(SCENARIOS)}. 没有该场景。")
            raise typer.Exit(2)
        if name == "lifetime":
            _play_lifetime(console, as_json=as_json)
        else:
            _play_hohhot(console, as_json=as_json)


def _play_hohhot(console: Console, *, as_json: bool) -> None:
    seen: list[Seen] = []
    places = running()
    with console.status("…") as status:

        def tell(one: Seen) -> None:
            seen.append(one)
            console.print(f"[green]✓[/] {one.title} [dim]({one.seconds:.1f} s)[/]", highlight=False)
            status.update("…")

        story = hohhot.play(Stage(places, tell), datetime.now(UTC))
    if as_json:
        print_json({"firm": story.firm, "subject_key": story.key, "steps": msgspec.to_builtins(seen)})
    else:
        _show(console, seen, places, story.firm)


def _play_lifetime(console: Console, *, as_json: bool) -> None:
    """Five years pass in seconds."""
    days = (lifetime.LAST_DAY - lifetime.FIRST_DAY).days
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("time passes 时间推移", total=days)
        story = [*lifetime.play(load(), lambda day: progress.update(task, completed=(day - lifetime.FIRST_DAY).days))]
    if as_json:
        print_json([msgspec.to_builtins(one) for one in story])
    else:
        console.print(_told_by_day(story))


def _told_by_day(story: Sequence[lifetime.Told]) -> WholeTable:
    """What happened on a day stands below what was reported on it."""
    table = WholeTable(title="五年 Five years（全部事实均为虚构 all facts are fictitious）", show_lines=True)
    table.add_column("day 日期", no_wrap=True)
    table.add_column("what changed 变化", ratio=3)
    table.add_column("why 依据", ratio=2)
    for told in story:
        what = f"[bold]▸ {escape(told.what)}[/]" if told.is_act else escape(told.what)
        table.add_row(told.day.isoformat(), what, escape(told.why))
    return table


def _show(console: Console, seen: list[Seen], places: LabAddresses, firm: str) -> None:
    table = WholeTable(title="What was seen · 所见（全部事实均为虚构 all facts are fictitious）", show_lines=True)
    table.add_column("step", ratio=2)
    table.add_column("seen", ratio=3)
    table.add_column("s", justify="right")
    for one in seen:
        table.add_row(one.title, one.seen, f"{one.seconds:.1f}")
    console.print(table)
    console.print("[bold]Open[/] · 打开")
    for what, url in (
        ("live flow, alerts, search · 实时看板", places.console_url),
        ("the firm's page · 企业信用档案", f"{places.console_url}/subjects/{firm}"),
        ("send events · 报送接口", f"{places.gateway_url}/docs"),
        ("look-ups · 查询接口", f"{places.lookup_url}/docs"),
    ):
        console.print(f"  {url}  [dim]{what}[/]", highlight=False)
    console.print("[bold]Next[/] · 下一步")
    for words in ("status", "simulate --events 20000", "verify", "down"):
        console.print(f"  {command_to_type(shutil.which('creditbus'), Path(sys.argv[0]), Path.cwd())} {words}")


def command_to_type(found: str | None, program: Path, here: Path) -> str:
    """How a reader starts this program again: by name where the shell finds it, else by its path from here."""
    if found is not None or not program.is_absolute():
        return "creditbus" if found is not None else str(program)
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)
