"""Alerts over HTTP: pages of the latest, and a stream that goes on where its reader broke off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from creditbus.client.alerts import AlertReader, AlertsError, SubjectAlert
from creditbus.client.producer import RetryPolicy
from ports import free_ports
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
BOTH = ["DISHONEST_SUBJECT", "CLEARED_SUBJECT"]


def lab_key(lab: RunningLab, holder: str) -> str:
    return str(json.loads((lab.folder / "secrets" / "lab-keys.json").read_text())[holder])


@pytest.fixture
def http(running_lab: RunningLab) -> Iterator[httpx.Client]:
    """The look-up, asked by the console."""
    key = lab_key(running_lab, "console")
    base = f"http://127.0.0.1:{running_lab.port('lookup')}/v1"
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        yield client


def streamed(http: httpx.Client, firm: str, kinds: Sequence[str], **query: Any) -> list[tuple[str, str]]:
    """(kind, id) of the firm's alerts until one of each kind came; the stream has no end of its own."""
    found: list[tuple[str, str]] = []
    position = ""
    with http.stream("GET", "/alerts/stream", **query) as stream:
        assert stream.status_code == 200, stream.read()
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                position = value
            elif name == "data" and json.loads(value)["subject_key"] == firm:
                found.append((json.loads(value)["kind"], position))
            if {kind for kind, _ in found} >= set(kinds):
                break
    return found


def test_a_reader_that_comes_back_with_a_position_or_a_time_gets_what_came_meanwhile(
    running_lab: RunningLab, http: httpx.Client
) -> None:
    position = http.get("/alerts").json()["position"]
    began = datetime.now(UTC).isoformat()
    firm = running_lab.cleared_firm()
    chosen = {"kind": BOTH}
    found = streamed(http, firm, BOTH, params={**chosen, "position": position})
    assert [kind for kind, _ in found] == BOTH
    assert [kind for kind, _ in streamed(http, firm, BOTH, params={**chosen, "since": began})] == BOTH
    after_the_first = {"Last-Event-ID": found[0][1]}
    for path in ("/alerts/stream", "/alerts"):
        query = {"params": chosen, "headers": {**after_the_first, "Accept": "text/event-stream"}}
        assert [kind for kind, _ in streamed(http, firm, BOTH[1:], **query)] == BOTH[1:], path


def test_pages_hold_every_alert_once_and_filters_take_what_they_name(
    running_lab: RunningLab, http: httpx.Client
) -> None:
    firm = running_lab.any_cleared_firm()
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"kind": BOTH, "region": "150000", "limit": 3}
    while True:
        page = http.get("/alerts", params=query).raise_for_status().json()
        found += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    ids = [one["alert_id"] for one in found]
    assert len(ids) == len(set(ids))
    assert {one["kind"] for one in found} == set(BOTH)
    assert [one["kind"] for one in reversed(found) if one["subject_key"] == firm] == BOTH
    assert [one["at"] for one in found] == sorted((one["at"] for one in found), reverse=True)
    elsewhere = http.get("/alerts", params={"region": "150200", "limit": 500}).json()["items"]
    assert {one["region"][:4] for one in elsewhere} <= {"1502"}


def test_a_reader_goes_on_through_a_restart_of_the_look_up(running_lab: RunningLab, http: httpx.Client) -> None:
    seen: list[SubjectAlert] = []
    is_over, began = threading.Event(), threading.Event()
    policy = RetryPolicy(attempts=200, first_wait_seconds=0.2)

    def stopping() -> bool:
        if reader.position:
            began.set()
        return is_over.is_set()

    def follow() -> None:
        for alert in reader.alerts(stopping=stopping):
            seen.append(alert)

    def has_seen(firm: str) -> list[str]:
        return [one.kind for one in seen if one.subject_key == firm]

    lookup_url = str(http.base_url.copy_with(path="/"))
    with AlertReader(lookup_url, lab_key(running_lab, "console"), kinds=BOTH, policy=policy) as reader:
        thread = threading.Thread(target=follow)
        thread.start()
        try:
            assert began.wait(30)
            first = running_lab.cleared_firm()
            running_lab.kill("lookup")
            second = running_lab.cleared_firm()
            wait_until("the second firm's alerts", lambda: len(has_seen(second)) == 2)
        finally:
            is_over.set()
            thread.join(60)
        assert (has_seen(first), has_seen(second)) == (BOTH, BOTH)
        last = next(one for one in seen if one.subject_key == second)
        again = next(reader.alerts(last.position))
        assert (again.subject_key, again.kind) == (second, "CLEARED_SUBJECT")
        since = next(reader.alerts(last.at - timedelta(days=1)))
        assert since.at <= last.at


def test_a_reader_without_a_key_or_a_look_up_is_told(http: httpx.Client) -> None:
    lookup_url = str(http.base_url.copy_with(path="/"))
    with AlertReader(lookup_url, "nobody") as reader, pytest.raises(AlertsError, match="API"):
        next(reader.alerts())
    policy = RetryPolicy(attempts=2, first_wait_seconds=0.01)
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    with AlertReader(nobody, "nobody", policy=policy) as reader, pytest.raises(AlertsError, match="is it running"):
        next(reader.alerts())


@pytest.mark.parametrize(
    ("query", "headers", "status", "code", "told"),
    [
        ({"kind": "EVERYTHING"}, {}, 422, "unknown-kind", "CLEARED_SUBJECT"),
        ({"position": "yesterday"}, {}, 400, "bad-position", "since"),
        ({}, {"Last-Event-ID": "5f2c"}, 400, "bad-position", "Last-Event-ID"),
        ({"since": "2026-11-01T00:00:00"}, {}, 422, "malformed", "since"),
    ],
)
@pytest.mark.parametrize("path", ["/alerts", "/alerts/stream"])
def test_what_cannot_be_answered_is_told_with_the_remedy(
    http: httpx.Client, path: str, query: dict[str, str], headers: dict[str, str], status: int, code: str, told: str
) -> None:
    answer = http.get(path, params=query, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:creditbus:problem:{code}")
    assert told in answer.json()["detail"]
    assert answer.json()["detail_zh"]


def test_the_page_of_the_interface_names_what_can_be_asked(http: httpx.Client) -> None:
    interface = httpx.get(f"{http.base_url.copy_with(path='/openapi.json')}").json()
    asked = {one["name"] for one in interface["paths"]["/v1/alerts/stream"]["get"]["parameters"]}
    assert asked >= {"kind", "region", "position", "since", "last-event-id"}
