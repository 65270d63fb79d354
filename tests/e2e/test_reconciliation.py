"""A department's own list of a day's events against what reached the bus, as the command compares them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from creditbus.client.producer import BusClient
from creditbus.core.reconciliation import digest_of
from intake_harness import example
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
DEPARTMENT = "150000-xxzx"
"""It sends little else; whatever it does is told by the bus itself."""


def ticket(**changes: Any) -> dict[str, Any]:
    number = uuid.uuid4()
    return example("SupervisionTicket", event_id=str(number), document__number=f"对账{number}", **changes)


def test_a_day_that_agrees_and_one_that_does_not(running_lab: RunningLab, tmp_path: Path) -> None:
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    good = [ticket() for _ in range(3)]
    refused = ticket(subject__identifiers=[{"scheme": "USCC", "value": "91150102MA0N123409"}])
    sent = {one["event_id"] for one in (*good, refused)}
    with BusClient(f"http://127.0.0.1:{running_lab.port('gateway')}", keys[DEPARTMENT]) as bus:
        assert {receipt.status for receipt in bus.send([*good, refused])} == {"RECEIVED"}

    def reconcile(*arguments: str, expect: int = 0) -> dict[str, Any]:
        return dict(running_lab.told("reconcile", "--department", DEPARTMENT, *arguments, expect=expect))

    url = f"http://127.0.0.1:{running_lab.port('lookup')}/v1/reconciliation"
    headers = {"Authorization": f"Bearer {keys[DEPARTMENT]}"}
    day = str(reconcile()["day"])

    def arrived() -> set[str]:
        asked = {"day": day, "event_ids": sorted(sent)}
        told = httpx.post(url, json=asked, headers=headers, timeout=30).raise_for_status().json()
        return sent - set(told["missing"]) | set(told["surplus"])

    wait_until("the events", lambda: sent <= arrived())
    everything = arrived()
    file = tmp_path / "ids.txt"
    file.write_text("\n".join(everything), encoding="utf-8")
    told = reconcile(str(file))
    assert (told["agrees"], told["missing"], told["surplus"]) == (True, [], [])
    assert told["digest"] == told["sent"]["digest"] == digest_of(everything) == reconcile()["digest"]
    assert refused["event_id"] in told["rejected"]
    assert not {one["event_id"] for one in good} & set(told["rejected"])

    lost, unknown = str(uuid.uuid4()), good[0]["event_id"]
    file.write_text("\n".join([lost, *(everything - {unknown})]), encoding="utf-8")
    told = reconcile(str(file), expect=1)
    assert (told["missing"], told["surplus"]) == ([lost], [unknown])
    said = running_lab.creditbus("reconcile", str(file), "--department", DEPARTMENT, expect=1)
    assert lost in said and "send it again" in said
    other = {"day": "2026-01-05", "event_ids": [unknown]}
    told = httpx.post(url, json=other, headers=headers, timeout=30).raise_for_status().json()
    assert (told["agrees"], told["other_days"]) == (True, [{"event_id": unknown, "day": day}])


def test_only_who_sends_reconciles_and_only_days_that_have_come(running_lab: RunningLab) -> None:
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    url = f"http://127.0.0.1:{running_lab.port('lookup')}/v1/reconciliation"

    def asked(holder: str, day: str) -> tuple[int, str]:
        answer = httpx.get(url, params={"day": day}, headers={"Authorization": f"Bearer {keys[holder]}"}, timeout=30)
        return answer.status_code, str(answer.json().get("type", ""))

    assert asked("console", "2026-01-05") == (403, "urn:creditbus:problem:not-allowed")
    assert asked(DEPARTMENT, "2999-01-01") == (400, "urn:creditbus:problem:not-yet")
    assert asked(DEPARTMENT, "soon")[0] == 422
