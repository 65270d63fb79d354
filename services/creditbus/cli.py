"""``creditbus``: the list of what the program can do.

Only the module of the command that was typed is loaded: all of them together take several times as long to load as most
commands take to run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import typer

from creditbus.commands.trouble import Commands

if TYPE_CHECKING:
    from creditbus.lab.stack import DeployStep

MODULES: Mapping[str, tuple[str, ...]] = {
    "lab": ("up", "down", "status", "logs", "reset", "doctor"),
    "deploy": ("deploy",),
    "assess": ("assess",),
    "breaker": ("breaker",),
    "checkpoint": ("checkpoint",),
    "clock": ("clock",),
    "deadletters": ("deadletters",),
    "keys": ("keys",),
    "forget": ("forget",),
    "load": ("load",),
    "mirror": ("mirror",),
    "plan": ("plan",),
    "produce": ("import",),
    "quarantine": ("quarantine",),
    "receipt": ("receipt",),
    "reconcile": ("reconcile",),
    "replay": ("replay",),
    "rebuild": ("rebuild",),
    "rules": ("rules",),
    "scenario": ("scenario",),
    "schemas": ("schemas",),
    "settings": ("settings",),
    "catalogue": ("catalogue",),
    "explain": ("explain",),
    "certificate": ("certificate",),
    "export": ("export",),
    "simulate": ("simulate",),
    "verify": ("verify",),
    "webhooks": ("webhooks",),
}
"""Commands of each module of ``commands``, in the order of the help."""


def build(modules: Iterable[str] = MODULES) -> typer.Typer:
    """The program with the commands of these modules."""
    app = typer.Typer(
        help="Credit record bus: event streaming for public credit records. 公共信用记录总线。",
        no_args_is_help=True,
        cls=Commands,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # a program with a single command would have no name for it
    for name in modules:
        module = import_module(f"creditbus.commands.{name}")
        if name == "lab":
            module.register(app, _deploy_steps)
        else:
            module.register(app)
    return app


def _deploy_steps() -> Sequence[DeployStep]:
    """What `up` does before services start; only `up` has to load it."""
    from creditbus.lab.deployment import deploy_steps

    return deploy_steps()


def needed_for(arguments: list[str]) -> Iterable[str]:
    """The module of the command that was typed; all of them for the help, or when there is no such command."""
    typed = arguments[0] if arguments else ""
    return [name for name, commands in MODULES.items() if typed in commands] or MODULES


def main() -> None:
    """Entry point of the console script."""
    build(needed_for(sys.argv[1:]))()
