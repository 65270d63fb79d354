"""Settings with wrong values are told by the name of their variable, and a service that has one does not start."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from creditbus.bus.service import EXIT_SETTINGS
from creditbus.bus.settings import ServiceSettings
from creditbus.catalogue.settings import CatalogueSettings
from creditbus.clickhouse.front.settings import FrontSettings
from creditbus.core.errors import SettingsError
from creditbus.core.settings import Settings
from creditbus.lab.process import Process, running
from creditbus.lab.secrets import ensure_secrets
from creditbus.lab.stack import SERVICES
from secured_kafka import make_certificate

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


@pytest.mark.parametrize("service", SERVERS)
def test_a_certificate_that_is_of_no_use_is_told_by_its_variables(service: str, tmp_path: Path) -> None:
    ensure_secrets(tmp_path, {"gateway": [], "console": []})
    make_certificate(tmp_path)
    files = {"CERTIFICATE_FILE": tmp_path / "ca.pem", "KEY_FILE": tmp_path / "ca.pem"}
    variables = {f"CREDITBUS_HTTP_{name}": str(path) for name, path in files.items()}
    problem = "CREDITBUS_HTTP_CERTIFICATE_FILE, CREDITBUS_HTTP_KEY_FILE: not PEM"
    assert_refused(service, problem, CREDITBUS_SECRETS=str(tmp_path), **variables)


@pytest.mark.parametrize("service", SERVERS)
def test_a_server_with_a_certificate_speaks_tls_and_nothing_else(
    service: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    ensure_secrets(tmp_path, {"gateway": [], "console": []})
    make_certificate(tmp_path)
    port = free_port()
    variables = {
        "CREDITBUS_HTTP_PORT": str(port),
        "CREDITBUS_HTTP_CERTIFICATE_FILE": str(tmp_path / "ca.pem"),
        "CREDITBUS_HTTP_KEY_FILE": str(tmp_path / "key.pem"),
        "CREDITBUS_SECRETS": str(tmp_path),
        "CREDITBUS_BROKERS": f"127.0.0.1:{free_port()}",
    }
    trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")

    def is_live() -> bool:
        try:
            return httpx.get(f"https://127.0.0.1:{port}/health/live", verify=trusting).is_success
        except httpx.ConnectError:
            return False

    argv = (sys.executable, "-m", f"creditbus.{service}")
    process = Process(name=service, argv=argv, is_ready=is_live, env=variables)
    with running(process, tmp_path / "log"), pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{port}/health/live")
