"""What the scenario tells its reader to type works where the reader is."""

from __future__ import annotations

from pathlib import Path

import pytest

from creditbus.commands.scenario import command_to_type


@pytest.mark.parametrize(
    ("found", "program", "typed"),
    [
        ("/usr/bin/creditbus", "/home/x/bus/.venv/bin/creditbus", "creditbus"),
        (None, "/home/x/bus/.venv/bin/creditbus", ".venv/bin/creditbus"),
        (None, ".venv/bin/creditbus", ".venv/bin/creditbus"),
        (None, "/opt/creditbus", "/opt/creditbus"),
    ],
)
def test_the_command_is_named_as_the_shell_finds_it(found: str | None, program: str, typed: str) -> None:
    assert command_to_type(found, Path(program), Path("/home/x/bus")) == typed
