"""The lab as its user sees it: up, kill -9, up again with nothing lost, down; offline; Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from creditbus.lab.artifacts import Artifacts, default_cache
from creditbus.lab.state import find_alive, read_state

pytestmark = pytest.mark.integration

SOURCES = Path(__file__).parents[3] / "services"
CLI = """
import typer
from creditbus.commands.lab import register
from creditbus.commands.trouble import Commands
app = typer.Typer(cls=Commands)
register(app)
app()
"""
TIMEOUT_SECONDS = 120
BLOCKED = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


class Lab:
    """A lab of this test's own, run through its command line without network and with an empty home."""

    def __init__(self, folder: Path, free_port: Callable[[], int]) -> None:
        self.folder = folder / "lab"
        self.kafka_port = free_port()
        self.started: list[subprocess.Popen[str]] = []
        home = folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(SOURCES),
            "CREDITBUS_CACHE": str(default_cache()),
            "CREDITBUS_LAB_DATA": str(self.folder),
            "CREDITBUS_LAB_KAFKA_PORT": str(self.kafka_port),
            "CREDITBUS_LAB_CONTROLLER_PORT": str(free_port()),
            "CREDITBUS_LAB_REGISTRY_PORT": str(free_port()),
            "CREDITBUS_LAB_RECORD_STARTUP": "false",
            "COLUMNS": "200",
            **BLOCKED,
        }

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.kafka_port}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = (sys.executable, "-c", CLI, *arguments)
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
            # a test run in the background of a shell has SIGINT ignored, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        with self.start(*arguments) as process:
            output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
            return process.returncode, output

    def living(self) -> list[psutil.Process]:
        state = read_state(self.folder)
        records = [] if state is None else [state.supervisor, *(record.process for record in state.processes)]
        return [process for record in records if (process := find_alive(record)) is not None]


@pytest.fixture
def lab(tmp_path: Path, free_port: Callable[[], int], lab_artifacts: Artifacts) -> Iterator[Lab]:
    lab = Lab(tmp_path, free_port)
    yield lab
    lab.run("down")
    for process in lab.started:
        with process:
            process.kill()
    assert lab.living() == []


def client(brokers: str) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": brokers, "log_level": 0}


def read_all(brokers: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({**client(brokers), "group.id": "reader", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(values) < count and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            values.append(message.value() or b"")
    consumer.close()
    return values


def test_a_lab_killed_with_9_starts_again_offline_and_has_lost_nothing(lab: Lab) -> None:
    code, output = lab.run("up", "--detach", "--services", "none")
    assert code == 0, output
    admin = AdminClient(client(lab.brokers))
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
    producer = Producer({**client(lab.brokers), "acks": "all"})
    for number in range(100):
        producer.produce("kept", value=str(number))
    assert producer.flush(30) == 0

    for process in lab.living():
        process.kill()
    assert lab.run("status")[0] == 2

    code, output = lab.run("up", "--detach", "--services", "none")
    assert code == 0, output
    assert read_all(lab.brokers, "kept", 100) == [str(number).encode() for number in range(100)]
    code, output = lab.run("doctor")
    assert code == 0, output
    assert lab.run("down")[0] == 0


def test_a_second_lab_on_the_folder_and_one_on_its_ports_are_refused_with_the_remedy(lab: Lab) -> None:
    assert lab.run("up", "--detach", "--services", "none")[0] == 0
    code, output = lab.run("up", "--detach", "--services", "none")
    assert code == 2
    assert "creditbus down" in output
    lab.environment["CREDITBUS_LAB_DATA"] = f"{lab.folder}-other"
    code, output = lab.run("up", "--detach", "--services", "none")
    lab.environment["CREDITBUS_LAB_DATA"] = str(lab.folder)
    assert code == 2
    assert f"{lab.kafka_port} for kafka, held by java" in output
    assert "CREDITBUS_LAB_KAFKA_PORT" in output


def test_reset_deletes_the_data_of_a_stopped_lab_and_only_that(lab: Lab) -> None:
    assert lab.run("up", "--detach", "--services", "none")[0] == 0
    assert lab.run("reset", "--yes")[0] == 2, "a lab that runs is not pulled from under its users"
    assert lab.living()
    lab.run("down")
    kept = lab.folder.parent / "kept"
    kept.write_text("not the lab's")
    code, output = lab.run("reset", "--yes")
    assert code == 0, output
    assert not lab.folder.exists()
    assert kept.exists()


def test_ctrl_c_stops_everything(lab: Lab) -> None:
    foreground = lab.start("up", "--services", "none")
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if "Ctrl-C" in line:
            break
    assert len(lab.living()) == 3
    foreground.send_signal(signal.SIGINT)
    assert "Everything is stopped" in foreground.stdout.read()
    assert lab.living() == []


def test_an_empty_cache_without_network_is_explained(lab: Lab, tmp_path: Path) -> None:
    lab.environment["CREDITBUS_CACHE"] = str(tmp_path / "empty")
    code, output = lab.run("up", "--detach", "--services", "none")
    assert code == 2
    assert "CREDITBUS_LAB_MAVEN_URL" in output
    lab.environment["LANG"] = "zh_CN.UTF-8"
    assert "缓存中没有" in lab.run("up", "--detach", "--services", "none")[1]
