"""Why a firm has its score: a signed receipt that anybody recomputes offline from the subject's log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from running_lab import RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
NOWHERE = {"CREDITBUS_LAB_KAFKA_PORT": "19999", "CREDITBUS_LAB_REGISTRY_PORT": "19998"}


def verify_offline(tmp_path: Path, *arguments: str, command: str = "explain") -> tuple[int, str]:
    """Run the check in an empty folder, without a lab."""
    called = [sys.executable, "-m", "creditbus", command, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200", **NOWHERE}
    services = Path(__file__).parents[2] / "services"
    done = subprocess.run(
        called, env={**environment, "PYTHONPATH": str(services)}, cwd=tmp_path, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_receipt_is_recomputed_offline_and_a_changed_one_is_caught(running_lab: RunningLab, tmp_path: Path) -> None:
    firm = running_lab.any_cleared_firm()
    receipt, log = tmp_path / "receipt.json", tmp_path / "log.json"
    told = running_lab.creditbus("explain", firm, "--receipt", str(receipt), "--log", str(log))
    assert "score" in told
    assert "base" in told

    code, told = verify_offline(tmp_path, "--verify", str(receipt), "--log", str(log))
    assert code == 0, told
    assert told.count("✓") == 2

    signed = json.loads(receipt.read_text())
    key = signed["signature"]["public_key"]
    assert verify_offline(tmp_path, "--verify", str(receipt), "--log", str(log), "--public-key", key)[0] == 0
    signed["receipt"]["score"] += 1
    receipt.write_text(json.dumps(signed))
    code, told = verify_offline(tmp_path, "--verify", str(receipt), "--log", str(log))
    assert code == 1
    assert told.count("✗") == 2
    assert "score: receipt" in told


def test_the_receipt_is_that_of_the_live_dossier(running_lab: RunningLab) -> None:
    firm = running_lab.cleared_firm()
    computed = running_lab.told("explain", firm)
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["console"]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "verification", "X-Basis": "test"}
    base = f"http://127.0.0.1:{running_lab.port('lookup')}"
    answer = httpx.get(f"{base}/v1/subjects/{firm}", headers=headers)
    assert answer.status_code == 200, answer.text
    dossier = answer.json().get("dossier", answer.json())
    assert (dossier["score"], dossier["grade"]) == (computed["score"], computed["grade"])


def test_before_the_first_record_and_after_today_there_is_no_receipt(running_lab: RunningLab) -> None:
    firm = running_lab.any_cleared_firm()
    assert "future" in running_lab.creditbus("explain", firm, "--as-of", "2999-01-01", expect=1)
    running_lab.creditbus("explain", firm, "--as-of", "2015-01-01", expect=2)
    assert "not on file" in running_lab.creditbus("explain", "NOBODY", expect=1)


def test_that_nothing_stays_downstream_is_certified_and_checked_offline(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    firm = running_lab.any_cleared_firm()
    certificate, log = tmp_path / "certificate.json", tmp_path / "log.json"
    told = running_lab.creditbus("certificate", firm, "--out", str(certificate), "--log", str(log))
    assert "nothing stays downstream" in told
    found = json.loads(certificate.read_text())["certificate"]
    assert {one["cause"] for one in found["orders"]} == {"REPAIRED"}
    assert {one["measure"]: one["stopped_by"] for one in found["orders"]}["M01-LICENCE"] == [
        "150000-ggzy", "150100-zwfw", "150200-zwfw",
    ]  # fmt: skip

    checked = ("--verify", str(certificate), "--log", str(log))
    code, told = verify_offline(tmp_path, *checked, command="certificate")
    assert (code, told.count("✓")) == (0, 2), told
    signed = json.loads(certificate.read_text())
    signed["certificate"]["orders"][0]["stopped_by"] = []
    certificate.write_text(json.dumps(signed))
    code, told = verify_offline(tmp_path, *checked, command="certificate")
    assert (code, told.count("✗")) == (1, 2), told
