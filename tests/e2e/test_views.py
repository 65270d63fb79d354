"""The files and databases of the plan, as cuts of what the scenario left."""

from __future__ import annotations

import json

import httpx
import pytest

from creditbus.catalogue.loader import load
from creditbus.catalogue.views import load_views
from running_lab import RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def client(lab: RunningLab, holder: str) -> httpx.Client:
    key = json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())[holder]
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "supervision", "X-Basis": "test"}
    return httpx.Client(base_url=f"http://127.0.0.1:{lab.port('lookup')}", headers=headers, timeout=30)


def test_each_view_answers_and_holds_what_its_row_says(running_lab: RunningLab) -> None:
    running_lab.creditbus("simulate", "--events", "400", "--seed", "5")
    running_lab.verify()
    views = load_views(load())
    filled = set()
    with client(running_lab, "150000-fgw") as http:
        domains = {row["code"]: row["domain"] for row in http.get("/v1/catalogue").json()["departments"]}
        assert [one["code"] for one in http.get("/v1/views").json()] == list(views)
        for code, view in views.items():
            page = http.get(f"/v1/views/{code}/subjects", params={"limit": 3}).raise_for_status().json()
            for row in page["items"]:
                filled.add(code)
                assert row["kind"] in view.subjects
                file = http.get(f"/v1/views/{code}/subjects/{row['subject_key']}").raise_for_status().json()
                assert file["view"] == code
                assert file["records"]["items"]
                for record in file["records"]["items"]:
                    assert not view.kinds or record["kind"] in view.kinds
                    assert not view.domains or domains[record["sender"]] in view.domains
    assert {"legal-persons", "market", "tax"} <= filled


def test_pages_of_a_view_go_on_where_the_last_one_ended(running_lab: RunningLab) -> None:
    running_lab.creditbus("simulate", "--events", "400", "--seed", "5")
    running_lab.verify()
    with client(running_lab, "150000-fgw") as http:
        first = http.get("/v1/views/legal-persons/subjects", params={"limit": 3}).json()
        second = http.get("/v1/views/legal-persons/subjects", params={"limit": 3, "cursor": first["next"]}).json()
    keys = [row["subject_key"] for page in (first, second) for row in page["items"]]
    assert keys == sorted(set(keys))
    assert len(keys) == 6


def test_persons_are_never_listed_and_an_unknown_view_is_told(running_lab: RunningLab) -> None:
    with client(running_lab, "150000-fgw") as http:
        assert http.get("/v1/views/persons/subjects").json()["items"] == []
        answer = http.get("/v1/views/everybody/subjects")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:creditbus:problem:unknown-view")
    assert "legal-persons" in answer.json()["detail"]
