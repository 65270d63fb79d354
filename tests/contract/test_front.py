"""The front as ClickHouse's own client and a plain HTTP client see it (design.md 11.20).

The same suite runs against a clickhouse-server when CREDITBUS_TEST_CLICKHOUSE_URL names one.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from creditbus.lab.clickhouse import clickhouse_process
from creditbus.lab.process import running
from waiting import wait_until

pytestmark = pytest.mark.integration

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) % 7 = 1"


@pytest.fixture
def http(clickhouse_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=clickhouse_url, timeout=30) as client:
        yield client


@pytest.fixture
def client(clickhouse_url: str) -> Iterator[Client]:
    parts = urlsplit(clickhouse_url)
    made = clickhouse_connect.get_client(host=parts.hostname or "", port=parts.port or 0, autogenerate_session_id=False)
    yield made
    made.close()


@pytest.fixture
def table(http: httpx.Client, unique_name: Callable[[str], str]) -> Iterator[str]:
    name = unique_name("front").replace(".", "_")
    http.post("/", content=f"CREATE TABLE {name} (n UInt32, text String) ENGINE = MergeTree ORDER BY n")
    yield name
    http.post("/", content=f"DROP TABLE {name}")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TabSeparated", b"1\ta\n"),
        ("CSV", b'1,"a"\n'),
        ("JSONEachRow", b'{"n":1,"s":"a"}\n'),
        ("TSVWithNames", b"n\ts\n1\ta\n"),
    ],
)
def test_formats(http: httpx.Client, name: str, expected: bytes) -> None:
    answer = http.get("/", params={"query": f"SELECT 1 AS n, 'a' AS s FORMAT {name}"})
    assert (answer.status_code, answer.content) == (200, expected)
    assert answer.headers["X-ClickHouse-Format"] == name


def test_parameters_are_bound_by_the_server_whatever_they_hold(client: Client) -> None:
    nasty = "'); DROP TABLE x; --\\ 内蒙古\n\t"
    rows = client.query("SELECT {text:String}, {many:Array(UInt8)}", parameters={"text": nasty, "many": [1, 2]})
    assert rows.result_rows == [(nasty, [1, 2])]


def test_settings_of_a_request_count_for_it_alone(http: httpx.Client) -> None:
    sql = "SELECT getSetting('max_threads')"
    assert http.get("/", params={"query": sql, "max_threads": "3"}).text.strip() == "3"
    assert http.get(
        "/", params={"query": "SELECT value FROM system.settings WHERE name = 'max_result_rows'"}
    ).is_success
    refused = http.get("/", params={"query": "SELECT number FROM numbers(100)", "max_result_rows": "10"})
    assert refused.status_code != 200
    assert "396" in refused.headers["X-ClickHouse-Exception-Code"]
    assert http.get("/", params={"query": "SELECT number FROM numbers(100)"}).is_success


@pytest.fixture
def database(http: httpx.Client, unique_name: Callable[[str], str]) -> Iterator[str]:
    name = unique_name("front").replace(".", "_") + "`\\"
    quoted = "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
    http.post("/", content=f"CREATE DATABASE {quoted}").raise_for_status()
    http.post("/", content=f"CREATE TABLE {quoted}.t (n UInt8) ENGINE = Memory").raise_for_status()
    yield name
    http.post("/", content=f"DROP DATABASE {quoted}").raise_for_status()


def test_a_request_may_name_its_database_which_counts_for_it_alone(http: httpx.Client, database: str) -> None:
    insert, count = "INSERT INTO t FORMAT TabSeparated", {"query": "SELECT count() FROM t"}
    http.post("/", params={"database": database, "query": insert}, content=b"1\n2\n").raise_for_status()
    for _ in range(10):  # more often than there are connections
        assert http.get("/", params={**count, "database": database}).text == "2\n"
        assert http.get("/", params=count, headers={"X-ClickHouse-Database": database}).text == "2\n"
        assert http.get("/", params=count).status_code == 404
        assert http.get("/", params={"query": "SELECT throwIf(1)", "database": database}).status_code >= 400
        assert http.get("/", params={"query": "SELECT currentDatabase()"}).text == "default\n"
    unknown = http.get("/", params={"query": "SELECT 1", "database": "nowhere"})
    assert (unknown.status_code, unknown.headers["X-ClickHouse-Exception-Code"]) == (404, "81")


def test_answers_and_requests_may_be_compressed(http: httpx.Client, table: str) -> None:
    data = gzip.compress(b"".join(f"{n}\ttext {n}\n".encode() for n in range(5_000)))
    sql = f"INSERT INTO {table} FORMAT TabSeparated"
    sent = http.post("/", params={"query": sql}, content=data, headers={"Content-Encoding": "gzip"})
    assert sent.is_success, sent.text
    params = {"query": f"SELECT text FROM {table} ORDER BY n", "enable_http_compression": "1"}
    answer = http.get("/", params=params, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text.splitlines()[4_999] == "text 4999"


def test_a_body_that_is_not_what_its_header_says_is_refused(http: httpx.Client) -> None:
    answer = http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400


def test_the_query_id_comes_back(http: httpx.Client) -> None:
    assert http.get("/", params={"query": "SELECT 1", "query_id": "mine"}).headers["X-ClickHouse-Query-Id"] == "mine"
    assert len(http.get("/", params={"query": "SELECT 1"}).headers["X-ClickHouse-Query-Id"]) == 36


def test_kill_query_ends_a_query_by_its_id(http: httpx.Client) -> None:
    with ThreadPoolExecutor() as pool:
        endless = pool.submit(http.post, "/", params={"query_id": "endless'1"}, content=ENDLESS)
        deadline = time.monotonic() + 20
        killed = ""
        while "finished" not in killed and not endless.done():
            assert time.monotonic() < deadline
            killed = http.post("/", content="KILL QUERY WHERE query_id = 'endless\\'1' SYNC").text
            time.sleep(0.1)
        answer = endless.result(30)
    assert "394" in answer.headers["X-ClickHouse-Exception-Code"]
    assert http.get("/", params={"query": "SELECT 2"}).text == "2\n"


def test_an_error_in_mid_stream_is_an_error_and_spoils_no_later_answer(http: httpx.Client) -> None:
    sql = "SELECT throwIf(number = 3000000, 'in mid-stream') FROM numbers(10000000) FORMAT JSON"
    for _ in range(6):
        assert http.post("/", content=sql).status_code == 500
    for _ in range(12):
        assert http.get("/", params={"query": "SELECT 1"}).content == b"1\n"


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [("SELEKT 1", 400, "62"), ("SELECT * FROM no_such_table", 404, "60"), ("SELECT no_such_column", 404, "47")],
)
def test_errors_have_status_and_code(http: httpx.Client, sql: str, status: int, code: str) -> None:
    answer = http.post("/", content=sql)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, code)


def test_the_official_client_inserts_and_reads(client: Client, table: str) -> None:
    client.insert(table, [[n, f"行 {n}"] for n in range(1_000)], column_names=["n", "text"])
    assert client.query(f"SELECT count(), max(text) FROM {table}").result_rows == [(1_000, "行 999")]
    with pytest.raises(DatabaseError):
        client.query("SELECT * FROM no_such_table")


def test_an_insert_is_all_or_nothing(http: httpx.Client, table: str) -> None:
    rows = "\n".join([json.dumps({"n": n, "text": "x"}) for n in range(1_000)] + ['{"n": "not a number"}'])
    sql = f"INSERT INTO {table} FORMAT JSONEachRow"
    assert http.post("/", params={"query": sql}, content=rows.encode()).status_code >= 400
    assert http.get("/", params={"query": f"SELECT count() FROM {table}"}).text == "0\n"


def test_a_front_with_no_thread_left_says_so(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """One thread, nobody may wait: 503 with Retry-After; KILL QUERY comes through all the same."""
    engine = clickhouse_process(tmp_path / "data", free_port())
    limits = {"THREADS": "1", "QUEUE": "0", "WAIT_SECONDS": "0"}
    more = {f"CREDITBUS_CLICKHOUSE_FRONT_{name}": value for name, value in limits.items()}
    engine = replace(engine, env={**engine.env, **more})
    with running(engine, tmp_path / "front.log"), httpx.Client(base_url=engine.address, timeout=30) as http:

        def ask_endless() -> None:
            while http.post("/", content=ENDLESS).status_code == 503:  # the short query below may hold the thread
                pass

        endless = threading.Thread(target=ask_endless)
        endless.start()
        deadline = time.monotonic() + 20
        while (answer := http.get("/", params={"query": "SELECT 1"})).is_success:
            assert time.monotonic() < deadline, "nobody was refused"
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        while endless.is_alive():  # what was refused may have met a short query, before the endless one began
            assert time.monotonic() < deadline + 60, "nobody was stopped"
            http.post("/", content="KILL QUERY WHERE 1 SYNC")
            endless.join(0.2)
        assert http.get("/", params={"query": "SELECT 1"}).is_success


def test_a_front_told_to_stop_answers_what_runs_and_ends_well(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """It closed the engine under running statements: no answer, and one end in four was a crash."""
    engine = clickhouse_process(tmp_path / "data", free_port())
    slow = "SELECT sum(sleepEachRow(0.1)), {n:UInt8} FROM numbers(15) SETTINGS max_block_size = 5"
    with running(engine, tmp_path / "front.log") as process, httpx.Client(base_url=engine.address, timeout=30) as http:

        def ask(number: int) -> httpx.Response:
            return httpx.post(engine.address, params={"query": slow, "param_n": str(number)}, timeout=30)

        def is_running() -> bool:
            return http.get("/", params={"query": "SELECT count() FROM system.processes"}).text == "3\n"

        with ThreadPoolExecutor(2) as askers:
            answers = [askers.submit(ask, number) for number in (1, 2)]
            wait_until("both statements run", is_running)
            process.terminate()
            texts = [answer.result().text for answer in answers]
        assert texts == ["0\t1\n", "0\t2\n"]
        assert process.wait(30) == 0
    assert "Exception" not in (tmp_path / "front.log").read_text()
