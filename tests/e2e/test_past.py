"""A firm that is on no list any more was on one yesterday, which only those who handle the case are shown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from creditbus.core.records import BEIJING
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def test_what_held_yesterday_is_shown_to_whoever_handles_the_case(running_lab: RunningLab) -> None:
    firm, yesterday = running_lab.any_cleared_firm(), datetime.now(BEIJING).date() - timedelta(days=1)
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["150000-fgw"]
    base = f"http://127.0.0.1:{running_lab.port('lookup')}"

    def ask(purpose: str, **when: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", "X-Purpose": purpose, "X-Basis": "test"}
        return httpx.get(f"{base}/v1/subjects/{firm}", params=when, headers=headers, timeout=30)

    def kinds(answer: dict[str, Any]) -> set[str]:
        return {row["kind"] for row in answer["records"]["items"]}

    wait_until("the repair", lambda: "CourtEnforcement" not in kinds(ask("supervision").json()))
    now, then = ask("casework").json(), ask("casework", as_of=yesterday.isoformat()).json()
    assert {row["state"] for row in now["records"]["items"] if row["kind"] == "CourtEnforcement"} == {"REPAIRED"}
    assert [row["list"] for row in then["listings"]] == ["L01"]
    assert {row["action"] for row in then["orders"]} == {"ORDER"}
    assert "CourtEnforcement" in kinds(then)
    assert (then["as_of"], then["dossier"]["score"]) == (yesterday.isoformat(), None)
    refused = ask("supervision", as_of=yesterday.isoformat())
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:creditbus:problem:not-shown")
    unknown = ask("casework", known_at="2020-01-01T00:00:00Z")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:creditbus:problem:unknown-then")
