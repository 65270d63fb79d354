"""The broker stands still under load: nobody is told RECEIVED, senders are held back, nothing is missing afterwards."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from creditbus.client.producer import BusClient
from creditbus.lab.simulator.story import Mix, Story
from running_lab import RunningLab

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
DEPARTMENT = "150100-scjg"
BATCH, REQUESTS = 500, 50
"""Together more than the gateway lets wait for the brokers (gateway_in_flight_messages)."""


def batches() -> list[list[dict[str, Any]]]:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    plain = Mix(bad=0, duplicates=0, corrections=0, late=0, repairs=0)
    story = Story(seed=77, subjects=500, day=yesterday, mix=plain)
    events: list[dict[str, Any]] = []
    for sent in story.events(400_000):
        if sent.department == DEPARTMENT:
            events.append(sent.event)
        if len(events) == BATCH * REQUESTS:
            break
    return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]


def test_a_broker_that_stands_still_holds_senders_back_and_loses_nothing(running_lab: RunningLab) -> None:
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())[DEPARTMENT]
    url = f"http://127.0.0.1:{running_lab.port('gateway')}"
    sent = batches()
    assert len(sent) == REQUESTS
    limits = httpx.Limits(max_connections=REQUESTS)
    broker = running_lab.pid("kafka")
    with httpx.Client(base_url=url, timeout=90, limits=limits, headers={"Authorization": f"Bearer {key}"}) as http:
        os.kill(broker, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(REQUESTS) as pool:
                answers = list(pool.map(lambda batch: http.post("/v1/events", json={"events": batch}), sent))
        finally:
            os.kill(broker, signal.SIGCONT)
    statuses = Counter(answer.status_code for answer in answers)
    # 429 for want of room, or 503 when the brokers were found silent before the room was full: a slow machine's case
    assert set(statuses) <= {429, 503}, statuses
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    told = {one["status"] for answer in answers for one in answer.json().get("results", [])}
    assert told <= {"UNKNOWN"}

    with BusClient(url, key) as bus:
        receipts = [receipt for batch in sent for receipt in bus.send(batch)]
    assert {receipt.status for receipt in receipts} == {"RECEIVED"}
    report = running_lab.verify()
    assert [check["wrong"] for check in report] == [[]] * len(report)
