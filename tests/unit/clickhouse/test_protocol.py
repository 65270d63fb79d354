"""What a request of ClickHouse's HTTP protocol asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.clickhouse.front.protocol import statement_of, status_of_error


def test_a_query_in_the_body_with_its_format() -> None:
    statement = statement_of({}, b"SELECT 1 FORMAT JSON;\n", "q1")
    assert statement.output_format == "JSON"
    assert statement.text.startswith("SELECT 1 FORMAT JSON")
    assert "log_comment = 'q1'" in statement.text
    assert statement.data is None


def test_a_query_without_format_takes_the_default_of_the_request() -> None:
    assert statement_of({"query": "SELECT 1"}, b"", "q").output_format == "TabSeparated"
    assert statement_of({"query": "SELECT 1", "default_format": "CSV"}, b"", "q").output_format == "CSV"


def test_parameters_are_no_settings_and_settings_are_no_parameters() -> None:
    arguments = {"query": "SELECT {a:String}", "param_a": "x", "max_threads": "2", "database": "d"}
    statement = statement_of(arguments, b"", "q")
    assert dict(statement.parameters) == {"a": "x"}
    assert "max_threads = 2" in statement.text
    assert "database" not in statement.text


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("INSERT INTO d.t (a, b) FORMAT CSV", b"1,2\n"),
        ("", b"INSERT INTO d.t (a, b) FORMAT CSV\n1,2\n"),
        ("INSERT INTO d.t (a, b) SETTINGS async_insert=0 FORMAT CSV", b"1,2\n"),
    ],
)
def test_an_insert_is_parted_from_its_data(url: str, body: bytes) -> None:
    statement = statement_of({"query": url} if url else {}, body, "q")
    assert statement.text == "INSERT INTO d.t (a, b)"
    assert statement.data == b"1,2\n"
    assert statement.tail.endswith("FORMAT CSV")


@given(st.binary(max_size=80))
def test_binary_data_of_an_insert_is_left_as_it_is(data: bytes) -> None:
    assert statement_of({"query": "INSERT INTO t FORMAT Avro"}, data, "q").data == data


@given(st.text(max_size=40))
def test_a_setting_cannot_leave_its_quotes(value: str) -> None:
    text = statement_of({"query": "SELECT 1", "some_setting": value}, b"", "q").text
    quoted = text.split("some_setting = ", 1)[1]
    if quoted.startswith("'"):
        inner = quoted[1:-1].replace("\\\\", "").replace("\\'", "")
        assert "'" not in inner


def test_an_empty_request_is_refused() -> None:
    with pytest.raises(ValueError, match="Empty query"):
        statement_of({}, b" \n", "q")


def test_kill_query_finds_the_callers_id_where_the_engine_keeps_it() -> None:
    statement = statement_of({"query": "KILL QUERY WHERE query_id = 'query_id of mine' SYNC"}, b"", "q")
    assert statement.is_kill
    assert statement.text == "KILL QUERY WHERE Settings['log_comment'] = 'query_id of mine' SYNC"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("Code: 60. DB::Exception: no table", 404, 60),
        ("Code: 62. DB::Exception: syntax", 400, 62),
        ("Code: 241. DB::Exception: memory", 500, 241),
        ("something else", 500, 1002),
    ],
)
def test_errors_have_the_status_of_a_server(text: str, status: int, code: int) -> None:
    assert status_of_error(text) == (status, code)
