"""`creditbus receipt verify` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from creditbus.bus.signing import KeyPair, sign
from creditbus.cli import build
from creditbus.core.evidence import accepted_batch
from intake_harness import Intake, example

KEY = b"g" * 32
PUBLIC = KeyPair.from_bytes(KEY).public.hex()


def kept(**changes: Any) -> dict[str, Any]:
    """An event with its evidence, as a department keeps it."""
    value = Intake().message(example("Penalty")).value() or b""
    made = accepted_batch("150100-scjg", [value, b"another"], "2026-11-24T12:00:00.000+08:00")
    evidence = {"batch": made.batch, "signature": sign(made.batch, KEY), **made.entries[0]}
    return {"event": example("Penalty"), "evidence": {**evidence, **changes}}


def verified(tmp_path: Path, content: object, *options: str) -> tuple[int, str]:
    (tmp_path / "receipt.json").write_text(json.dumps(content))
    done = CliRunner().invoke(build(["receipt"]), ["receipt", "verify", str(tmp_path / "receipt.json"), *options])
    return done.exit_code, done.output


def test_evidence_is_verified_without_a_bus(tmp_path: Path) -> None:
    code, told = verified(tmp_path, kept(), "--public-key", PUBLIC)
    assert (code, told.count("✓")) == (0, 3)
    assert "2026-11-24" in told


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"event": example("Penalty", facts__fine_fen=7)}, "事件内容"),
        ({"event": example("Permit")}, "事件内容"),
        ({"event": {"kind": "Nothing"}}, "事件内容"),
        ({"evidence": kept(index=1)["evidence"]}, "批次位置"),
        ({"evidence": kept(signature=sign({}, KEY))["evidence"]}, "签名"),
    ],
)
def test_what_was_changed_is_named(tmp_path: Path, change: dict[str, Any], failed: str) -> None:
    code, told = verified(tmp_path, {**kept(), **change})
    assert code == 1
    assert [line for line in told.splitlines() if line.startswith("✗")][0].endswith(failed)


def test_another_key_than_the_trusted_one_is_told(tmp_path: Path) -> None:
    code, told = verified(tmp_path, kept(), "--public-key", "00" * 32)
    assert (code, told.count("✗")) == (1, 1)


@pytest.mark.parametrize("content", [{}, [], {"event": 1, "evidence": 2}, kept(value="?"), kept(batch={"sender": 1})])
def test_what_is_no_evidence_is_told_in_a_line(tmp_path: Path, content: object) -> None:
    code, told = verified(tmp_path, content)
    assert code == 1
    assert told.startswith("✗ ")
