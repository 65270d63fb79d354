"""`creditbus keys create`, `register`, `list`, `revoke` on the command line."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from creditbus.bus.signing import KeyPair
from creditbus.bus.signingkeys import SigningKeys
from creditbus.cli import build
from creditbus.lab.secrets import ensure_secrets

DEPARTMENT = "150100-scjg"
STRONG = KeyPair.from_bytes(b"s" * 32).public.hex()
WEAK = ("00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")  # fmt: skip
"""Points of order 4, 1, 2, 8 and 8: a signature that anybody can write verifies under them."""


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The secrets of a lab that does not run."""
    monkeypatch.setenv("CREDITBUS_LAB_DATA", str(tmp_path / "lab"))
    monkeypatch.setenv("COLUMNS", "200")
    ensure_secrets(tmp_path / "lab" / "secrets", {DEPARTMENT: ("producer",)})
    return tmp_path / "lab" / "secrets"


def run(*arguments: str, expect: int = 0) -> str:
    done = CliRunner().invoke(build(["keys"]), list(arguments))
    assert done.exit_code == expect, done.output
    return done.output


def made(file: Path) -> tuple[str, str]:
    """Key id and public key of a new pair, as the command told them."""
    told = run("keys", "create", str(file))
    found = re.search(r": ([0-9a-f]{16})\n.*: ([0-9a-f]{64})\n", told)
    assert found is not None, told
    return found[1], found[2]


def listed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run("keys", "list", "--json"))
    return rows


def test_a_pair_s_private_key_is_in_a_file_for_its_owner_and_is_told_nowhere_else(tmp_path: Path) -> None:
    kid, public = made(tmp_path / "own.key")
    pair = KeyPair.from_bytes(bytes.fromhex((tmp_path / "own.key").read_text()))
    assert (pair.kid, pair.public.hex()) == (kid, public)
    assert stat.S_IMODE((tmp_path / "own.key").stat().st_mode) == 0o600
    assert run("keys", "create", str(tmp_path / "own.key"), expect=2), "a key is never written over"


def test_a_registered_key_counts_until_it_is_revoked_for_ever(secrets: Path, tmp_path: Path) -> None:
    kid, public = made(tmp_path / "own.key")
    run("keys", "register", public, "--department", DEPARTMENT, "--from", "2026-01-01", "--until", "2026-12-31")
    key = SigningKeys(secrets)(kid)
    assert key is not None
    assert key.revoked_on is None
    assert [(row["key_id"], row["valid_to"]) for row in listed()] == [(kid, "2026-12-31")]
    assert DEPARTMENT in run("keys", "list")
    run("keys", "revoke", kid)
    revoked = listed()
    assert revoked[0]["revoked_on"] is not None
    run("keys", "revoke", kid)
    assert listed() == revoked
    assert kid in run("keys", "register", public, "--department", DEPARTMENT, expect=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["register", "12", "--department", DEPARTMENT],
        ["register", STRONG, "--department", "nobody"],
        *(["register", one, "--department", DEPARTMENT] for one in WEAK),
        ["register", STRONG, "--department", DEPARTMENT, "--from", "2026-02-01", "--until", "2026-01-01"],
        ["revoke", "0123456789abcdef"],
    ],
)
def test_what_cannot_be_is_told_in_a_line_and_changes_nothing(secrets: Path, arguments: list[str]) -> None:
    assert run("keys", *arguments, expect=2).startswith("✗ ")
    assert listed() == []
