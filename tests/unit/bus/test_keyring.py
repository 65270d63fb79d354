"""API keys: made by the lab, checked by the gateway."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from creditbus.bus import reread
from creditbus.bus.keyring import Keyring
from creditbus.bus.settings import read_key
from creditbus.core.errors import SettingsError
from creditbus.lab.secrets import ensure_secrets, read_lab_keys

ROLES = ("producer", "subscriber")


def test_a_key_of_the_lab_names_its_department_and_no_other_key_does(tmp_path: Path) -> None:
    ensure_secrets(tmp_path, dict.fromkeys(["150100-scjg", "150000-gy"], ROLES))
    keyring = Keyring(tmp_path)
    holder = keyring.holder_of(read_lab_keys(tmp_path)["150000-gy"])
    assert holder is not None
    assert (holder.department, holder.roles) == ("150000-gy", frozenset({"producer", "subscriber"}))
    assert keyring.holder_of("guess") is None


def test_making_secrets_again_changes_none_and_adds_new_departments(tmp_path: Path) -> None:
    ensure_secrets(tmp_path, dict.fromkeys(["a"], ROLES))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ensure_secrets(tmp_path, dict.fromkeys(["a"], ROLES))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    key = read_lab_keys(tmp_path)["a"]
    ensure_secrets(tmp_path, dict.fromkeys(["a", "b"], ROLES))
    assert read_lab_keys(tmp_path)["a"] == key
    assert set(read_lab_keys(tmp_path)) == {"a", "b"}


def test_secret_files_are_for_this_user_alone_and_long_enough(tmp_path: Path) -> None:
    ensure_secrets(tmp_path / "secrets", dict.fromkeys(["a"], ROLES))
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_key(tmp_path / "secrets", "gateway-hmac.key")) == 32


def test_the_gateway_never_holds_a_key_in_plain_text(tmp_path: Path) -> None:
    ensure_secrets(tmp_path, dict.fromkeys(["a"], ROLES))
    assert read_lab_keys(tmp_path)["a"] not in (tmp_path / "departments.json").read_text()


def test_a_key_that_is_taken_away_stops_to_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_secrets(tmp_path, dict.fromkeys(["a", "b"], ROLES))
    key = read_lab_keys(tmp_path)["a"]
    keyring = Keyring(tmp_path)
    ensure_secrets(tmp_path, dict.fromkeys(["b"], ROLES))
    os.utime(tmp_path / "departments.json", ns=(1, 1))
    monkeypatch.setattr(reread, "_LOOK_AGAIN_SECONDS", 0.0)
    deadline = time.monotonic() + 5
    while keyring.holder_of(key) is not None and time.monotonic() < deadline:
        pass
    assert keyring.holder_of(key) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": {"key_sha256": "x", "roles": []}}', '{"a": {"roles": []}}'])
def test_a_broken_key_file_is_named_with_its_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "departments.json").write_text(text)
    with pytest.raises(SettingsError, match=r"departments\.json"):
        Keyring(tmp_path)


def test_a_missing_key_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="creditbus up"):
        Keyring(tmp_path)
