"""`creditbus mirror`: the file has what proves who the mirror is at both ends, and is nobody else's to read."""

from __future__ import annotations

import stat
from pathlib import Path

import javaproperties
import pytest
from typer.testing import CliRunner

from creditbus.cli import build
from creditbus.core.errors import SettingsError


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A region's node with a user of its own at either end; the folder of their passwords."""
    for prefix, user in (("CREDITBUS_KAFKA", "here"), ("CREDITBUS_HUB_KAFKA", "there")):
        (tmp_path / user).write_text(f"of {user}\n")
        monkeypatch.setenv(f"{prefix}_SECURITY_PROTOCOL", "SASL_SSL")
        monkeypatch.setenv(f"{prefix}_SASL_USERNAME", user)
        monkeypatch.setenv(f"{prefix}_SASL_PASSWORD_FILE", str(tmp_path / user))
    monkeypatch.setenv("CREDITBUS_BROKERS", "node:9093")
    monkeypatch.setenv("CREDITBUS_HUB_BROKERS", "hub:9093")
    return tmp_path


def test_each_end_gets_its_own_user(node: Path) -> None:
    file = node / "deep" / "mirror.properties"
    done = CliRunner().invoke(build(["mirror"]), ["mirror", "baotou", "--out", str(file)])
    assert done.exit_code == 0, done.output
    assert "of here" not in done.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = javaproperties.loads(file.read_text())
    for name, broker, user in (("baotou", "node:9093", "here"), ("hub", "hub:9093", "there")):
        assert told[f"{name}.bootstrap.servers"] == broker
        assert told[f"{name}.security.protocol"] == "SASL_SSL"
        assert f'username="{user}" password="of {user}"' in told[f"{name}.sasl.jaas.config"]
    assert told["offset.storage.replication.factor"] == "3"


def test_what_is_no_node_and_what_is_no_region_are_told(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(build(["mirror"]), ["mirror", "包头"])
    assert done.exit_code == 2
    assert "small letters" in done.output
    monkeypatch.delenv("CREDITBUS_HUB_BROKERS")
    done = CliRunner().invoke(build(["mirror"]), ["mirror", "baotou"])
    assert isinstance(done.exception, SettingsError) or "CREDITBUS_HUB_BROKERS" in done.output
    assert not Path("mirror.properties").exists()
