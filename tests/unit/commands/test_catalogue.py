"""The catalogue's commands: what a code is, who refers to it, what differs between two catalogues."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from creditbus.catalogue.loader import DATA
from creditbus.cli import app


@pytest.fixture
def run() -> CliRunner:
    return CliRunner(env={"COLUMNS": "200"})


def test_a_code_is_explained_with_the_rows_that_rest_on_it(run: CliRunner) -> None:
    told = run.invoke(app, ["catalogue", "explain", "FS2017-7"])
    assert told.exit_code == 0
    assert "← lists L01" in told.output
    assert run.invoke(app, ["catalogue", "explain", "NO-SUCH-CODE"]).exit_code == 1


def test_a_changed_row_is_told_field_by_field_and_one_that_came_or_went_as_a_whole(
    run: CliRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    assert "the same" in run.invoke(app, ["catalogue", "diff", str(folder)]).output
    lists = (folder / "lists.yaml").read_text(encoding="utf-8")
    (folder / "lists.yaml").write_text(lists.replace("term_months: 24, steps: []", "term_months: 23, steps: []"))
    terms = (folder / "terms.yaml").read_text(encoding="utf-8").splitlines()
    (folder / "terms.yaml").write_text("\n".join(line for line in terms if "LIFT-150000" not in line))
    told = run.invoke(app, ["catalogue", "diff", str(folder)]).output
    (changed,) = [line for line in told.splitlines() if "term_months" in line]
    assert [cell.strip() for cell in changed.strip("│").split("│")] == ["lists", "L01", "term_months", "23", "24"]
    assert "LIFT-150000" in told
