"""Which Python ``make setup`` installs into."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.choose_python import Build, choose, fastest_of, main, probe

ROOT = Path(__file__).parents[2]
FIRST = Build("/first", (3, 11, 7), True, 1.0)


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        pytest.param(Build("/other", (3, 11, 2), True, 0.7), "/other", id="faster by a third"),
        pytest.param(Build("/other", (3, 11, 2), True, 0.95), "/first", id="hardly faster"),
        pytest.param(Build("/other", (3, 11, 2), True, 1.5), "/first", id="slower"),
        pytest.param(Build("/other", (3, 9, 2), True, 0.5), "/first", id="too old for the code"),
        pytest.param(Build("/other", (3, 11, 2), False, 0.5), "/first", id="the native codec could not be compiled"),
    ],
)
def test_another_python_is_taken_where_it_is_faster_and_can_do_as_much(other: Build, taken: str) -> None:
    assert choose(FIRST, [other]).path == taken


def test_a_first_that_is_too_old_gives_way_to_a_slower_one() -> None:
    old = FIRST._replace(version=(3, 9, 2))
    assert choose(old, [Build("/other", (3, 11, 2), True, 2.0)]).path == "/other"
    assert choose(old, []) is old, "nothing else is here: the installer says what is wrong with it"


def test_a_python_is_measured_by_running_it() -> None:
    build = probe(sys.executable)
    assert build is not None
    assert build.version == sys.version_info[:3]
    assert 0 < build.seconds < 60
    assert probe("/nonexistent/python") is None
    assert probe("true") is None, "a program that is no Python"


def test_a_busy_second_does_not_make_a_build_slow() -> None:
    turns = [FIRST._replace(seconds=seconds) for seconds in (1.0, 0.5, 2.0)]
    assert fastest_of(turns).seconds == 0.5


def test_asking_for_another_python_installs_anew_and_asking_again_or_for_none_does_not(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "pyproject.toml", ".tools/bin/uv", ".venv/.ready"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def would_do(*arguments: str) -> str:
        make = ["make", "--dry-run", "setup", *arguments]
        # without what `make test PYTHON=...` hands on
        outer = {
            name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "PYTHON")
        }
        return subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=True, env=outer).stdout

    assert 'python="/another/python3"' in would_do("PYTHON=/another/python3")
    (tmp_path / ".venv" / ".asked-for").write_text("/another/python3\n")
    assert "uv venv" not in would_do("PYTHON=/another/python3")
    assert "uv venv" not in would_do()


def test_the_path_alone_goes_to_standard_output() -> None:
    script = ROOT / "deploy" / "choose_python.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert Path(done.stdout.strip()).is_file()


def _python_that_says(folder: Path, name: str, version: tuple[int, int, int]) -> str:
    """A program that answers the probe as a Python of this version would."""
    said = f'{{"path": "{folder / name}", "version": {list(version)}, "headers": true, "seconds": 1.0}}'
    (folder / name).write_text(f"#!/bin/sh\necho '{said}'\n")
    (folder / name).chmod(0o755)
    return str(folder / name)


def test_a_newer_python_beside_one_that_is_too_old_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = _python_that_says(tmp_path, "python3", (3, 10, 2))
    assert main([old], [_python_that_says(tmp_path, "python3.12", (3, 12, 1))]) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}/python3.12\n"
    assert "too old" in said.err


@pytest.mark.parametrize("candidates", [["python3"], []], ids=["too old", "none"])
def test_without_a_python_that_is_new_enough_it_says_what_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], candidates: list[str]
) -> None:
    _python_that_says(tmp_path, "python3", (3, 10, 2))
    assert main([*(str(tmp_path / one) for one in candidates), "/nonexistent/python3"], []) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Python 3.11 or newer is needed" in said.err
    assert ("3.10.2" in said.err) == bool(candidates)
