"""Health and metrics over HTTP, for whoever asks and for whoever does not wait for the answer."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from creditbus.bus.health import Health, HealthServer
from creditbus.bus.metrics import Metrics

pytestmark = pytest.mark.integration


@contextmanager
def served(health: Health, refresh: Callable[[], None] | None = None) -> Iterator[int]:
    metrics = Metrics("intake")
    metrics.count("creditbus_ticks_written_total")
    server = HealthServer(0, health, metrics, refresh)
    server.start()
    try:
        yield server.port
    finally:
        server.close()


def test_it_tells_whether_the_service_works_and_why_not() -> None:
    health = Health()
    with served(health) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        assert http.get("/health/live").json() == {"status": "live"}
        answer = http.get("/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "reason": "starting"})
        health.up()
        assert http.get("/health/ready").status_code == 200
        assert "creditbus_ticks_written_total{" in http.get("/metrics").text
        assert http.get("/").status_code == 404


def test_who_does_not_wait_for_the_answer_leaves_no_traceback_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    asked, gone, answered = threading.Event(), threading.Event(), threading.Event()

    def refresh() -> None:
        asked.set()
        assert gone.wait(10)
        time.sleep(0.1)  # until the reset has come
        answered.set()

    with served(Health(), refresh) as port:
        with socket.create_connection(("127.0.0.1", port)) as impatient:
            impatient.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            impatient.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.wait(10)
        gone.set()
        assert answered.wait(10)
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        time.sleep(0.2)
    assert "Traceback" not in capfd.readouterr().err
