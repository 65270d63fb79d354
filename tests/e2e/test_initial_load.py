"""A department's initial load on a running lab: nothing follows from it until two officers have read its report."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from courtcase import a_court_listing
from creditbus.client.producer import BusClient
from creditbus.lab.scenarios.hohhot import BAOTOU, BUREAU, COURT, Story
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def a_listing(load_id: str, number: int) -> tuple[Story, dict[str, Any]]:
    story, event = a_court_listing(number)
    return story, {**event, "load_id": load_id}


def key_of(lab: RunningLab, department: str) -> str:
    return str(json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())[department])


def ask(lab: RunningLab, department: str, path: str, purpose: str = "casework") -> httpx.Response:
    """An answer of the look-up to a department."""
    headers = {"Authorization": f"Bearer {key_of(lab, department)}", "X-Purpose": purpose, "X-Basis": "case-18"}
    return httpx.get(f"http://127.0.0.1:{lab.port('lookup')}{path}", headers=headers, timeout=30)


def send(lab: RunningLab, event: dict[str, Any]) -> str:
    with BusClient(f"http://127.0.0.1:{lab.port('gateway')}", key_of(lab, COURT)) as bus:
        assert [receipt.status for receipt in bus.send([event])] == ["RECEIVED"]
    return str(event["event_id"])


def state_of(lab: RunningLab, event_id: str) -> str:
    return str(ask(lab, COURT, f"/v1/events/{event_id}").json().get("state"))


def standing(lab: RunningLab, load_id: str) -> str | None:
    """Where a load stands."""
    return {one["load_id"]: one["state"] for one in lab.told("load", "list")}.get(load_id)


def alerts_about(lab: RunningLab, subject_key: str) -> set[str]:
    rows = ask(lab, BUREAU, "/v1/alerts?limit=500").json()["items"]
    return {row["kind"] for row in rows if row["subject_key"] == subject_key}


def test_a_load_is_silent_until_two_officers_of_others_release_it(running_lab: RunningLab) -> None:
    lab, load_id = running_lab, f"first-{int(time.time())}"
    story, event = a_listing(load_id, 31)

    early = send(lab, event)
    wait_until("the refusal", lambda: state_of(lab, early) == "REJECTED")
    faults = ask(lab, COURT, f"/v1/events/{early}").json()["faults"]
    assert [one["code"] for one in faults] == ["load-not-open"]

    opens = ("load", "open", COURT, load_id, "--reason", "the court joins the bus", "--as")
    assert "officers of two other" in lab.creditbus(*opens, COURT, expect=1)
    assert "a second officer" in lab.creditbus(*opens, BUREAU)
    assert "by two" in lab.creditbus(*opens, BAOTOU)
    wait_until("the load", lambda: standing(lab, load_id) == "OPEN")

    send(lab, event)
    wait_until("the record", lambda: state_of(lab, early) == "RECORDED")
    show = ("load", "show", COURT, load_id, "--as", BUREAU)
    wait_until("the report", lambda: lab.told(*show)["waiting"]["listings"] == 1)
    report = lab.told(*show)
    assert (report["events"], report["kinds"], report["waiting"]["lists"]) == (1, {"CourtEnforcement": 1}, {"L01": 1})
    assert "M01" in report["waiting"]["orders_at_most"]
    assert "L01" in lab.creditbus(*show)
    shown = ask(lab, BUREAU, f"/v1/subjects/{story.firm}", "licensing").json()
    assert (shown["listings"], shown["dossier"]["listed"]) == ([], False)
    assert alerts_about(lab, story.firm[8:17]) == set()
    assert not any(one["source"].startswith(f"{COURT}:") for one in lab.told("breaker", "list"))

    release = ("load", "release", COURT, load_id, "--reason", "each listing was compared", "--as")
    assert "is OPEN" in lab.creditbus(*release, BUREAU, expect=1)
    assert "complete" in lab.creditbus("load", "complete", COURT, load_id)
    wait_until("the completion", lambda: standing(lab, load_id) == "COMPLETE")
    late = send(lab, a_listing(load_id, 32)[1])
    wait_until("the refusal", lambda: state_of(lab, late) == "REJECTED")

    assert "a second officer" in lab.creditbus(*release, BUREAU)
    assert "by two" in lab.creditbus(*release, BAOTOU)
    wait_until("the release", lambda: standing(lab, load_id) == "RELEASE")

    def file() -> dict[str, Any]:
        return dict(ask(lab, BUREAU, f"/v1/subjects/{story.firm}").json())

    wait_until("the orders", lambda: {one["cause"] for one in file()["orders"]} == {"LOADED"})
    wait_until("the dossier", lambda: bool(file()["dossier"]["listed"]))
    assert alerts_about(lab, story.firm[8:17]) == set(), "it is no news"
    told = {row["kind"] for row in ask(lab, BUREAU, "/v1/alerts?limit=500").json()["items"]}
    assert told >= {"LOAD_OPENED", "LOAD_COMPLETED", "LOAD_RELEASED"}


def test_a_load_that_is_rolled_back_never_takes_effect(running_lab: RunningLab) -> None:
    lab, load_id = running_lab, f"wrong-{int(time.time())}"
    story, event = a_listing(load_id, 33)
    for officer in (BUREAU, BAOTOU):
        lab.creditbus("load", "open", COURT, load_id, "--reason", "the court joins the bus", "--as", officer)
    wait_until("the load", lambda: standing(lab, load_id) == "OPEN")
    sent = send(lab, event)
    wait_until("the record", lambda: state_of(lab, sent) == "RECORDED")
    for officer in (BUREAU, BAOTOU):
        lab.creditbus("load", "rollback", COURT, load_id, "--reason", "a test file was sent", "--as", officer)

    def file() -> dict[str, Any]:
        return dict(ask(lab, BUREAU, f"/v1/subjects/{story.firm}").json())

    wait_until("the roll-back", lambda: [one["state"] for one in file()["listings"]] == ["REMOVED", "WAITING"])
    assert (file()["orders"], file()["dossier"]["listed"], alerts_about(lab, story.firm[8:17])) == ([], False, set())
