"""``creditbus scenario``: play a story against the running lab."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table

from creditbus.lab.errors import LabError
from creditbus.lab.scenarios import hohhot
from creditbus.lab.scenarios.stage import Seen, Stage
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import LabAddresses, addresses
from creditbus.lab.texts import user_language

SCENARIOS = {"hohhot": hohhot.play}


def register(app: typer.Typer) -> None:
    """Add the command to app."""

    @app.command()
    def scenario(name: str = typer.Argument("hohhot", help=f"One of: {', '.join(SCENARIOS)}")) -> None:
        """Play a story: a firm is listed, a subscriber acts, the firm repairs, all is lifted. 演示场景。"""
        console = Console()
        play = SCENARIOS.get(name)
        if play is None:
            console.print(f"There is no scenario {name}; choose from {', '.join(SCENARIOS)}. 没有该场景。")
            raise typer.Exit(2)
        seen: list[Seen] = []
        places = addresses(load_settings())
        try:
            with console.status("…") as status:

                def tell(one: Seen) -> None:
                    seen.append(one)
                    console.print(f"[green]✓[/] {one.title} [dim]({one.seconds:.1f} s)[/]", highlight=False)
                    status.update("…")

                story = play(Stage(places, tell), datetime.now(UTC))
        except LabError as error:
            console.print(f"[red]✗[/] {error.text.in_language(user_language())}", highlight=False)
            raise typer.Exit(1) from error
        _show(console, seen, places, story.firm)


def _show(console: Console, seen: list[Seen], places: LabAddresses, firm: str) -> None:
    table = Table(title="What was seen · 所见（全部事实均为虚构 all facts are fictitious）", show_lines=True)
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
    console.print("Next: `creditbus status`, `creditbus simulate --events 20000`, `creditbus verify`, `creditbus down`")
