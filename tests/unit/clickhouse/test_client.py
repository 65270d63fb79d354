"""A ClickHouse server that is away, or goes away while it answers, is waited for; one that refuses is told of."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from creditbus.clickhouse.client import ClickHouse, QueryError
from creditbus.core.errors import RetryLaterError


@contextmanager
def a_server(answer: bytes) -> Iterator[str]:
    """Gives every request the same bytes and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def ask(url: str) -> None:
    with closing(ClickHouse(url, timeout_seconds=2)) as clickhouse:
        clickhouse.query("SELECT 1")


def test_a_server_that_is_not_there_is_waited_for(free_port: Callable[[], int]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    told = r"^ClickHouse at http://127.0.0.1:[0-9]+ does not answer \(OperationalError\); is it running\?$"
    with pytest.raises(RetryLaterError, match=told):
        ask(url)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"], ids=["no", "half"]
)
def test_a_server_that_goes_away_while_it_answers_is_waited_for(answer: bytes) -> None:
    with a_server(answer) as url, pytest.raises(RetryLaterError, match="does not answer"):
        ask(url)


def test_a_server_that_is_busy_is_waited_for_and_one_that_refuses_is_told_of() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    with a_server(busy) as url, pytest.raises(RetryLaterError, match="is busy"):
        ask(url)
    refusal = b"HTTP/1.1 404 Not Found\r\nX-ClickHouse-Exception-Code: 60\r\nContent-Length: 13\r\n\r\nUNKNOWN_TABLE"
    with a_server(refusal) as url, pytest.raises(QueryError, match="UNKNOWN_TABLE"):
        ask(url)
