"""A held source on a running lab: its listing waits, officers of two other departments let it go."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from courtcase import a_court_listing
from creditbus.breaker.log import BreakerLog
from creditbus.breaker.steps import Decision
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.client.producer import BusClient
from creditbus.core.breaker import HOLD, rule_for
from creditbus.lab.scenarios.hohhot import BAOTOU, BUREAU, COURT
from intake_harness import rules
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def held_court(running_lab: RunningLab) -> Iterator[None]:
    """The court is held, as if it had listed thousands; the lab's own breaker is fenced by this and starts again."""
    registry = Registry(f"http://127.0.0.1:{running_lab.port('registry')}/apis/ccompat/v7")
    log = BreakerLog(f"127.0.0.1:{running_lab.port('kafka')}", registry, SchemaSet.load())
    rule = rule_for(rules(), COURT)
    assert rule is not None
    now_ms = int(time.time() * 1000)
    decision = Decision(
        control_id=f"{now_ms:032x}",
        action=HOLD,
        source=COURT,
        at_ms=now_ms,
        listings=rule.hard + 1,
        band=rule.hard,
        window_hours=rule.window_hours,
    )
    log.order(decision, "a flood", None)
    log.close()
    registry.close()
    yield
    for officer in (BUREAU, BAOTOU):
        running_lab.creditbus("breaker", "release", COURT, "--as", officer, "--reason", "the test is over", expect=None)


def file_of(lab: RunningLab, firm: str, purpose: str = "casework") -> dict[str, Any]:
    """What the look-up shows of a firm to whoever handles its case."""
    key = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())[BUREAU]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": purpose, "X-Basis": "case-18"}
    answer = httpx.get(f"http://127.0.0.1:{lab.port('lookup')}/v1/subjects/{firm}", headers=headers, timeout=30)
    return dict(answer.json()) if answer.is_success else {"listings": [], "orders": []}


def send(lab: RunningLab, event: dict[str, Any]) -> None:
    keys = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())
    with BusClient(f"http://127.0.0.1:{lab.port('gateway')}", keys[COURT]) as bus:
        assert [receipt.status for receipt in bus.send([event])] == ["RECEIVED"]


@pytest.mark.usefixtures("held_court")
def test_a_listing_of_a_held_court_takes_effect_when_two_officers_of_others_approved(running_lab: RunningLab) -> None:
    story, event = a_court_listing(7)
    send(running_lab, event)

    def file() -> dict[str, Any]:
        return file_of(running_lab, story.firm)

    wait_until("the listing", lambda: [one["state"] for one in file()["listings"]] == ["WAITING"])
    assert (file()["orders"], file()["dossier"]["listed"]) == ([], False)
    assert (file()["dossier"]["listings"], file()["dossier"]["waiting_lists"]) == ([], ["L01"])
    shown = file_of(running_lab, story.firm, "licensing")
    assert shown["listings"] == shown["dossier"]["listings"] == [], "nobody but who handles the case is shown it"
    wait_until("the hold", lambda: COURT in running_lab.creditbus("breaker", "list"))
    told = running_lab.creditbus("breaker", "show", COURT)
    assert "M01" in told and "L01" in told
    (held,) = running_lab.told("breaker", "list")
    assert (held["source"], held["state"], held["approvals"]) == (COURT, "HOLD", [])
    assert running_lab.told("breaker", "show", COURT)["waiting"]["lists"].keys() == {"L01"}

    release = ("breaker", "release", COURT, "--reason", "the court confirmed each decision", "--as")
    assert "own listings" in running_lab.creditbus(*release, COURT, expect=1)
    assert "a second officer" in running_lab.creditbus(*release, BUREAU)
    assert COURT in running_lab.creditbus("breaker", "list")
    assert "is released" in running_lab.creditbus(*release, BAOTOU)
    wait_until("the orders", lambda: {one["cause"] for one in file()["orders"]} == {"RELEASED"})
    wait_until("the dossier", lambda: bool(file()["dossier"]["listed"]))
    assert COURT not in running_lab.creditbus("breaker", "list")


@pytest.mark.usefixtures("held_court")
def test_what_waits_of_a_court_that_is_rolled_back_never_takes_effect(running_lab: RunningLab) -> None:
    story, event = a_court_listing(7)
    send(running_lab, event)

    def states() -> list[str]:
        return [one["state"] for one in file_of(running_lab, story.firm)["listings"]]

    wait_until("the listing", lambda: states() == ["WAITING"])
    wait_until("the hold", lambda: COURT in running_lab.creditbus("breaker", "list"))
    back = ("breaker", "rollback", COURT, "--reason", "the court's system sent a test file", "--as")
    assert "a second officer" in running_lab.creditbus(*back, BUREAU)
    assert "is rolled back" in running_lab.creditbus(*back, BAOTOU)
    wait_until("the roll-back", lambda: states() == ["REMOVED", "WAITING"])
    file = file_of(running_lab, story.firm)
    assert (file["orders"], file["dossier"]["listed"]) == ([], False)
    assert COURT not in running_lab.creditbus("breaker", "list")
