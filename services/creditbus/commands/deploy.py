"""``creditbus deploy``: topics, schemas, secrets and the edition in force; repeating it changes nothing."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.markup import escape

from creditbus.bus.settings import ServiceSettings
from creditbus.commands.printing import terminal
from creditbus.lab.deployment import deploy_steps, unlike_the_file
from creditbus.lab.stack import LabAddresses


def register(app: typer.Typer) -> None:
    """Add the command to app."""

    @app.command()
    def deploy() -> None:
        """Prepare Kafka and the registry for the services (CREDITBUS_BROKERS, CREDITBUS_REGISTRY_URL). 部署。"""
        settings = ServiceSettings()
        console = terminal()
        places = LabAddresses(
            brokers=settings.brokers,
            registry_url=settings.registry_url,
            clickhouse_url="",
            gateway_url="",
            lookup_url="",
            console_url="",
            notifier_url="",
            folder=Path(),
            secrets=settings.secrets,
            vault=settings.vault,
        )
        unlike = list(unlike_the_file(places))  # of topics that were there before: not every broker knows a new one yet
        for step in deploy_steps():
            step.run(places)
            console.print(f"[green]✓[/] {step.en} · {step.zh}")
        for line in unlike:
            console.print(f"[yellow]![/] {escape(line)}", highlight=False, soft_wrap=True)
