"""Client of a ClickHouse server or of the front.

Queries go through clickhouse-connect. Inserts do not: it sends an insert again by itself when the connection breaks
after the server applied it, and rows double. They are one plain HTTP request each, never repeated here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from pydantic_settings import SettingsConfigDict

from creditbus.core.errors import BusError, ReconnectError, RetryLaterError
from creditbus.security import REFUSED, HttpSecurity

DATABASE = "creditbus"
_BUSY = "HTTP status 503"
_NOT_TAKEN = frozenset({192, 193, 194, 497, 516})
"""ClickHouse's codes: unknown user, wrong or missing password, no right, not authenticated."""
_DISK_FULL = ("NOT_ENOUGH_SPACE", "No space left on device")
_INSERT_SETTINGS = {
    "async_insert": "0",
    "insert_deduplicate": "0",
    "max_insert_block_size": "1000000",
    "input_format_avro_allow_missing_fields": "1",
}

# what it warns of is raised too, and told by whoever asked
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


class ClickHouseSecurity(HttpSecurity):
    """Settings of every client of ClickHouse; each from the environment variable CREDITBUS_CLICKHOUSE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_CLICKHOUSE_", frozen=True, extra="ignore")


class QueryError(BusError):
    """The server refused a statement: the statement is wrong, or a table is missing."""


class ClickHouse:
    """Statements and inserts on one server. For several threads: each query has a connection to itself.

    Connections are kept, the last one first: opening one takes several questions.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 15.0) -> None:
        """url: such as http://127.0.0.1:18123. Raises SettingsError."""
        self._security = ClickHouseSecurity()
        self._url = url
        self._timeout = timeout_seconds
        self._idle: LifoQueue[Client] = LifoQueue()
        self._http = self._security.client(url, timeout_seconds)

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, binary: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows of a query. Values are bound by the server as {name:Type}; ``binary`` columns come as bytes.

        Raises QueryError, or RetryLaterError when the server is away or busy.
        """
        formats: dict[str, str | dict[str, str]] = dict.fromkeys(binary, "bytes")
        with self._translated():
            client = self._client()
            try:
                result = client.query(sql, parameters=dict(parameters or {}), column_formats=formats)
            except DatabaseError as error:
                if isinstance(error, OperationalError) or _status_of_refusal(error):
                    client.close()  # its connection broke, or its password is an old one
                else:
                    self._idle.put(client)
                raise
        self._idle.put(client)
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def command(self, sql: str) -> None:
        """Run a statement without a result. Raises as ``query`` does."""
        try:
            answer = self._http.post("/", content=sql.encode())
        except httpx.HTTPError as error:
            raise self._silence(error) from error
        self._check(answer)

    def insert_avro(self, table: str, columns: Sequence[str], data: bytes) -> None:
        """Insert an Avro container, once. Returns when the rows are durable.

        Raises ReconnectError when the outcome is unknown: read the positions before going on.
        Raises QueryError when the server refused it, RetryLaterError when it is busy or was never reached.
        """
        sql = f"INSERT INTO {DATABASE}.{table} ({', '.join(columns)}) FORMAT Avro"  # noqa: S608 - names from our own list
        try:
            answer = self._http.post("/", params={"query": sql, **_INSERT_SETTINGS}, content=data)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._silence(error) from error
        except httpx.HTTPError as error:
            raise ReconnectError(f"ClickHouse at {self._url}: outcome of an insert into {table} unknown") from error
        self._check(answer)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
        while not self._idle.empty():
            self._idle.get().close()

    def _client(self) -> Client:
        """A connection that nobody uses; who has done with it puts it back, unless it broke."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._connected()

    def _connected(self) -> Client:
        parts = urlsplit(self._url)
        user, password = self._security.basic() or ("default", "")
        certificate, key = self._security.pair() or ("", "")
        return clickhouse_connect.get_client(
            interface=parts.scheme,
            host=parts.hostname or "127.0.0.1",
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            username=user,
            password=password,
            ca_cert=str(self._security.ca() or "") or None,
            client_cert=str(certificate) or None,
            client_cert_key=str(key) or None,
            tls_mode="strict",  # a certificate is shown besides the password, not instead of it
            autogenerate_session_id=False,
            send_receive_timeout=int(self._timeout),
            query_retries=0,
            compress=False,  # both sides of a wire nearby: packing an answer takes longer than sending it
        )

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise self._busy()
        if answer.status_code in REFUSED:
            raise self._refusal(answer.status_code)
        raise _refused(answer.text, self._url)

    def _busy(self) -> RetryLaterError:
        return RetryLaterError(f"ClickHouse at {self._url} is busy")

    def _silence(self, error: Exception) -> RetryLaterError:
        return RetryLaterError(self._security.silence(f"ClickHouse at {self._url}", error))

    def _refusal(self, status: int) -> RetryLaterError:
        return RetryLaterError(self._security.refusal(f"ClickHouse at {self._url}", status))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:  # nothing came back, or a status that says "later"
            raise (self._busy() if _BUSY in str(error) else self._silence(error)) from error
        except DatabaseError as error:
            status = _status_of_refusal(error)
            raise (self._refusal(status) if status else _refused(str(error), self._url)) from error
        except (ClickHouseError, OSError) as error:
            raise self._silence(error) from error


def _status_of_refusal(error: DatabaseError) -> int | None:
    """HTTP status when the server does not take the user or the user has no right; its own code, or a proxy's."""
    if error.code in _NOT_TAKEN:
        return 403
    return next((status for status in REFUSED if f"HTTP status {status}" in str(error)), None)


def _refused(text: str, url: str) -> BusError:
    """A full disk is no fault of the statement: it is waited for."""
    if any(sign in text for sign in _DISK_FULL):
        return RetryLaterError(f"ClickHouse at {url}: its disk is full; make room there")
    return QueryError(f"ClickHouse: {text.strip()[:500]}")
