"""``creditbus``: the list of what the program can do."""

from __future__ import annotations

import typer

from creditbus.commands import (
    assess,
    breaker,
    catalogue,
    deadletters,
    deploy,
    explain,
    export,
    lab,
    plan,
    produce,
    quarantine,
    replay,
    rules,
    scenario,
    schemas,
    simulate,
    verify,
)
from creditbus.lab.deployment import deploy_steps

app = typer.Typer(
    help="Credit record bus: event streaming for public credit records. 公共信用记录总线。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
lab.register(app, deploy_steps)
deploy.register(app)
assess.register(app)
breaker.register(app)
deadletters.register(app)
plan.register(app)
produce.register(app)
quarantine.register(app)
replay.register(app)
rules.register(app)
scenario.register(app)
schemas.register(app)
catalogue.register(app)
explain.register(app)
export.register(app)
simulate.register(app)
verify.register(app)


def main() -> None:
    """Entry point of the console script."""
    app()
