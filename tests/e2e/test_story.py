"""The whole path, as a user walks it: files in, orders and lifts out, look-ups and alerts, start and restart."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime
from typing import Any

import httpx
import psutil
import pytest

from creditbus.lab.state import wait_gone
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def test_the_scenario_goes_from_listing_to_recovery(running_lab: RunningLab) -> None:
    told = running_lab.creditbus("scenario", "hohhot")
    for seen in ("4 rows received", "1 refused by intake", "ORDER", "LIFT", "score 800, grade B", "stays downstream"):
        assert seen in told


def test_the_newest_message_of_every_measure_of_a_cleared_firm_is_its_lift(running_lab: RunningLab) -> None:
    """Order and lift may fall into one tick of the clock; the log tells which came last."""
    firm = running_lab.any_cleared_firm()
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["150100-scjg"]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "casework", "X-Basis": "test"}
    base = f"http://127.0.0.1:{running_lab.port('lookup')}/v1"

    def is_told() -> bool:
        """The tables follow the log each at its own pace: alerts may come before orders and the dossier."""
        found = httpx.get(f"{base}/subjects/{firm}", headers=headers).json()
        newest = {row["order_id"]: row["action"] for row in reversed(found["orders"])}
        states = [row["state"] for row in found["listings"]]
        return (
            set(newest.values()) == {"LIFT"} and states == ["REMOVED", "LISTED"] and bool(found["downstream"]["clear"])
        )

    wait_until(f"the lifts of {firm}", is_told)


def test_what_was_repaired_is_shown_to_nobody_but_who_handles_the_case(running_lab: RunningLab) -> None:
    firm = running_lab.any_cleared_firm()
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["150100-scjg"]
    base = f"http://127.0.0.1:{running_lab.port('lookup')}/v1"
    headers = {"Authorization": f"Bearer {key}", "X-Basis": "test"}

    def told(purpose: str) -> dict[str, Any]:
        answer = httpx.get(f"{base}/subjects/{firm}", headers={**headers, "X-Purpose": purpose})
        return dict(answer.raise_for_status().json())

    def kinds(purpose: str) -> set[str]:
        return {row["kind"] for row in told(purpose)["records"]["items"]}

    wait_until("the repairs to be told everywhere", lambda: kinds("supervision") == {"Registration"})
    assert {"Penalty", "CourtEnforcement", "Repair"} <= kinds("casework")
    supervision, licensing = told("supervision"), told("licensing")
    for answer in (supervision, licensing):
        assert (answer["listings"], answer["orders"]) == ([], [])


def test_nothing_is_lost_or_doubled_after_it(running_lab: RunningLab) -> None:
    running_lab.any_cleared_firm()
    report = running_lab.verify()
    assert [check["wrong"] for check in report] == [[]] * len(report)
    assert all(check["compared"] for check in report)


def test_status_and_doctor_say_that_all_is_well(running_lab: RunningLab) -> None:
    told = running_lab.creditbus("status")
    for part in ("kafka", "registry", "clickhouse", "gateway", "intake", "dossier", "warehouse", "lookup", "monitor"):
        assert part in told
    running_lab.creditbus("doctor")


def test_programs_are_told_what_people_are_told(running_lab: RunningLab) -> None:
    status = running_lab.told("status")
    assert status["is_ready"] is True
    shown = {one["name"]: one for one in status["processes"]}
    assert shown["intake"]["pid"] == running_lab.pid("intake")
    assert shown["intake"]["resident_bytes"] > 10 * 2**20
    assert all(one["phase"] == "ready" for one in shown.values())
    findings = running_lab.told("doctor")
    assert {one["what"] for one in findings} > {"registry answers", "partition leaders", "offsets are kept"}
    assert [one for one in findings if not one["is_good"] or one["remedy"]] == []
    assert {one["kind"] for one in running_lab.told("keys", "show")} == {"platform-token", "vault-master"}
    assert [one["edition"] for one in running_lab.told("rules", "list") if one["is_in_force"]]
    ticks = running_lab.told("clock", "show")["last_tick_by_partition"].values()
    assert all(datetime.fromisoformat(at).tzinfo is not None for at in ticks)
    assert ticks


@pytest.mark.parametrize(
    "part",
    ["gateway", "intake", "clock", "dossier", "warehouse", "lookup", "console", "notifier", "monitor", "breaker"],
)
def test_every_service_answers_health_and_metrics(running_lab: RunningLab, part: str) -> None:
    base = f"http://127.0.0.1:{running_lab.port(part)}"
    assert httpx.get(f"{base}/health/live").status_code == 200
    assert httpx.get(f"{base}/health/ready").status_code == 200
    assert "# TYPE" in httpx.get(f"{base}/metrics").text


def test_a_look_up_without_purpose_or_key_gets_no_answer(running_lab: RunningLab) -> None:
    base = f"http://127.0.0.1:{running_lab.port('lookup')}"
    assert httpx.get(f"{base}/v1/subjects/91150102MA0N123408").status_code == 401
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())["150100-scjg"]
    answer = httpx.get(f"{base}/v1/subjects/91150102MA0N123408", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:creditbus:problem:no-basis")


def test_a_killed_lab_starts_again_on_its_data(running_lab: RunningLab) -> None:
    running_lab.any_cleared_firm()
    state = json.loads((running_lab.folder / "state.json").read_text())
    others = {one["name"]: psutil.Process(one["process"]["pid"]) for one in state["processes"]}
    os.kill(state["supervisor"]["pid"], signal.SIGKILL)
    os.kill(running_lab.pid("kafka"), signal.SIGKILL)
    left = [name for name, one in others.items() if not wait_gone(one, 60)]
    assert not left, "they end without being told"
    running_lab.creditbus("up", "--detach")
    report = running_lab.verify()
    assert [check["wrong"] for check in report] == [[]] * len(report)


def test_every_look_up_of_a_firm_is_told_to_whoever_may_ask_page_by_page(running_lab: RunningLab) -> None:
    firm = running_lab.any_cleared_firm()
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    with httpx.Client(base_url=f"http://127.0.0.1:{running_lab.port('lookup')}/v1", timeout=30) as http:
        headers = {"Authorization": f"Bearer {keys['150100-scjg']}", "X-Purpose": "casework", "X-Basis": "case-17"}
        asked = [http.get(f"/subjects/{firm}", headers=headers).json()["access_id"] for _ in range(3)]

        def told(first_page: int = 500) -> list[dict[str, str]]:
            """All pages: each question of the wait is an access too, and pushes those asked off the newest page."""
            items: list[dict[str, str]] = []
            more: dict[str, str | int] = {"limit": first_page}
            while more:
                page = http.get(f"/subjects/{firm}/accesses", params=more, headers=headers).json()["accesses"]
                items += page["items"]
                more = {"limit": 500, "cursor": page["next"]} if page["next"] else {}
            return items

        wait_until("the ledger", lambda: set(asked) <= {one["access_id"] for one in told()})
        mine = [one for one in told(first_page=2) if one["access_id"] in asked]
        assert len(mine) == len(asked), "a record stands on one page only"
        assert {(one["department"], one["purpose"], one["basis"]) for one in mine} == {
            ("150100-scjg", "casework", "case-17")
        }
        refused = http.get(f"/subjects/{firm}/accesses", headers={**headers, "X-Purpose": "licensing"})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:creditbus:problem:not-shown")
