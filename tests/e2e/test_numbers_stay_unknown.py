"""The number of a person goes no further than the restricted input: to no topic, table, log, metric, file or answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer

from creditbus.core.identifiers.synthetic import synthetic_citizen
from creditbus.lab.reading import read_topic
from running_lab import PARTS, RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
COURT = "150100-zy"
NUMBER = synthetic_citizen("150102", date(1985, 3, 7))
WRONG_CHECK = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")
NEEDLES = (NUMBER.encode(), NUMBER[:17].encode())
"""The second is the first without its check character, and so is a part of the number with a wrong one."""
EXAMPLE = Path(__file__).parents[2] / "schemas/avro/examples/CourtEnforcement/valid-firm.json"
RESTRICTED = "credit.events."


@pytest.fixture(scope="module")
def told(running_lab: RunningLab) -> dict[str, Any]:
    """A person is enforced against, sent wrongly and looked up; what became of each event, by its number."""
    key = json.loads((running_lab.folder / "secrets" / "lab-keys.json").read_text())[COURT]
    gateway = f"http://127.0.0.1:{running_lab.port('gateway')}/v1/events"
    lookup = f"http://127.0.0.1:{running_lab.port('lookup')}/v1"
    headers = {"Authorization": f"Bearer {key}", "X-Purpose": "casework", "X-Basis": "test"}
    events = [_of_person(1, NUMBER), _of_person(2, WRONG_CHECK), _in_a_text(3)]
    with httpx.Client(headers=headers, timeout=30) as http:
        answer = http.post(gateway, json={"events": events})
        answers = [answer.text]

        def has_ended() -> bool:
            states = [http.get(f"{lookup}/events/{event['event_id']}") for event in events]
            answers[1:] = [state.text for state in states]
            return all(state.is_success and state.json()["state"] != "RECEIVED" for state in states)

        wait_until("the events to end", has_ended)
        states = [json.loads(text)["state"] for text in answers[1:]]
        for number in (NUMBER, WRONG_CHECK):
            answers.append(http.get(f"{lookup}/subjects/{number}").text)
        matched = [
            http.post(f"{lookup}/match", json={"scheme": "CITIZEN", "value": number})
            for number in (NUMBER, WRONG_CHECK)
        ]
        answers += [one.text for one in matched]
    return {
        "states": states,
        "answers": answers,
        "matched": matched[0].json(),
        "refused": [one.status_code for one in matched[1:]],
    }


def test_the_right_number_makes_a_record_and_the_others_do_not(told: dict[str, Any]) -> None:
    assert told["states"] == ["RECORDED", "REJECTED", "REJECTED"], told["answers"][1:4]


def test_whoever_has_the_number_finds_the_person_by_it(told: dict[str, Any]) -> None:
    assert re.fullmatch(r"p:\d+:[0-9a-f]{40}", told["matched"]["subject_key"]), "the key's version is the lab's"
    assert told["refused"] == [400]


def test_no_answer_shows_the_number(told: dict[str, Any]) -> None:
    assert not [answer[:200] for answer in told["answers"] if NUMBER[:17] in answer]


def test_only_the_restricted_input_holds_the_number(running_lab: RunningLab, told: dict[str, Any]) -> None:
    brokers = f"127.0.0.1:{running_lab.port('kafka')}"
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "search"})
    topics = sorted(topic for topic in consumer.list_topics(timeout=15).topics if not topic.startswith("__"))
    consumer.close()
    assert "credit.identities" in topics
    holding = {topic for topic in topics if _topic_has(brokers, topic)}
    assert holding == {f"{RESTRICTED}judicial"}, "the input has it, or this search finds nothing"
    assert len(topics) > 40


def test_no_table_log_metric_or_file_holds_the_number(running_lab: RunningLab, told: dict[str, Any]) -> None:
    found = [name for name, data in _everything_readable(running_lab) if any(needle in data for needle in NEEDLES)]
    assert found == []


def _of_person(event: int, number: str) -> dict[str, Any]:
    identifiers = [{"scheme": "CITIZEN", "value": number}]
    subject = {"kind": "NATURAL_PERSON", "name": "虚构乙", "identifiers": identifiers}
    return _event(event, subject=subject)


def _in_a_text(event: int) -> dict[str, Any]:
    made = _event(event)
    made["facts"]["obligation"] = f"被执行人身份证号{NUMBER}，给付货款（虚构）"
    return made


def _event(event: int, **changes: Any) -> dict[str, Any]:
    made = {**json.loads(EXAMPLE.read_text(encoding="utf-8")), **changes}
    made["event_id"] = f"00000000-0000-4000-8000-00000000e2e{event}"
    made["document"]["number"] = made["facts"]["case_number"] = f"（2026）内01执93{event:02}号"
    return made


def _topic_has(brokers: str, topic: str) -> bool:
    found = False

    def look(messages: Any) -> None:
        nonlocal found
        for message in messages:
            parts = [message.key(), message.value(), *(value for _, value in message.headers() or ())]
            found = found or any(needle in part for part in parts if part for needle in NEEDLES)

    read_topic(brokers, topic, look)
    return found


def _everything_readable(lab: RunningLab) -> Iterator[tuple[str, bytes]]:
    """Rows of every table, metrics of every service, and every file of the lab but for the restricted input's own."""
    front = f"http://127.0.0.1:{lab.port('clickhouse')}"
    tables = httpx.post(
        front, content="SELECT database || '.' || name FROM system.tables WHERE engine LIKE '%MergeTree'"
    )
    names = tables.text.split()
    assert len(names) > 5
    for name in names:
        yield name, httpx.post(front, content=f"SELECT * FROM {name} FORMAT JSONEachRow", timeout=60).content
    for part in PARTS[4:]:
        yield f"metrics of {part}", httpx.get(f"http://127.0.0.1:{lab.port(part)}/metrics").content
    for file in lab.folder.rglob("*"):
        if file.is_file() and RESTRICTED not in str(file.parent):
            yield str(file.relative_to(lab.folder)), file.read_bytes()
