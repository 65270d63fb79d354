"""Registered keys of departments: read from their file, and again when it changes."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from creditbus.bus import reread
from creditbus.bus.signing import KeyPair
from creditbus.bus.signingkeys import FILE, KeyRow, SigningKeys, read_signing_keys, write_signing_keys
from creditbus.core.errors import SettingsError
from creditbus.lab.secrets import ensure_secrets

PAIR = KeyPair.from_bytes(b"d" * 32)
ROW = KeyRow(department="150100-scjg", public_key=PAIR.public.hex(), valid_from=date(2026, 1, 1))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Secrets of a bus where the department has an API key, looked at each time."""
    monkeypatch.setattr(reread, "_LOOK_AGAIN_SECONDS", 0.0)
    ensure_secrets(tmp_path, {"150100-scjg": ("producer",)})
    return tmp_path


def test_a_key_is_found_by_its_id_with_the_rights_of_its_department(folder: Path) -> None:
    write_signing_keys(folder / FILE, (ROW,))
    key = SigningKeys(folder)(PAIR.kid)
    assert key is not None
    assert (key.department, key.public, key.roles) == ("150100-scjg", PAIR.public, frozenset({"producer"}))
    assert key.counts_on(date(2026, 1, 1))
    assert not key.counts_on(date(2025, 12, 31))


def test_an_empty_file_registers_nobody(folder: Path) -> None:
    """As a Secret has it where no department writes to Kafka itself."""
    (folder / FILE).touch()
    assert SigningKeys(folder)(PAIR.kid) is None


def test_a_department_without_an_api_key_has_no_rights(folder: Path) -> None:
    write_signing_keys(folder / FILE, (ROW.model_copy(update={"department": "another"}),))
    key = SigningKeys(folder)(PAIR.kid)
    assert key is not None
    assert key.roles == frozenset()


def test_keys_that_are_registered_and_revoked_later_count_without_a_restart(folder: Path) -> None:
    keys = SigningKeys(folder)
    assert keys(PAIR.kid) is None
    write_signing_keys(folder / FILE, (ROW,))
    assert keys(PAIR.kid) is not None
    write_signing_keys(folder / FILE, (ROW.model_copy(update={"revoked_on": date(2026, 2, 1)}),))
    os.utime(folder / FILE, ns=(1, 1))
    key = keys(PAIR.kid)
    assert key is not None
    assert not key.counts_on(date(2026, 1, 1)), "a revoked key proves nothing, whatever day it says"


def test_a_file_that_is_lost_or_damaged_later_is_told_of_and_what_was_read_stays(folder: Path) -> None:
    write_signing_keys(folder / FILE, (ROW,))
    keys = SigningKeys(folder)
    for damage in (lambda: (folder / FILE).write_text("["), lambda: (folder / FILE).unlink()):
        damage()
        with capture_logs() as told:
            assert keys(PAIR.kid) is not None
        assert [one["log_level"] for one in told] == ["error"]


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": "00"},
        {"department": ""},
        {"valid_from": "soon"},
        {"valid_to": "2025-01-01"},
        {"private_key": "00"},
    ],
)
def test_a_broken_file_is_named_with_its_problem(folder: Path, change: dict[str, Any]) -> None:
    (folder / FILE).write_text(json.dumps([{**ROW.model_dump(mode="json"), **change}]))
    with pytest.raises(SettingsError, match=r"signing-keys\.json"):
        read_signing_keys(folder / FILE)
    with pytest.raises(SettingsError, match=r"signing-keys\.json"):
        SigningKeys(folder)
