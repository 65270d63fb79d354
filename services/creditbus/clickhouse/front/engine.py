"""The embedded engine: a bounded pool of chDB connections over one data folder."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chdb

from creditbus.clickhouse.front.protocol import Statement
from creditbus.clickhouse.front.settings import FrontSettings

_OWN = "default"
"""The database of a statement that names none."""


class BusyError(Exception):
    """All threads are busy and the queue is full, or the wait was too long."""


class LockedError(Exception):
    """The data folder cannot be opened."""


class EngineError(Exception):
    """The engine refused a statement; the text is the engine's own."""


class Engine:
    """Runs statements, a bounded number at once; each connection is used by one thread at a time."""

    def __init__(self, settings: FrontSettings) -> None:
        """Raises LockedError when the folder cannot be opened."""
        self._folder = settings.data
        self._wait = settings.wait_seconds
        self._uploads = settings.data / "uploads"
        self._uploads.mkdir(parents=True, exist_ok=True)
        for left_over in self._uploads.iterdir():
            left_over.unlink()
        self._waiting = threading.BoundedSemaphore(settings.threads + settings.queue)
        self._pool: queue.LifoQueue[Any] = queue.LifoQueue()
        self._control = threading.Lock()
        try:
            for _ in range(settings.threads):
                self._pool.put(self._connect())
            self._controlling = self._connect()
        except Exception as error:  # noqa: BLE001 - chdb raises several kinds, all opaque
            raise LockedError(
                f"{settings.data}: the engine cannot open its folder ({error}). Another process may hold it: "
                "stop that one, or set CREDITBUS_CLICKHOUSE_FRONT_DATA to another folder"
            ) from error

    def run(self, statement: Statement) -> bytes:
        """The result in the statement's output format. Raises BusyError or EngineError."""
        if statement.is_kill:  # comes through when every other thread is busy with what it is to end
            with self._control:
                return self._answer(self._controlling, statement.text, statement)
        if statement.data is None:
            return self._query(statement.text, statement)
        with self._upload(statement.data) as path:
            return self._query(f"{statement.text} FROM INFILE '{path}' {statement.tail}", statement)

    def close(self) -> None:
        """Close every connection; no statement may be running."""
        self._controlling.close()
        while True:
            try:
                self._pool.get_nowait().close()
            except queue.Empty:
                return

    @contextmanager
    def _upload(self, data: bytes) -> Iterator[str]:
        # no suffix: the engine would take .gz and the like for a compression
        try:
            with tempfile.NamedTemporaryFile(dir=self._uploads, prefix="insert-") as file:
                file.write(data)
                file.flush()
                yield file.name
        except OSError as error:
            raise EngineError(f"Code: 243. DB::Exception: {error}. (NOT_ENOUGH_SPACE)") from error

    def _query(self, text: str, statement: Statement) -> bytes:
        if not self._waiting.acquire(blocking=False):
            raise BusyError
        try:
            connection = self._pool.get(timeout=self._wait)
        except queue.Empty:
            raise BusyError from None
        finally:
            self._waiting.release()
        try:
            return self._answer(connection, text, statement)
        except EngineError:
            # what the statement had written before it failed would come before the next one's result
            connection.close()
            connection = self._connect()
            raise
        finally:
            self._pool.put(connection)

    def _connect(self) -> Any:
        return chdb.connect(str(self._folder / "engine"))

    @staticmethod
    def _answer(connection: Any, text: str, statement: Statement) -> bytes:
        try:
            if statement.database:  # a connection keeps it; one whose statement failed is not used again
                connection.query(f"USE {_quoted(statement.database)}")
            result = connection.query(text, statement.output_format, params=dict(statement.parameters) or None)
            answer = bytes(result.bytes())
            if statement.database:
                connection.query(f"USE {_OWN}")
        except (chdb.ChdbError, RuntimeError) as error:
            raise EngineError(str(error)) from error
        return answer


def _quoted(name: str) -> str:
    """A name as SQL has it, whatever it holds."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
