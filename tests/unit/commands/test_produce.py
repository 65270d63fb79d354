"""`creditbus import` on the command line, without a gateway."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from creditbus.cli import build
from creditbus.client.importing.delivery import Tally
from creditbus.commands.produce import exit_code

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def app() -> typer.Typer:
    return build(["produce"])


def run(app: typer.Typer, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["import", *arguments])
    return result.exit_code, result.output


def sample(tmp_path: Path, name: str) -> str:
    (tmp_path / name).write_bytes((DATA / name).read_bytes())
    return str(tmp_path / name)


def test_a_dry_run_of_good_rows_ends_with_zero(app: typer.Typer, tmp_path: Path) -> None:
    code, _ = run(app, sample(tmp_path, "permits-gb18030.csv"), "--department", "150100-scjg", "--dry-run")
    assert code == 0
    assert list(tmp_path.glob("*.errors.csv")) == []


def test_refused_rows_end_with_one_and_are_written_down(app: typer.Typer, tmp_path: Path) -> None:
    code, output = run(app, sample(tmp_path, "penalties-utf8.csv"), "--department", "150100-scjg", "--dry-run")
    assert code == 1
    assert "missing-document-number" in output
    assert (tmp_path / "penalties-utf8.errors.csv").exists()


@pytest.mark.parametrize(
    "change", [{"department": "nobody"}, {"kind": "Fine"}, {"file": "missing.csv"}, {"key": "none"}]
)
def test_what_is_wrong_with_the_command_is_named_and_ends_with_two(
    app: typer.Typer, tmp_path: Path, change: dict[str, str]
) -> None:
    file = str(tmp_path / change["file"]) if "file" in change else sample(tmp_path, "permits-utf8.csv")
    options = ["--department", change.get("department", "150100-scjg"), "--kind", change.get("kind", "auto")]
    options += ["--key-file", str(tmp_path / change["key"])] if "key" in change else ["--dry-run"]
    code, output = run(app, file, *options)
    assert code == 2
    assert output.strip()


def test_a_mistyped_department_is_told_the_nearest_one_first(app: typer.Typer, tmp_path: Path) -> None:
    code, output = run(app, sample(tmp_path, "permits-utf8.csv"), "--department", "150100-scj", "--dry-run")
    assert code == 2
    codes = re.findall(r"\d{6}-[a-z]+", output)
    assert codes[:2] == ["150100-scj", "150100-scjg"]
    assert "catalogue list" in output, "where all of them stand"


def test_a_gateway_that_is_away_ends_with_two(
    app: typer.Typer, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("key")
    monkeypatch.setattr("time.sleep", lambda _: None)
    code, output = run(
        app,
        sample(tmp_path, "permits-utf8.csv"),
        "--department",
        "150100-scjg",
        "--key-file",
        str(tmp_path / "key"),
        "--gateway",
        f"http://127.0.0.1:{free_port()}",
    )
    assert code == 2
    assert "is it running" in output


@pytest.mark.parametrize(
    ("tally", "late", "stopped", "code"),
    [
        (Tally(rows=3, received=3), 0, False, 0),
        (Tally(rows=3, received=2, rejected=1), 0, False, 1),
        (Tally(rows=3, received=3), 1, False, 1),
        (Tally(rows=3, received=3), 3, False, 2),
        (Tally(rows=3, received=3), 0, True, 1),
        (Tally(rows=3, rejected=3), 0, False, 2),
        (Tally(), 0, False, 2),
    ],
)
def test_the_exit_code_says_all_some_or_nothing(tally: Tally, late: int, stopped: bool, code: int) -> None:
    assert exit_code(tally, late, stopped=stopped) == code
