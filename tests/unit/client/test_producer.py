"""The producer's client against a small HTTP server of the standard library."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from creditbus.catalogue.editions import Edition
from creditbus.client.producer import BusClient, RetryPolicy, SendError, event_id_for
from creditbus.core.outcome import Reason

Answer = tuple[int, dict[str, str], dict[str, Any]]
EVENTS = [{"event_id": "a"}, {"event_id": "b"}]


def results(*statuses: str, ids: str = "ab") -> dict[str, Any]:
    fault = dict.fromkeys(("field", "problem_zh", "problem_en", "remedy_zh", "remedy_en"), "x")
    faults = [{"code": "missing-field", **fault}]
    return {
        "results": [
            {"index": n, "event_id": ids[n], "status": s, "faults": faults if s == "REJECTED" else [], "track": "t"}
            for n, s in enumerate(statuses)
        ]
    }


@contextmanager
def gateway(*answers: Answer) -> Iterator[tuple[str, list[list[str]]]]:
    """A server that gives these answers in turn; yields its address and the ids of each request."""
    asked: list[list[str]] = []
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append([event["event_id"] for event in body["events"]])
            self._answer()

        def do_GET(self) -> None:
            asked.append([self.path])
            self._answer()

        def _answer(self) -> None:
            status, headers, answer = next(left)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client(url: str, wait: Callable[[float], None] = lambda _: None, attempts: int = 3) -> BusClient:
    return BusClient(url, "key", RetryPolicy(attempts=attempts), wait)


def test_each_event_gets_its_receipt() -> None:
    with gateway((207, {}, results("RECEIVED", "REJECTED"))) as (url, _), client(url) as bus:
        first, second = bus.send(EVENTS)
    assert (first.status, second.status) == ("RECEIVED", "REJECTED")
    assert [fault.code for fault in second.faults] == [Reason.MISSING_FIELD]


def test_a_busy_gateway_is_asked_again_after_the_time_it_names() -> None:
    waits: list[float] = []
    answers: list[Answer] = [(429, {"Retry-After": "7"}, {}), (202, {}, results("RECEIVED", "RECEIVED"))]
    with gateway(*answers) as (url, asked), client(url, waits.append) as bus:
        assert [receipt.status for receipt in bus.send(EVENTS)] == ["RECEIVED", "RECEIVED"]
    assert waits == [7.0]
    assert asked == [["a", "b"], ["a", "b"]]


def test_only_what_was_not_acknowledged_is_sent_again() -> None:
    answers: list[Answer] = [(207, {}, results("RECEIVED", "UNKNOWN")), (202, {}, results("RECEIVED", ids="b"))]
    with gateway(*answers) as (url, asked), client(url) as bus:
        assert [receipt.status for receipt in bus.send(EVENTS)] == ["RECEIVED", "RECEIVED"]
    assert asked == [["a", "b"], ["b"]]


def test_what_stays_unacknowledged_is_said_to_be_unknown() -> None:
    unknown: Answer = (503, {}, results("UNKNOWN", "UNKNOWN"))
    with gateway(unknown, unknown, unknown) as (url, _), client(url) as bus:
        assert {receipt.status for receipt in bus.send(EVENTS)} == {"UNKNOWN"}


def test_a_batch_that_is_rejected_as_a_whole_still_gives_receipts() -> None:
    with gateway((422, {}, results("REJECTED", "REJECTED"))) as (url, _), client(url) as bus:
        assert {receipt.status for receipt in bus.send(EVENTS)} == {"REJECTED"}


def test_a_wrong_key_is_told_at_once() -> None:
    with (
        gateway((401, {}, {"title": "The API key is not known"})) as (url, asked),
        client(url) as bus,
        pytest.raises(SendError, match="401: The API key is not known"),
    ):
        bus.send(EVENTS)
    assert len(asked) == 1


def test_whoever_is_busy_for_long_is_asked_less_and_less_often() -> None:
    waits: list[float] = []
    busy: list[Answer] = [(503, {"Retry-After": "1"}, {})] * 5
    with gateway(*busy) as (url, _), client(url, waits.append, attempts=5) as bus, pytest.raises(SendError):
        bus.send([{"event_id": "a"}])
    assert waits == [1.0, 1.0, 2.0, 4.0]


def test_a_gateway_that_is_away_is_told_after_all_attempts(free_port: Callable[[], int]) -> None:
    waits: list[float] = []
    with client(f"http://127.0.0.1:{free_port()}", waits.append) as bus, pytest.raises(SendError, match="3 attempts"):
        bus.send(EVENTS)
    assert waits == [0.5, 1.0]


def test_the_catalogue_is_named_by_its_content_and_asked_for_again_while_the_gateway_starts() -> None:
    with gateway((503, {}, {}), (200, {}, {"regions": []})) as (url, asked), client(url) as bus:
        edition = bus.edition()
    assert asked == [["/v1/catalogue"]] * 2
    assert edition == Edition(hashlib.sha256(edition.text).hexdigest(), b'{"regions": []}')


def test_a_gateway_that_has_no_catalogue_is_told_at_once() -> None:
    refused = pytest.raises(SendError, match="404: Not Found")
    with gateway((404, {}, {"title": "Not Found"})) as (url, asked), client(url) as bus, refused:
        bus.edition()
    assert len(asked) == 1


def test_event_ids_derive_from_the_parts_and_keep_them_apart() -> None:
    assert event_id_for("d", "ab", "c") == event_id_for("d", "ab", "c")
    assert event_id_for("d", "ab", "c") != event_id_for("d", "a", "bc")
