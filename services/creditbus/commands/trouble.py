"""How every command ends when the bus, the lab or a file lets it down: why, and what to do; exit code 2.

1 stays for what a command was asked to find: a difference, a measure left over, a part that is stuck.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from creditbus.commands.printing import terminal
from creditbus.lab.texts import Text, user_language

EXIT_TROUBLE = 2
_IS_IT_RUNNING = Text(
    en="`creditbus doctor` names what is stuck; `creditbus up --detach` starts the lab",
    zh="请用 `creditbus doctor` 诊断，或用 `creditbus up --detach` 启动",
)


class Commands(TyperGroup):
    """The commands of the program. What is nobody's mistake but the outside world's becomes a line, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """See typer."""
        _hush_kafka()
        try:
            return super().invoke(ctx)
        except Exception as error:
            lines = lines_of(error, user_language())
            if not lines:
                raise
            console = terminal(stderr=True)
            console.print(f"[red]✗[/] {escape(lines[0])}", highlight=False, soft_wrap=True)
            for line in lines[1:]:
                console.print(f"  → {escape(line)}", highlight=False, soft_wrap=True)
            raise typer.Exit(EXIT_TROUBLE) from error


def lines_of(error: Exception, language: str) -> list[str]:
    """What went wrong and what to do about it; nothing for an error of the program itself."""
    from httpx import HTTPError  # loaded when it is needed: most commands never fail

    from creditbus.client.importing.files import ImportFileError
    from creditbus.client.producer import SendError
    from creditbus.core.errors import BusError, ReconnectError, RetryLaterError
    from creditbus.lab.errors import LabError

    match error:
        case LabError():
            return [error.text.in_language(language)]
        case ImportFileError():
            return [Text(en=error.en, zh=error.zh).in_language(language)]
        case RetryLaterError() | ReconnectError() | SendError():
            return [str(error), _IS_IT_RUNNING.in_language(language)]
        case HTTPError():
            return [f"HTTP: {error or type(error).__name__}", _IS_IT_RUNNING.in_language(language)]
        case BusError():
            return [str(error)]
        case OSError() if error.filename:
            return [f"{error.filename}: {error.strerror}"]
    return []


def _hush_kafka() -> None:
    """The Kafka client tells of a broker that is away with many lines of its own, and a command does so with one."""
    kafka = sys.modules.get("creditbus.bus.kafka")  # of commands that ask Kafka; loading it for the others takes long
    if kafka is not None:
        kafka.LOG["log_level"] = 0
        kafka.LOG["error_cb"] = lambda _: None
