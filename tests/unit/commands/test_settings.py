"""Whoever runs the bus finds every environment variable, what it is for and what it is without being set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings
from typer.testing import CliRunner

import creditbus.commands.settings as reference
from creditbus.cli import build

ROOT = Path(__file__).parents[3]
LISTED = {variable.name for part in reference.parts() for variable in part.variables}


def named_in(patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        for path in ROOT.glob(pattern):
            for name in re.findall(r"CREDITBUS_[A-Z0-9_]+", path.read_text(encoding="utf-8")):
                if not name.endswith("_"):  # the beginning of several
                    yield name


def test_every_variable_that_code_deployments_and_documents_name_is_listed() -> None:
    named = set(named_in(("services/**/*.py", "deploy/*.yaml", "deploy/Dockerfile*", "docs/*.md", "*.md", "Makefile")))
    assert len(named) > 50
    assert named - LISTED <= {"CREDITBUS_TEST_PROFILE"}  # of the tests alone


def test_every_model_of_settings_is_listed() -> None:
    def below(model: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
        for one in model.__subclasses__():
            yield one
            yield from below(one)

    ours = {one for one in below(BaseSettings) if one.__module__.startswith("creditbus.")}
    for model in ours:
        prefix = model.model_config.get("env_prefix")
        if prefix:  # what has none is the base of others
            assert {f"{prefix}{name.upper()}" for name in model.model_fields} <= LISTED, model


@pytest.mark.parametrize("part", reference.parts(), ids=lambda part: part.en)
def test_every_variable_says_what_it_is_for(part: reference.Part) -> None:
    assert part.variables
    assert all(variable.meaning for variable in part.variables)


def test_the_document_is_what_the_program_says() -> None:
    """Mend it: .venv/bin/creditbus settings --markdown > docs/settings.md"""
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == reference.settings_as_markdown()


def test_a_word_chooses_and_one_that_is_nowhere_is_told_of() -> None:
    runner, program = CliRunner(env={"COLUMNS": "200"}), build()
    chosen = runner.invoke(program, ["settings", "sasl_username"])
    assert chosen.exit_code == 0
    assert "CREDITBUS_KAFKA_SASL_USERNAME" in chosen.output
    assert "CREDITBUS_HTTP_PORT" not in chosen.output
    nothing = runner.invoke(program, ["settings", "nonsense"])
    assert nothing.exit_code == 1
    assert "nonsense" in nothing.output
