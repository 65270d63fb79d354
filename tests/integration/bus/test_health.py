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
from creditbus.core.errors import SettingsError

pytestmark = pytest.mark.integration


@contextmanager
def served(health: Health, refresh: Callable[[], None] | None = None) -> Iterator[int]:
    metrics = Metrics("intake")
    metrics.count("creditbus_ticks_written_total")
    server = HealthServer(("127.0.0.1", 0), health, metrics, refresh)
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
        metrics = http.get("/metrics").text
        assert "creditbus_ticks_written_total{" in metrics
        assert 'creditbus_ready{service="intake"} 1.0' in metrics
        health.down("a broker does not answer")
        assert 'creditbus_ready{service="intake"} 0.0' in http.get("/metrics").text
        assert http.get("/").status_code == 404


def test_it_listens_where_it_is_told_to_for_probes_and_prometheus_come_from_outside() -> None:
    server = HealthServer(("127.0.0.2", 0), Health(), Metrics("intake"))
    server.start()
    try:
        assert httpx.get(f"http://127.0.0.2:{server.port}/health/live").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{server.port}/health/live")
    finally:
        server.close()


def test_an_address_of_another_machine_is_told_by_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"CREDITBUS_HTTP_HOST.*192\.0\.2\.1:0 cannot be used"):
        HealthServer(("192.0.2.1", 0), Health(), Metrics("intake"))


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
