"""A whole lab for end-to-end and chaos tests: started once a worker, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from creditbus.lab.state import read_state
from creditbus.lab.steps import Phase
from ports import free_ports
from waiting import wait_until

PARTS = (
    "kafka", "controller", "registry", "clickhouse", "gateway", "intake", "clock", "dossier", "warehouse", "lookup",
    "console", "notifier", "monitor", "breaker",
)  # fmt: skip
REGIONAL_PARTS = ("merge", "mirror")
"""Parts of a hub with a region, and of the region's node."""
LOG_LINES = 15
"""Lines of a log that a failed test shows."""
RUBBISH = b"rubbish"
"""What tests leave on the lab's topics where messages should be; other tests pass over what holds it."""


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A lab that runs, and its command line."""

    folder: Path
    environment: dict[str, str]
    firms: list[str] = field(default_factory=list)
    """Subject keys of firms that were listed and cleared."""

    def creditbus(self, *arguments: str, expect: int | None = 0, seconds: float = 300) -> str:
        """Run a command as a user would; returns what it printed. expect None takes any exit code."""
        done = self._run(arguments, expect, seconds)
        return done.stdout + done.stderr

    def told(self, *arguments: str, expect: int | None = 0) -> Any:
        """What a command prints for programs."""
        return json.loads(self._run((*arguments, "--json"), expect, 300).stdout)

    def _run(self, arguments: tuple[str, ...], expect: int | None, seconds: float) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "creditbus", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        fits = expect is None or done.returncode == expect
        assert fits, f"creditbus {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def cleared_firm(self) -> str:
        """Subject key of a firm of its own that was listed and cleared, all lifts acknowledged, as `hohhot` plays it.

        Tests share the lab: the newest alert of a kind may be about a firm of another test.
        """
        self.firms.append(self.told("scenario", "hohhot")["subject_key"])
        return self.firms[-1]

    def any_cleared_firm(self) -> str:
        """Such a firm that another test may have made before: for tests that only look."""
        return self.firms[0] if self.firms else self.cleared_firm()

    def port(self, part: str) -> int:
        """Port of a part."""
        return int(self.environment[f"CREDITBUS_LAB_{part.upper()}_PORT"])

    def pid(self, part: str) -> int:
        """Process id of a part now."""
        state = json.loads((self.folder / "state.json").read_text())
        running = {one["name"]: one["process"]["pid"] for one in state["processes"] if one["process"]}
        return int(running[part])

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL, as a crash would."""
        os.kill(self.pid(part), signal.SIGKILL)

    def condition(self) -> str:
        """What `creditbus status` tells, and the end of the log of each part that is not ready."""
        told = [self.creditbus("status", expect=None)]
        state = read_state(self.folder)
        for part in state.processes if state else ():
            if part.phase is not Phase.READY:
                lines = part.log.read_text(errors="replace").splitlines()[-LOG_LINES:] if part.log.exists() else []
                told += [f"--- {part.name} ({part.phase})", *lines]
        return "\n".join(told)

    def verify(self) -> list[dict[str, Any]]:
        """The report of ``creditbus verify``, once everything that was sent has arrived everywhere."""
        report: list[dict[str, Any]] = []

        def is_right() -> bool:
            nonlocal report
            report = self.told("verify", expect=None)
            return not any(check["wrong"] for check in report)

        with suppress(AssertionError):  # it is asked for what is behind, which tells more
            wait_until("nobody to be behind", self._has_come_to_rest, 30)
        try:
            wait_until("everything to arrive", is_right)
        except AssertionError as error:
            wrong = {check["check"]: check["wrong"] for check in report if check["wrong"]}
            raise AssertionError(f"{error}: {wrong}") from error
        return report

    def _has_come_to_rest(self) -> bool:
        """Whether no service is behind; it costs less to ask than to verify. True where there is nobody to ask."""
        keys = self.folder / "secrets" / "lab-keys.json"
        try:
            headers = {"Authorization": f"Bearer {json.loads(keys.read_text())['console']}"}
            flow = httpx.get(f"http://127.0.0.1:{self.port('lookup')}/v1/flow", headers=headers, timeout=10)
        except (OSError, httpx.HTTPError):
            return True
        return flow.is_success and not any(one["lag"] for one in flow.json()["stages"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed with a lab shows how the lab stood."""
    report = yield
    lab = item.funcargs.get("running_lab") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(lab, RunningLab):
        report.sections.append(("condition of the lab", lab.condition()))
    return report


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """The lab with every service."""
    with lab_running(tmp_path_factory.mktemp("lab") / "data") as lab:
        yield lab


@contextmanager
def lab_running(folder: Path, *arguments: str, **settings: str) -> Iterator[RunningLab]:
    """A lab on free ports. arguments: further ones of `creditbus up`; settings: of the lab, without their prefix."""
    parts = (*PARTS, *REGIONAL_PARTS)
    ports = {
        f"CREDITBUS_LAB_{part.upper()}_PORT": str(port)
        for part, port in zip(parts, free_ports(len(parts)), strict=True)
    }
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CREDITBUS_")},
        **{name: value for name, value in os.environ.items() if name == "CREDITBUS_CACHE"},
        **ports,
        **{f"CREDITBUS_LAB_{name.upper()}": value for name, value in settings.items()},
        "CREDITBUS_LAB_DATA": str(folder),
        "CREDITBUS_LAB_RECORD_STARTUP": "false",
        "COLUMNS": "200",
    }
    lab = RunningLab(folder, environment)
    lab.creditbus("up", "--detach", *arguments, seconds=400)
    try:
        yield lab
    finally:
        lab.creditbus("down", expect=None)
