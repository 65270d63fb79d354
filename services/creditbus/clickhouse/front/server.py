"""The HTTP server of the front."""

from __future__ import annotations

import faulthandler
import gzip
import os
import queue
import signal
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import lz4.frame
import zstandard
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from creditbus.clickhouse.front.engine import BusyError, Engine, EngineError, LockedError
from creditbus.clickhouse.front.protocol import statement_of, status_of_error
from creditbus.clickhouse.front.settings import FrontSettings
from creditbus.core.errors import SettingsError

_COMPRESS_ABOVE_BYTES = 1024
_RETRY_AFTER_SECONDS = "1"
_FINISH_SECONDS = 10.0
"""How long statements may still take once a stop was asked for."""
_STOP_SECONDS = 15.0


class Front:
    """Settings, engine and metrics, shared by all requests."""

    def __init__(self, settings: FrontSettings) -> None:
        self.settings = settings
        self.engine = Engine(settings)
        self.metrics = CollectorRegistry()
        self.answers = Counter(
            "creditbus_clickhouse_answers_total", "answers by status", ["status"], registry=self.metrics
        )
        self.seconds = Histogram("creditbus_clickhouse_seconds", "duration of a statement", registry=self.metrics)
        self._under_way = 0
        self._is_closing = False
        self._ended = threading.Condition()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a statement runs and until its answer is sent. Raises BusyError once the front closes."""
        with self._ended:
            if self._is_closing:
                raise BusyError
            self._under_way += 1
        try:
            yield
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()

    def close(self, within_seconds: float) -> bool:
        """Take no more statements, and close the engine once those under way are answered; whether they were in time.

        The engine is never closed under a running statement: it crashes then, or hangs.
        """
        with self._ended:
            self._is_closing = True
            if not self._ended.wait_for(lambda: self._under_way == 0, within_seconds):
                return False
        self.engine.close()
        return True


def decompressed(body: bytes, encoding: str) -> bytes:
    """A request's body as it was before it was compressed. Raises ValueError."""
    if not encoding:
        return body
    if encoding not in _DECOMPRESSORS:
        raise ValueError(f"Content-Encoding {encoding} is not supported; use {', '.join(_DECOMPRESSORS)} or none")
    try:
        return _DECOMPRESSORS[encoding](body)
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise ValueError(f"the body is not {encoding}") from error


def _unlz4(body: bytes) -> bytes:
    return bytes(lz4.frame.decompress(body))


def _unzstd(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(body)


_DECOMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": _unlz4,
    "zstd": _unzstd,
}


def handler_of(front: Front) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - the nested class is counted as branches
    """The request handler for this front."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # one packet an answer: headers and body written apart wait 40 ms for each other (Nagle and delayed ACK)
        wbufsize = 1 << 16
        disable_nagle_algorithm = True
        server_version = "creditbus-clickhouse-front"

        def handle(self) -> None:
            with suppress(ConnectionError):  # whoever asked did not wait for the answer
                super().handle()

        def do_GET(self) -> None:  # noqa: N802 - named by the standard library
            self._route(b"")

        def do_HEAD(self) -> None:  # noqa: N802 - named by the standard library
            self._route(b"")

        def do_POST(self) -> None:  # noqa: N802 - named by the standard library
            try:
                body = self._body()
            except ValueError as error:
                self._answer(400, f"{error}\n".encode(), {"Connection": "close"})
                return
            self._route(body)

        def _route(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            if parts.path in ("/ping", "/replicas_status", "/health/live", "/health/ready"):
                self._answer(200, b"Ok.\n")
            elif parts.path == "/metrics":
                self._answer(200, generate_latest(front.metrics), {"Content-Type": "text/plain; version=0.0.4"})
            elif parts.path == "/":
                named = {"database": self.headers.get("X-ClickHouse-Database", "")}
                arguments = named | dict(parse_qsl(parts.query, keep_blank_values=True))
                if not body and "query" not in arguments:
                    self._answer(200, b"Ok.\n")
                else:
                    self._statement(arguments, body)
            else:
                self._answer(404, b"There is no handler. Use / , /ping, /health/ready or /metrics\n")

        def _statement(self, arguments: dict[str, str], body: bytes) -> None:
            query_id = arguments.get("query_id") or str(uuid.uuid4())
            headers = {
                "X-ClickHouse-Query-Id": query_id,
                "X-ClickHouse-Server-Display-Name": "creditbus-lab",
                "X-ClickHouse-Timezone": "UTC",
                "X-ClickHouse-Summary": "{}",
            }
            try:
                with front.answering():
                    self._answer_statement(arguments, body, query_id, headers)
                    self.wfile.flush()
            except BusyError:
                self._answer(503, b"Busy: too many queries wait\n", {**headers, "Retry-After": _RETRY_AFTER_SECONDS})

        def _answer_statement(
            self, arguments: dict[str, str], body: bytes, query_id: str, headers: dict[str, str]
        ) -> None:
            began = time.perf_counter()
            try:
                statement = statement_of(arguments, body, query_id)
                result = front.engine.run(statement)
            except ValueError as error:
                self._answer(400, f"Code: 62. DB::Exception: {error} (SYNTAX_ERROR)\n".encode(), headers)
            except EngineError as error:
                status, code = status_of_error(str(error))
                self._answer(status, f"{error}\n".encode(), {**headers, "X-ClickHouse-Exception-Code": str(code)})
            else:
                front.seconds.observe(time.perf_counter() - began)
                self._answer(200, result, {**headers, "X-ClickHouse-Format": statement.output_format}, arguments)

        def _body(self) -> bytes:
            length = int(self.headers.get("Content-Length", 0))
            if length > front.settings.largest_body_bytes:
                raise ValueError(f"the body has {length} bytes, at most {front.settings.largest_body_bytes} are taken")
            chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
            body = self._chunks() if chunked else self.rfile.read(length)
            return decompressed(body, self.headers.get("Content-Encoding", ""))

        def _chunks(self) -> bytes:
            parts = []
            left = front.settings.largest_body_bytes
            while size := int(self.rfile.readline().split(b";")[0], 16):
                left -= size
                if left < 0:
                    raise ValueError(f"the body is larger than {front.settings.largest_body_bytes} bytes")
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(
            self,
            status: int,
            body: bytes,
            headers: dict[str, str] | None = None,
            arguments: dict[str, str] | None = None,
        ) -> None:
            front.answers.labels(status=str(status)).inc()
            wants_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
            compress = (arguments or {}).get("enable_http_compression") == "1" and wants_gzip
            if compress and len(body) > _COMPRESS_ABOVE_BYTES:
                body, headers = gzip.compress(body, 1), {**(headers or {}), "Content-Encoding": "gzip"}
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if "Content-Type" not in (headers or {}):
                self.send_header("Content-Type", "text/plain; charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Statements are not logged: their parameters name people."""

    return Handler


def main() -> int:
    """Serve until told to stop; running statements are finished first, if they are not too long.

    It ends without the interpreter's and the engine's own clean-up, which are known to crash or hang: what is closed
    needs none, and what is not closed is as after a kill.
    """
    try:
        settings = FrontSettings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        front = Front(settings)
        server = ThreadingHTTPServer(("127.0.0.1", settings.port), handler_of(front))
    except LockedError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"CREDITBUS_CLICKHOUSE_FRONT_PORT: {settings.port} cannot be used: {error.strerror}", file=sys.stderr)
        return 2

    # a handler of signals may neither take a lock nor start a thread: it may have stopped its own thread within either
    told: queue.SimpleQueue[None] = queue.SimpleQueue()

    def shut_down() -> None:
        told.get()
        server.shutdown()

    def stop(_number: int, _frame: object) -> None:
        faulthandler.dump_traceback_later(_STOP_SECONDS, exit=True)  # should the engine never let go of a statement
        told.put(None)

    threading.Thread(target=shut_down, name="stop", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print(f"serving chDB at http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
    server.server_close()
    code = 0 if front.close(_FINISH_SECONDS) else 1
    sys.stdout.flush()
    os._exit(code)
