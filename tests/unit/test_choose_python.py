"""Which Python ``make setup`` installs into."""

import subprocess
import sys
from pathlib import Path

import pytest
from deploy.choose_python import Build, choose, probe

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


def test_the_path_alone_goes_to_standard_output() -> None:
    script = Path(__file__).parents[2] / "deploy" / "choose_python.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert Path(done.stdout.strip()).is_file()
