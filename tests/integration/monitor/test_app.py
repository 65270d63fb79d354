"""The monitor as a process, on a real Kafka and registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from creditbus.bus.editions import publish_edition
from creditbus.bus.kafka import admin, producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import ensure_topics, load_topics
from creditbus.bus.wire import Writer
from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import load
from creditbus.lab import kafka
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.process import running
from waiting import wait_until

pytestmark = pytest.mark.integration

TOPIC = "credit.quality"
Gauges = dict[tuple[str, str, str], float]


class Rows:
    """Writes to credit.quality."""

    def __init__(self, producer: Producer, writer: Writer) -> None:
        self._producer = producer
        self._writer = writer

    def write(self, department: str, **counts: int) -> None:
        """Write one row of now."""
        zeros = dict.fromkeys(("received", "accepted", "rejected", "late", "duplicate", "corrected"), 0)
        row = {"row_id": os.urandom(16).hex(), "stage": "INTAKE", "department": department, "kind": "Penalty"}
        self.write_bytes(self._writer({**row, "at": int(time.time() * 1000), **zeros, **counts}))

    def write_bytes(self, value: bytes) -> None:
        """Write anything."""
        self._producer.produce(TOPIC, value, b"department")
        assert self._producer.flush(10) == 0


@pytest.fixture(scope="module")
def rows(kafka_brokers: str, registry_url: str) -> Rows:
    """A writer of credit.quality, on a bus with topics, schemas and a catalogue."""
    ensure_topics(kafka_brokers, [topic for topic in load_topics() if topic.name in (TOPIC, "credit.editions")])
    schema = SchemaSet.load().records["QualityRow"]
    registry = Registry(registry_url)
    list(registry.push([(TOPIC, schema)]))
    writer = Writer(registry, TOPIC, schema)
    registry.close()
    publish_edition(kafka_brokers, edition_of(load()).text)
    return Rows(Producer(producer_config(kafka_brokers)), writer)


class Running:
    """A monitor process and its HTTP."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}"

    def ready(self) -> tuple[int, str]:
        """Status and reason of readiness; 0 while nothing answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/health/ready", timeout=2) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, str(json.load(error)["reason"])
        except OSError as error:
            return 0, str(error)

    def gauges(self) -> Gauges:
        """Values by name, department and what."""
        with urllib.request.urlopen(f"{self._url}/metrics", timeout=2) as answer:
            text = answer.read().decode()
        return {
            (
                sample.name,
                sample.labels.get("department", ""),
                sample.labels.get("what", sample.labels.get("reason", "")),
            ): (sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def stop(self) -> float:
        """Ask it to stop; seconds until it ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0
        return time.monotonic() - began


OwnKafka = tuple[str, subprocess.Popen[bytes]]
"""Address of a broker, and its process."""
Start = Callable[[str, str], AbstractContextManager[Running]]


@pytest.fixture
def start(registry_url: str, free_port: Callable[[], int], tmp_path: Path) -> Start:
    """A factory of monitor processes, by brokers and group."""

    @contextmanager
    def run(brokers: str, group: str) -> Iterator[Running]:
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[3] / "services"),
            "CREDITBUS_BROKERS": brokers,
            "CREDITBUS_REGISTRY_URL": registry_url,
            "CREDITBUS_HTTP_PORT": str(port),
            "CREDITBUS_DATA": str(tmp_path),
            "CREDITBUS_MONITOR_WINDOW_SECONDS": "3",
            "CREDITBUS_MONITOR_GROUP": group,
        }
        with (tmp_path / "monitor.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "creditbus.monitor"], env=environment, stdout=output, stderr=output, cwd=tmp_path
            )
        try:
            yield Running(process, port)
        finally:
            process.kill()
            process.wait()

    return run


def topics_of(brokers: str) -> set[str]:
    """Names of all topics."""
    return set(admin(brokers).list_topics(timeout=10).topics)


def test_rows_become_gauges_and_nothing_else_is_created(
    kafka_brokers: str, rows: Rows, start: Start, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    before = topics_of(kafka_brokers)
    with start(kafka_brokers, unique_name("monitor")) as monitor:
        wait_until("readiness", lambda: monitor.ready()[0] == 200)
        seen: list[Gauges] = []

        def heard(department: str) -> bool:
            # the group starts at the end of the log: until it has its partitions, rows are not for it
            rows.write(department, received=3, accepted=2, rejected=1, late=1)
            seen.append(monitor.gauges())
            return seen[-1].get(("creditbus_department_events", department, "received"), 0) > 0

        wait_until("counts of a complete window", lambda: heard("150000-scjg"))
        window = {
            what: value
            for (name, department, what), value in seen[-1].items()
            if name == "creditbus_department_events" and department == "150000-scjg"
        }
        assert window["received"] == 3 * window["late"] == 1.5 * window["accepted"] == 3 * window["rejected"]
        assert window["duplicate"] == window["corrected"] == 0
        silence = {name[1]: value for name, value in seen[-1].items() if name[0].endswith("silence_seconds")}
        assert silence["150000-scjg"] < silence["150000-gy"]
        assert seen[-1]["creditbus_department_events", "150000-gy", "received"] == 0

        rows.write_bytes(b"rubbish")
        unreadable = ("creditbus_messages_decided_total", "", "unreadable")
        wait_until("the unreadable message to be counted", lambda: monitor.gauges().get(unreadable, 0) == 1)
        assert topics_of(kafka_brokers) - before <= {"__consumer_offsets"}
        assert {path.name for path in tmp_path.iterdir()} == {"monitor", "monitor.log"}
        assert monitor.stop() < 5


def test_it_follows_the_edition_in_force(own_kafka: OwnKafka, start: Start) -> None:
    brokers, _ = own_kafka
    with start(brokers, "monitor") as monitor:
        wait_until("readiness", lambda: monitor.ready()[0] == 200)
        catalogue = load()
        new = catalogue.departments[0].model_copy(update={"code": "150000-xinju", "sequence": 999})
        changed = catalogue.model_copy(update={"departments": (*catalogue.departments[1:], new)})
        publish_edition(brokers, edition_of(changed).text)
        silence = "creditbus_department_silence_seconds"
        wait_until("the new department", lambda: (silence, new.code, "") in monitor.gauges())
        assert (silence, catalogue.departments[0].code, "") not in monitor.gauges()
        assert monitor.stop() < 5


def test_without_brokers_it_waits_says_so_and_stops_when_told(start: Start, free_port: Callable[[], int]) -> None:
    with start(f"127.0.0.1:{free_port()}", "nobody") as monitor:
        wait_until("a reason that names Kafka", lambda: "Kafka" in monitor.ready()[1])
        assert monitor.ready()[0] == 503
        assert monitor.process.poll() is None
        assert monitor.stop() < 5


@pytest.fixture
def own_kafka(lab_artifacts: Artifacts, free_port: Callable[[], int], tmp_path: Path) -> Iterator[OwnKafka]:
    """A broker that the test may kill, with what the monitor needs."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    node = kafka.KafkaNode(folder=folder, port=free_port(), controller_port=free_port())
    with running(kafka.kafka_process(node, lab_artifacts), tmp_path / "kafka.log") as broker:
        ensure_topics(node.brokers, [topic for topic in load_topics() if topic.name in (TOPIC, "credit.editions")])
        publish_edition(node.brokers, edition_of(load()).text)
        yield node.brokers, broker


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0, 3.0])
def test_it_ends_when_told_while_its_broker_has_just_died(own_kafka: OwnKafka, start: Start, seconds: float) -> None:
    """As in a lab whose supervisor and broker are killed; seconds: how long it has been running by then."""
    brokers, broker = own_kafka
    with start(brokers, "monitor") as monitor:
        wait_until("its health", lambda: monitor.ready()[0] != 0)
        time.sleep(seconds)
        broker.kill()
        broker.wait(10)
        assert monitor.stop() < 8
