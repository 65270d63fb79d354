"""Where the vault's rows are: a file of this machine, or a PostgreSQL server that all machines share.

Both speak the same few statements. Copies of a vault are always files, so that what was copied from one kind can be
brought back into the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from creditbus.bus.private import settle
from creditbus.core.errors import RetryLaterError

Row = tuple[Any, ...]
_TABLES = (
    "CREATE TABLE IF NOT EXISTS identities (number_index {bytes} PRIMARY KEY, subject TEXT NOT NULL UNIQUE,"
    " salt {bytes} NOT NULL, version INTEGER NOT NULL, key_id TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS data_keys"
    " (subject TEXT PRIMARY KEY, wrapped {bytes} NOT NULL, master INTEGER NOT NULL)",
)


class VaultRows(Protocol):
    """Tables ``identities`` and ``data_keys``. For one thread.

    Every method raises RetryLaterError while they are out of reach.
    """

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query finds; a question mark for each value."""

    def change(self, sql: str, *rows: Sequence[Any]) -> int:
        """Run a statement for each row of values; returns how many rows it changed."""

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""

    def transaction(self) -> AbstractContextManager[None]:
        """Nobody else writes meanwhile; all of it or nothing, and durable at the end."""

    def scrub(self) -> None:
        """Get rid of what was deleted or overwritten, as far as it is in our hands."""

    def close(self) -> None:
        """Close it."""


class _Connection(sqlite3.Connection):
    """A full or missing disk, and a file that somebody else holds for long, are waited for."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """See sqlite3."""
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            raise away(error) from error


def away(error: Exception) -> RetryLaterError:
    """What to say while the file's disk is full or missing."""
    return RetryLaterError(f"vault of persons: {error}; make room on its disk, or mount it")


class FileRows:
    """VaultRows in one SQLite file."""

    _TYPES: ClassVar = {"bytes": "BLOB"}

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            opened = sqlite3.connect(path, isolation_level=None, timeout=15, factory=_Connection)
        except (OSError, sqlite3.OperationalError) as error:
            raise away(error) from error
        self._db = opened
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")
        for table in tables(self._TYPES):
            self._db.execute(table)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See VaultRows."""
        return self._db.execute(sql, values).fetchall()

    def change(self, sql: str, *rows: Sequence[Any]) -> int:
        """See VaultRows."""
        return sum(self._db.execute(sql, row).rowcount for row in rows)

    def has_table(self, name: str) -> bool:
        """See VaultRows."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See VaultRows."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite has rolled back by itself when the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def scrub(self) -> None:
        """See VaultRows."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log of writes holds what was overwritten

    def close(self) -> None:
        """See VaultRows."""
        self._db.close()


def write_copy(path: Path, everything: Mapping[str, Sequence[Row]]) -> None:
    """Fill an empty file with the rows of each table, durably. Raises RetryLaterError."""
    with closing(sqlite3.connect(path, isolation_level=None, factory=_Connection)) as copy:
        copy.execute("PRAGMA synchronous=FULL")
        copy.execute("BEGIN")
        for table in tables(FileRows._TYPES):
            copy.execute(table)
        for name, rows in everything.items():
            for row in rows:
                copy.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - no value
        copy.execute("COMMIT")
    settle(path)
    settle(path.parent)


def tables(types: dict[str, str]) -> Iterator[str]:
    """The statements that make the tables. types: what a database calls its bytes."""
    return (table.format(**types) for table in _TABLES)
