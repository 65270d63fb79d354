"""Documents say what is there: commands exist, links resolve, names are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from creditbus.bus.metrics import all_names
from creditbus.cli import build

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> set[str]:
    """Every command of the program."""
    group = get_command(build())
    return set(group.list_commands(typer.Context(group)))  # type: ignore[attr-defined]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    named = set(re.findall(r"creditbus ([a-z]+)\b", document.read_text(encoding="utf-8")))
    assert named <= commands()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make ([a-z]+)\b", document.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE) or target in ("and",), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_metric_that_a_document_names_exists(document: Path) -> None:
    assert set(re.findall(r"creditbus_[a-z_]+", document.read_text(encoding="utf-8"))) <= all_names()


def test_every_path_that_the_readme_names_is_there() -> None:
    for path in re.findall(
        r"`((?:docs|deploy|schemas|services)/[\w./]+)`", (ROOT / "README.md").read_text(encoding="utf-8")
    ):
        assert (ROOT / path).exists(), path


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
