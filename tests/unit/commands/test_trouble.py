"""Commands without a bus, without a file, without a key: a line that says what to do, in the user's language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from creditbus.cli import MODULES, build
from creditbus.client.producer import SendError
from creditbus.commands.trouble import lines_of
from creditbus.core.errors import FencedError, ReconnectError, RetryLaterError, SettingsError
from creditbus.lab.errors import NotRunningError

NEEDS_NO_BUS = {"up", "down", "logs", "reset", "doctor", "plan", "catalogue", "settings", "receipt", "mirror"}
ARGUMENTS = {
    "assess": [""],
    "breaker": ["list"],
    "checkpoint": ["list", "make --into sandbox"],
    "certificate": ["91150102MA0N123408"],
    "clock": ["show"],
    "deadletters": ["list"],
    "explain": ["91150102MA0N123408"],
    "export": ["Penalty out.csv"],
    "forget": ["p:2:0123456789012345678901234567890123456789 --reason because --yes"],
    "import": ["permits.csv --department 150100-scjg"],
    "keys": ["show", "list", "revoke 0123456789abcdef"],
    "load": ["list", "complete 150100-scjg first"],
    "quarantine": ["list", "show 91150102MA0N123408"],
    "reconcile": ["--department 150100-scjg --key-file key"],
    "replay": ["--into sandbox"],
    "rebuild": ["--into sandbox"],
    "rules": ["list"],
    "scenario": ["hohhot"],
    "schemas": ["push", "check --registry http://127.0.0.1:{port}"],
    "simulate": ["--events 10", "--events 10 --via kafka", "--answer"],
    "status": [""],
    "verify": ["", "--topics-only"],
    "webhooks": ["list"],
}


def test_every_command_that_asks_a_bus_is_tried_below() -> None:
    named = {command for commands in MODULES.values() for command in commands}
    assert named - NEEDS_NO_BUS - {"deploy"} == set(ARGUMENTS)


@pytest.mark.parametrize("typed", [f"{name} {rest}" for name, some in ARGUMENTS.items() for rest in some])
def test_without_a_bus_a_command_says_so_at_once(
    typed: str, tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDITBUS_LAB_DATA", str(tmp_path / "lab"))
    monkeypatch.setenv("CREDITBUS_LANG", "en")
    for part in ("KAFKA", "CONTROLLER", "REGISTRY", "CLICKHOUSE", "GATEWAY", "LOOKUP"):
        monkeypatch.setenv(f"CREDITBUS_LAB_{part}_PORT", str(port := free_port()))
    (tmp_path / "permits.csv").write_bytes((Path(__file__).parents[2] / "data" / "permits-utf8.csv").read_bytes())
    (tmp_path / "key").write_text("a key")
    name, *arguments = typed.format(port=port).split()
    module = next(module for module, some in MODULES.items() if name in some)
    done = CliRunner().invoke(build([module]), [name, *arguments])
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("✗ ")
    assert "creditbus up" in done.stderr or "Start the lab" in done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    ("error", "language", "lines"),
    [
        (NotRunningError(en="No lab.", zh="没有。"), "zh", ["没有。"]),
        (SettingsError("X is missing; make it"), "zh", ["X is missing; make it"]),
        (FencedError("another process"), "en", ["another process"]),
        (OSError(13, "Permission denied", "receipt.json"), "en", ["receipt.json: Permission denied"]),
        (ValueError("a mistake of ours"), "en", []),
        (OSError("without a file"), "en", []),
    ],
)
def test_what_the_user_can_put_right_is_told_and_what_is_ours_is_not_hidden(
    error: Exception, language: str, lines: list[str]
) -> None:
    assert lines_of(error, language) == lines


@pytest.mark.parametrize(
    "error", [RetryLaterError("busy"), ReconnectError("away"), SendError("refused"), httpx.ConnectError("away")]
)
def test_what_is_away_is_told_with_where_to_look(error: Exception) -> None:
    told, remedy = lines_of(error, "zh")
    assert str(error) in told
    assert "creditbus doctor" in remedy
    assert "诊断" in remedy
