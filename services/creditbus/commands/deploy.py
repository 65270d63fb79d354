"""``creditbus deploy``: topics, schemas, secrets and the edition in force; repeating it changes nothing."""

from __future__ import annotations

import typer
from rich.markup import escape

from creditbus.commands.printing import terminal
from creditbus.lab.deployment import deploy_steps, unlike_the_file
from creditbus.lab.places import bus_places


def register(app: typer.Typer) -> None:
    """Add the command to app."""

    @app.command()
    def deploy() -> None:
        """Prepare Kafka and the registry for the services (CREDITBUS_BROKERS, CREDITBUS_REGISTRY_URL). 部署。

        At a region's node (CREDITBUS_HUB_BROKERS) only Kafka: all the rest is the hub's.
        """
        places, console = bus_places(), terminal()
        unlike = list(unlike_the_file(places))  # of topics that were there before: not every broker knows a new one yet
        for step in (one for one in deploy_steps() if one.is_for(places)):
            step.run(places)
            console.print(f"[green]✓[/] {step.en} · {step.zh}")
        for line in unlike:
            console.print(f"[yellow]![/] {escape(line)}", highlight=False, soft_wrap=True)
