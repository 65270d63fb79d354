"""The command line loads what was typed, and nothing is missing from its list."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from creditbus.cli import MODULES, build, needed_for


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_exactly_the_commands_of_the_list(module: str) -> None:
    found = get_command(build([module])).commands  # type: ignore[attr-defined]
    assert tuple(found) == MODULES[module]


def test_a_command_loads_its_own_module_and_help_or_a_mistake_loads_all() -> None:
    assert needed_for(["status"]) == ["lab"]
    assert list(needed_for([])) == list(needed_for(["--help"])) == list(needed_for(["stauts"])) == list(MODULES)


def test_what_one_command_needs_is_not_loaded_for_another() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys; from creditbus.cli import build; build(['plan']); print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not {"openpyxl", "clickhouse_connect", "confluent_kafka"} & set(told)
