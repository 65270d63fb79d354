"""The gateway as a process, with real Kafka and registry: what it says is what the log has."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from typer.testing import CliRunner

from creditbus.bus.editions import publish_edition
from creditbus.bus.kafka import consumer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.settings import read_key
from creditbus.bus.topics import ensure_topics, load_topics, schemas_of
from creditbus.bus.wire import Types, read_value
from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import load
from creditbus.cli import build
from creditbus.client.producer import BusClient
from creditbus.lab.secrets import ensure_secrets, read_lab_keys
from unit.gateway.test_steps import make_event
from waiting import wait_until

pytestmark = pytest.mark.integration

DEPARTMENT = "150100-scjg"
ROLES = ("producer", "subscriber")
TOPIC = "credit.events.market"
SERVICES = Path(__file__).parents[3] / "services"


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    secrets: Path
    process: subprocess.Popen[bytes]

    @property
    def key(self) -> str:
        return read_lab_keys(self.secrets)[DEPARTMENT]

    def post(self, body: object, **headers: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return httpx.post(f"{self.url}/v1/events", json=body, headers=headers, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=10)


def start(folder: Path, port: int, **settings: str) -> Gateway:
    ensure_secrets(folder, {DEPARTMENT: ROLES})
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CREDITBUS_")},
        "PYTHONPATH": str(SERVICES),
        "CREDITBUS_HTTP_PORT": str(port),
        "CREDITBUS_SECRETS": str(folder),
        **settings,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "creditbus.gateway"], env=environment, stderr=log)
    return Gateway(f"http://127.0.0.1:{port}", folder, process)


def answers(gateway: Gateway, path: str, status: int) -> bool:
    try:
        return gateway.get(path).status_code == status
    except httpx.TransportError:
        return False


def stop(gateway: Gateway) -> None:
    gateway.process.terminate()
    gateway.process.wait(20)


@pytest.fixture(scope="module")
def prepared(kafka_brokers: str, registry_url: str) -> tuple[str, str]:
    """Topics, schemas and an edition, as the deploy steps leave them."""
    topics = load_topics()
    ensure_topics(kafka_brokers, topics)
    registry = Registry(registry_url)
    registry.require_full_compatibility()
    pairs = [pair for pair in schemas_of(topics, SchemaSet.load()) if pair[0].startswith("credit.events.")]
    assert list(registry.push(pairs))
    registry.close()
    publish_edition(kafka_brokers, edition_of(load()).text)
    return kafka_brokers, registry_url


@pytest.fixture(scope="module")
def gateway(
    prepared: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Gateway]:
    brokers, registry = prepared
    folder = tmp_path_factory.mktemp("gateway")
    running = start(folder, free_port(), CREDITBUS_BROKERS=brokers, CREDITBUS_REGISTRY_URL=registry)
    try:
        wait_until("readiness", lambda: answers(running, "/health/ready", 200))
        yield running
    finally:
        stop(running)


def messages_of(brokers: str, topic: str) -> list[Message]:
    """Everything on a topic."""
    consumer = Consumer(consumer_config(brokers, f"test-{uuid.uuid4()}"))
    found: list[Message] = []
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            place = TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([place])
            position = 0
            while position < end:
                for message in consumer.consume(500, 1.0):
                    found.append(message)
                    position = (message.offset() or 0) + 1
    finally:
        consumer.close()
    return found


def new_event(**changes: Any) -> dict[str, Any]:
    return make_event(event_id=str(uuid.uuid4()), **changes)


def test_what_is_received_is_on_the_log_stamped_and_readable(prepared: tuple[str, str], gateway: Gateway) -> None:
    event = new_event()
    answer = gateway.post(event)
    assert answer.status_code == 202
    (result,) = answer.json()["results"]
    assert (result["status"], result["track"]) == ("RECEIVED", f"http://127.0.0.1:18090/v1/events/{event['event_id']}")
    (message,) = [one for one in messages_of(prepared[0], TOPIC) if one.key() == event["event_id"].encode()]
    headers = dict(message.headers() or [])
    key = read_key(gateway.secrets, "gateway-hmac.key")
    expected = hmac.new(key, DEPARTMENT.encode() + b"\x00" + (message.value() or b""), hashlib.sha256).hexdigest()
    assert headers == {"sender": DEPARTMENT.encode(), "sig": expected.encode(), "kid": b"gateway-1"}
    registry = Registry(prepared[1])
    schema, value = read_value(Types(registry), message.value(), raw=False)
    registry.close()
    assert schema.name == "creditbus.events.Penalty"
    assert value["facts"]["violation"] == "虚假宣传"


def test_one_bad_event_does_not_hold_up_the_others(prepared: tuple[str, str], gateway: Gateway) -> None:
    events = [new_event(), new_event(region=5), new_event()]
    answer = gateway.post({"events": events})
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["results"]] == ["RECEIVED", "REJECTED", "RECEIVED"]
    keys = {message.key() for message in messages_of(prepared[0], TOPIC)}
    assert [event["event_id"].encode() in keys for event in events] == [True, False, True]


def test_the_client_gets_receipts_for_a_large_batch(prepared: tuple[str, str], gateway: Gateway) -> None:
    events = [new_event() for _ in range(1_000)]
    with BusClient(gateway.url, gateway.key) as bus:
        assert {receipt.status for receipt in bus.send(events)} == {"RECEIVED"}
    keys = {message.key() for message in messages_of(prepared[0], TOPIC)}
    assert {event["event_id"].encode() for event in events} <= keys


def test_who_asks_for_evidence_can_prove_offline_what_was_accepted(gateway: Gateway, tmp_path: Path) -> None:
    events = [new_event(), new_event(region=5), *(new_event() for _ in range(6))]
    with BusClient(gateway.url, gateway.key) as bus:
        receipts = bus.send(events, evidence=True)
        assert bus.send([new_event()])[0].evidence is None
    assert [receipt.evidence is None for receipt in receipts] == [False, True, *[False] * 6]
    trusted = gateway.get("/v1/evidence-key").json()["public_key"]
    for event, receipt in zip(events, receipts, strict=True):
        if receipt.evidence is not None:
            (tmp_path / "receipt.json").write_text(json.dumps({"event": event, "evidence": receipt.evidence}))
            command = ["receipt", "verify", str(tmp_path / "receipt.json"), "--public-key", trusted]
            done = CliRunner().invoke(build(["receipt"]), command)
            assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"events": [{"kind": "Penalty"}]}, {"Authorization": ""}, 401),
        ({"events": [{"kind": "Penalty"}]}, {"Authorization": "Bearer guess"}, 401),
        ({"events": []}, {}, 422),
        ({"kind": "Penalty"}, {}, 422),
        ({"events": [{}] * 1_001}, {}, 413),
        ({"events": ["x" * 9_000_000]}, {}, 413),
    ],
)
def test_a_request_that_is_not_taken_on_says_why_in_both_languages(
    gateway: Gateway, body: object, headers: dict[str, str], status: int
) -> None:
    answer = gateway.post(body, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert all(problem[name] for name in ("title", "title_zh", "detail", "detail_zh"))


def test_bytes_that_are_no_json_are_a_problem(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    for content in (b"", b"{", b"\xff\xfe", b'{"kind": "\\ud800"}'):
        assert httpx.post(f"{gateway.url}/v1/events", content=content, headers=headers).status_code == 400


def test_the_kinds_the_api_page_health_and_metrics_are_served(gateway: Gateway) -> None:
    kinds = {kind["kind"]: kind for kind in gateway.get("/v1/kinds").json()}
    assert set(kinds) == set(SchemaSet.load().events)
    assert "event_id" in kinds["Penalty"]["schema"]["required"]
    description = gateway.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    assert "Penalty" in description["components"]["schemas"]
    page = gateway.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert gateway.get("/health/live").status_code == 200
    assert gateway.post(new_event()).status_code == 202
    metrics = gateway.get("/metrics").text
    assert 'creditbus_gateway_events_total{service="gateway",status="received"}' in metrics
    assert 'creditbus_http_requests_total{route="/v1/events"' in metrics


def test_the_edition_in_force_is_told_to_everybody_and_once_only_to_who_has_it(gateway: Gateway) -> None:
    edition = edition_of(load())
    with BusClient(gateway.url, "") as anybody:
        assert anybody.edition() == edition
    answer = gateway.get("/v1/catalogue")
    assert (answer.headers["etag"], answer.headers["content-type"]) == (f'"{edition.hash}"', "application/json")
    known = {"If-None-Match": answer.headers["etag"]}
    again = httpx.get(f"{gateway.url}/v1/catalogue", headers=known)
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_is_imported_through_the_command_and_a_second_time_gives_the_same_ids(
    prepared: tuple[str, str], gateway: Gateway, tmp_path: Path
) -> None:
    app = build(["produce"])
    file = tmp_path / "penalties.csv"
    file.write_bytes((Path(__file__).parents[2] / "data" / "penalties-gb18030.csv").read_bytes())
    keys = str(gateway.secrets / "lab-keys.json")
    command = ["import", str(file), "--department", DEPARTMENT, "--gateway", gateway.url, "--key-file", keys]

    def imported() -> set[bytes | str | None]:
        before = len(messages_of(prepared[0], TOPIC))
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1, result.output
        return {message.key() for message in sorted(messages_of(prepared[0], TOPIC), key=at)[before:]}

    def at(message: Message) -> int:
        return message.timestamp()[1]

    first = imported()
    assert len(first) == 3
    assert imported() == first


def test_requests_under_way_are_answered_when_it_is_told_to_stop(
    prepared: tuple[str, str], tmp_path: Path, free_port: Callable[[], int]
) -> None:
    brokers, registry = prepared
    running = start(tmp_path, free_port(), CREDITBUS_BROKERS=brokers, CREDITBUS_REGISTRY_URL=registry)
    wait_until("readiness", lambda: answers(running, "/health/ready", 200))
    event = new_event()
    with httpx.Client(timeout=10) as http:
        request = http.build_request(
            "POST", f"{running.url}/v1/events", json=event, headers={"Authorization": f"Bearer {running.key}"}
        )
        body = request.read()

        def halves() -> Iterator[bytes]:
            yield body[:100]
            running.process.send_signal(signal.SIGTERM)
            yield body[100:]

        request.headers["Content-Length"] = str(len(body))
        answer = http.post(request.url, content=halves(), headers=request.headers)
    assert answer.status_code == 202
    began = time.monotonic()
    assert running.process.wait(10) == 0
    assert time.monotonic() - began < 5


def test_without_brokers_it_waits_says_so_and_takes_nothing_on(tmp_path: Path, free_port: Callable[[], int]) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    running = start(tmp_path, free_port(), CREDITBUS_BROKERS=nobody, CREDITBUS_REGISTRY_URL=f"http://{nobody}")
    try:
        wait_until("readiness", lambda: answers(running, "/health/ready", 503))
        assert running.get("/health/ready").json()["reason"]
        answer = running.post(new_event())
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert running.process.poll() is None
    finally:
        stop(running)
    assert running.process.returncode == 0


def test_a_broken_key_file_ends_it_with_the_reason(tmp_path: Path, free_port: Callable[[], int]) -> None:
    ensure_secrets(tmp_path, {DEPARTMENT: ROLES})
    (tmp_path / "departments.json").unlink()
    environment = {**os.environ, "PYTHONPATH": str(SERVICES), "CREDITBUS_SECRETS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-m", "creditbus.gateway"], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"departments.json" in done.stderr
