"""A changed catalogue takes effect on a running lab when two officers of different departments have approved it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from creditbus.bus.editions import publish_edition, read_editions
from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import DATA, load
from creditbus.client.producer import BusClient
from creditbus.core.hashing import jump_id
from creditbus.lab.scenarios.hohhot import BAOTOU, BUREAU
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
OFFICE = "150000-new"
NEW = "I08"
"""Family of measures that nobody carries out in the program's own catalogue."""
WHY = ("--reason", "试算结果已公示（虚构）")


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A catalogue with another English name of a list, a department more, and one more that gives an incentive."""
    folder = tmp_path / "catalogue"
    shutil.copytree(DATA, folder)
    lists = (folder / "lists.yaml").read_text(encoding="utf-8")
    assert "abnormal operation" in lists
    (folder / "lists.yaml").write_text(lists.replace("abnormal operation", "abnormally operating"), encoding="utf-8")
    row = f"code: S-NEW, department: {BAOTOU}, zh: 新, en: new, families: [{NEW}], persons: false, basis: x, mark: GK"
    office = f'code: {OFFICE}, zh: 新, en: new, domain: market, region: "150000", sequence: 98, mark: GK'
    for name, new in (("subscribers", row), ("departments", office)):
        with (folder / f"{name}.yaml").open("a", encoding="utf-8") as rows:
            rows.write(f"  - {{{new}}}\n")
    return folder


def test_an_edition_takes_effect_by_two_officers_and_not_by_one(
    running_lab: RunningLab, changed: Path, tmp_path: Path
) -> None:
    webhook = ("webhooks", "add", "new", "--department", BAOTOU, "--url", "https://example.invalid/", "--families", NEW)
    assert f"does not carry out {NEW}" in running_lab.creditbus(*webhook, expect=2)
    permits = tmp_path / "permits.csv"
    shutil.copy(Path(__file__).parents[1] / "data" / "permits-utf8.csv", permits)
    sent = ("import", str(permits), "--department", OFFICE, "--fictitious")
    assert f"{OFFICE} is not in the catalogue" in running_lab.creditbus(*sent, "--dry-run", expect=2)
    name = edition_of(load(changed)).hash
    told = running_lab.creditbus("rules", "propose", str(changed))
    assert name in told
    assert "abnormally operating" in told
    running_lab.creditbus("rules", "activate", name, expect=2)
    assert "1 more has to approve" in running_lab.creditbus("rules", "approve", name[:12], "--as", BUREAU, *WHY)
    assert "1 more has to approve" in running_lab.creditbus("rules", "approve", name[:12], "--as", BUREAU, *WHY)
    assert BUREAU in running_lab.creditbus("rules", "activate", name, expect=2)

    running_lab.creditbus("rules", "approve", name, "--as", BAOTOU, *WHY)
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    before = read_editions(brokers).in_force
    assert before is not None
    assert before.hash != name, "approved is not in force yet"
    running_lab.creditbus("rules", "activate", name)
    now = read_editions(brokers).in_force
    assert now is not None
    assert (now.hash, now.approved_by) == (name, (BUREAU, BAOTOU))
    assert name[:16] in running_lab.creditbus("rules", "list")
    running_lab.creditbus(*webhook)
    running_lab.creditbus("webhooks", "remove", "new")

    breaker = running_lab.folder / "logs" / "breaker.log"
    wait_until("the breaker's bands to be those of the new edition", lambda: name in breaker.read_text())
    gateway = f"http://127.0.0.1:{running_lab.port('gateway')}"
    with BusClient(gateway, "") as anybody:
        wait_until("the gateway to tell the new edition", lambda: anybody.edition().hash == name)
    running_lab.creditbus("catalogue", "show", OFFICE, expect=1)
    assert OFFICE in running_lab.creditbus("catalogue", "show", OFFICE, "--in-force")
    running_lab.creditbus(*sent, "--dry-run")
    running_lab.creditbus(*sent, "--wait")
    names = f"http://127.0.0.1:{running_lab.port('console')}/api/names"  # which the look-up API tells
    wait_until("pages to show the new edition", lambda: "abnormally operating" in httpx.get(names).text)
    firm = running_lab.cleared_firm()
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    headers = {"Authorization": f"Bearer {keys['console']}"}
    alerts = f"http://127.0.0.1:{running_lab.port('lookup')}/v1/alerts?limit=500"
    items = httpx.get(alerts, headers=headers).json()["items"]
    assert [one["text_en"] for one in items if one["kind"] == "RULES_CHANGED"][0].startswith(f"edition {name[:16]}")
    assert running_lab.told("explain", firm)["edition"] == name
    assert [check["wrong"] for check in running_lab.verify() if check["wrong"]] == []


def test_what_is_only_published_is_not_in_force(running_lab: RunningLab, changed: Path) -> None:
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    before = read_editions(brokers).in_force
    text = edition_of(load(changed)).text + b" "
    published = publish_edition(brokers, text)
    assert read_editions(brokers).in_force == before
    assert published[:16] in running_lab.creditbus("rules", "list")


def test_a_malformed_approval_is_told_of_in_both_languages(running_lab: RunningLab) -> None:
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    base = f"http://127.0.0.1:{running_lab.port('gateway')}/v1/editions"
    headers = {"Authorization": f"Bearer {keys[BUREAU]}"}
    for path, body, field in (("nothing", {"reason": "because"}, "edition"), ("a" * 64, {"reason": ""}, "reason")):
        answer = httpx.post(f"{base}/{path}/approvals", json=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:creditbus:problem:malformed")
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in answer.json()["detail"]
        assert "更正" in answer.json()["detail_zh"]
    assert httpx.post(f"{base}/{'a' * 64}/approvals", json={"reason": "because"}).status_code == 401


def test_an_unknown_edition_is_told_of(running_lab: RunningLab) -> None:
    told = running_lab.creditbus("rules", "approve", "0" * 64, "--as", BUREAU, *WHY, expect=1)
    assert "no edition begins so" in told
    wait_until("the list of editions", lambda: "in force" in running_lab.creditbus("rules", "list"))


def test_a_jump_of_the_clock_is_approved_by_two_and_refused_where_time_has_gone_on(running_lab: RunningLab) -> None:
    keys = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())
    url = f"http://127.0.0.1:{running_lab.port('gateway')}/v1/clock-jumps/approvals"
    jump = {"since": "2026-01-01T00:00:00+08:00", "until": "2026-02-01T00:00:00+08:00", "reason": "停运（虚构）"}
    backwards = {**jump, "until": jump["since"]}
    headers = {"Authorization": f"Bearer {keys[BUREAU]}"}
    assert httpx.post(url, json=backwards, headers=headers).status_code == 422
    for officer in (BUREAU, BAOTOU):
        answer = httpx.post(url, json=jump, headers={"Authorization": f"Bearer {keys[officer]}"})
        assert answer.is_success, answer.text
    told = running_lab.creditbus("clock", "show")
    assert f"{BUREAU}, {BAOTOU}" in told
    name = jump_id(*(int(datetime.fromisoformat(jump[one]).timestamp() * 1000) for one in ("since", "until")))
    assert name[:16] in told
    assert "time has gone on" in running_lab.creditbus("clock", "jump", name[:12], expect=2)
    assert "停运" not in running_lab.creditbus("rules", "list"), "approvals of editions are told apart"
