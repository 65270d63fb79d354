"""``creditbus verify``: was anything lost, did anything happen twice?"""

from __future__ import annotations

from contextlib import closing

import httpx
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from creditbus.bus.registry import Registry
from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.commands.connecting import running
from creditbus.commands.printing import AsJson, WholeTable, print_json, terminal
from creditbus.lab.deliveries import check_deliveries
from creditbus.lab.secrets import read_lab_keys
from creditbus.lab.verify import Check, Verifier
from creditbus.notifier.subscriptions import read_subscriptions


def register(app: typer.Typer) -> None:
    """Add the command to app."""

    @app.command()
    def verify(
        as_json: AsJson = False,
        topics_only: bool = typer.Option(False, "--topics-only", help="Leave warehouse and look-up out"),
    ) -> None:
        """Recompute everything from the topics and compare: nothing lost, nothing twice. 全量核对。"""
        checks = _run(topics_only)
        if as_json:
            print_json([{"check": c.name, "compared": c.checked, "wrong": c.wrong} for c in checks])
        else:
            _show(checks)
        raise typer.Exit(1 if any(check.wrong for check in checks) else 0)


def _run(topics_only: bool) -> list[Check]:
    places = running()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"))
    bar = Progress(*columns, transient=True, console=terminal(stderr=True))
    with bar:
        tasks: dict[str, object] = {}

        def progress(name: str, count: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            bar.update(tasks[name], completed=count)  # type: ignore[arg-type]

        verifier = Verifier(places.brokers, places.registry_url, progress, is_region=places.is_region)
        with closing(Registry(places.registry_url)) as registry:
            webhooks = {} if places.is_region else read_subscriptions(places.secrets)
            deliveries = list(check_deliveries(places.brokers, registry, webhooks, progress))
        if topics_only:
            return [*verifier.run(None, None), *deliveries]
        clickhouse = ClickHouse(places.clickhouse_url)

        def count_rows(table: str, expression: str) -> int:
            # both come from the verifier's own list, never from outside
            return int(clickhouse.query(f"SELECT {expression} AS n FROM {DATABASE}.{table} FINAL")[0]["n"])  # noqa: S608

        headers = {
            "Authorization": f"Bearer {read_lab_keys(places.secrets)['console']}",
            "X-Purpose": "verification",
            "X-Basis": "creditbus verify",
        }
        with httpx.Client(base_url=places.lookup_url, headers=headers, timeout=30) as lookup:
            return [*verifier.run(count_rows, lookup), *deliveries]


def _show(checks: list[Check]) -> None:
    console = terminal()
    table = WholeTable(title="Nothing lost, nothing twice? 是否有遗漏或重复？")
    for column in ("check", "compared", "wrong"):
        table.add_column(column, justify="left" if column == "check" else "right")
    for check in checks:
        colour = "red" if check.wrong else "green"
        table.add_row(check.name, f"{check.checked:,}", f"[{colour}]{len(check.wrong)}[/]")
    console.print(table)
    for check in checks:
        for example in check.wrong:
            console.print(f"  [red]✗[/] {example}", highlight=False)
