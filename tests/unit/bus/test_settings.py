"""Settings with wrong values are told by the name of their variable, and a service that has one does not start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from creditbus.bus.service import EXIT_SETTINGS
from creditbus.bus.settings import ServiceSettings
from creditbus.catalogue.settings import CatalogueSettings
from creditbus.clickhouse.front.settings import FrontSettings
from creditbus.core.errors import SettingsError
from creditbus.core.settings import Settings
from creditbus.lab.secrets import ensure_secrets
from creditbus.lab.stack import SERVICES

SERVERS = ("gateway", "console")
"""Services that listen before they have seen anything of the stack."""


@pytest.mark.parametrize(
    ("settings", "name", "value", "problem"),
    [
        (ServiceSettings, "CREDITBUS_HTTP_PORT", "99999", "less than or equal to 65535"),
        (ServiceSettings, "CREDITBUS_HTTP_PORT", "http", "valid integer"),
        (FrontSettings, "CREDITBUS_CLICKHOUSE_FRONT_THREADS", "0", "greater than or equal to 1"),
    ],
)
def test_the_variable_and_what_may_stand_there_are_named(
    monkeypatch: pytest.MonkeyPatch, settings: type[Settings], name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"{name}: .*{problem}.*, not '{value}'"):
        settings()


def test_every_wrong_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "QUEUE"):
        monkeypatch.setenv(f"CREDITBUS_CLICKHOUSE_FRONT_{name}", "-1")
    with pytest.raises(SettingsError, match="FRONT_PORT.*FRONT_QUEUE"):
        FrontSettings()


def test_right_values_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CREDITBUS_SUPPLEMENTS", str(tmp_path))
    assert CatalogueSettings().supplements == tmp_path


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_with_a_wrong_setting_says_so_in_one_line_and_does_not_start(service: str, tmp_path: Path) -> None:
    """It was a traceback, and the exit code of an error after which starting again helps."""
    assert_refused(service, "CREDITBUS_HTTP_PORT: ", CREDITBUS_HTTP_PORT="99999", CREDITBUS_SECRETS=str(tmp_path))


@pytest.mark.parametrize("service", SERVERS)
def test_a_port_that_is_taken_is_told_by_its_variable(service: str, tmp_path: Path) -> None:
    ensure_secrets(tmp_path, {"gateway": [], "console": []})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(
            service,
            f"CREDITBUS_HTTP_PORT: port {port} cannot be used; name a free one",
            CREDITBUS_HTTP_PORT=str(port),
            CREDITBUS_SECRETS=str(tmp_path),
        )


def assert_refused(service: str, problem: str, **variables: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"creditbus.{service}"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == EXIT_SETTINGS, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if "refusing to start" in line]
    assert problem in line
    assert f"service={service}" in line
    assert "Traceback" not in ended.stderr
