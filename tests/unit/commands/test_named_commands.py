"""Every command that a message, a document or an alert rule names is there, with the options it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from creditbus.cli import build

ROOT = Path(__file__).parents[3]
SOURCES = [
    *ROOT.glob("services/**/*.py"),
    *ROOT.glob("services/**/*.yaml"),
    *ROOT.glob("services/**/*.html"),
    *ROOT.glob("services/**/*.js"),
    *ROOT.glob("deploy/**/*.y*ml"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("*.md"),
]
NAMED = re.compile(r"`{1,2}creditbus ([^`]+)`")


def named_commands() -> Iterator[str]:
    for path in SOURCES:
        for found in NAMED.findall(path.read_text(encoding="utf-8")):
            first, *others = found.split(" | ")  # of the same group: `creditbus breaker list | show`
            yield " ".join(first.split())
            yield from (" ".join([*first.split()[:1], *other.split()]) for other in others)


@pytest.fixture(scope="module")
def program() -> TyperGroup:
    group = typer.main.get_command(build())
    assert isinstance(group, TyperGroup)
    return group


def problem_of(line: str, program: TyperGroup) -> str:
    """What is wrong with a command line that a text names; empty when nothing is."""
    at: TyperGroup | TyperCommand = program
    words = line.split()
    while isinstance(at, TyperGroup) and words and re.fullmatch(r"[a-z]+", words[0]):
        name = words.pop(0)
        if name not in at.commands:
            return f"there is no command {name} in {at.name}"
        found = at.commands[name]
        assert isinstance(found, TyperGroup | TyperCommand)
        at = found
    options = {name for one in at.params for name in one.opts}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
    return f"{at.name} has no {unknown}" if unknown else ""


def test_every_named_command_is_there(program: TyperGroup) -> None:
    lines = set(named_commands())
    assert len(lines) > 50
    wrong = {line: problem for line in sorted(lines) if (problem := problem_of(line, program))}
    assert not wrong


@pytest.mark.parametrize("line", ["catalogue publish", "nothing", "rules list --never", "verify --jsn"])
def test_what_is_not_there_is_found(line: str, program: TyperGroup) -> None:
    assert problem_of(line, program)
