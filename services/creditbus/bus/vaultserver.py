"""The vault's rows on a PostgreSQL server, which all machines of the bus and of its regions share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, LiteralString
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg.errors import InsufficientPrivilege
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.bus.vaultrows import Row, tables
from creditbus.core.errors import RetryLaterError, SettingsError
from creditbus.security import ClientSecurity

_LOCK = 0x63726564697462  # "creditb"; any number that no other program of the database takes
_LIMITS = "-c statement_timeout=30s -c lock_timeout=15s -c synchronous_commit=on"

_HINTS = {
    "certificate": "CREDITBUS_VAULT_CA_FILE",
    "password": "CREDITBUS_VAULT and CREDITBUS_VAULT_PASSWORD_FILE",
    "database": "CREDITBUS_VAULT",
}
"""Where a word of the server's answer leads to."""


class VaultSecurity(ClientSecurity):
    """Settings of every client of the vault's server; each from the environment variable CREDITBUS_VAULT_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_VAULT_", frozen=True, extra="ignore")

    password_file: Path | None = Field(None, description="file with the password of the user in CREDITBUS_VAULT")


class ServerRows:
    """VaultRows on PostgreSQL; the connection is made anew after each that was lost.

    Deleted rows stay in the server's files and log until it overwrites them, and so in its backups: what is left of a
    data key opens nothing once the master key is rotated.
    """

    _TYPES: ClassVar = {"bytes": "BYTEA"}

    def __init__(self, url: str, security: VaultSecurity | None = None) -> None:
        """Raises SettingsError, RetryLaterError."""
        self._url = url
        self._security = security or VaultSecurity()
        if urlsplit(url).password:
            raise SettingsError(
                "CREDITBUS_VAULT must not hold a password, which logs would tell: "
                "name its file by CREDITBUS_VAULT_PASSWORD_FILE"
            )
        self._db: psycopg.Connection[Row] | None = None
        if not all(map(self.has_table, ("identities", "data_keys"))):
            with self.transaction():
                for table in tables(self._TYPES):
                    self._run(table)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See VaultRows."""
        return self._run(sql, values).fetchall()

    def change(self, sql: str, *rows: Sequence[Any]) -> int:
        """See VaultRows."""
        if not rows:
            return 0
        with self._reached() as db, db.cursor() as cursor:
            cursor.executemany(_in_its_words(sql), rows)
            return cursor.rowcount

    def has_table(self, name: str) -> bool:
        """See VaultRows."""
        return bool(self.rows("SELECT to_regclass(?)", (name,))[0][0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See VaultRows."""
        with self._reached() as db, db.transaction():
            self._run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
            yield

    def scrub(self) -> None:
        """See VaultRows."""
        for table in ("identities", "data_keys"):
            self._run(f"VACUUM {table}")

    def close(self) -> None:
        """See VaultRows."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _run(self, sql: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Row]:
        with self._reached() as db:
            return db.execute(_in_its_words(sql), values)

    @contextmanager
    def _reached(self) -> Iterator[psycopg.Connection[Row]]:
        """The connection; one that fails is left, and the next call makes another."""
        try:
            if self._db is None:
                self._db = self._connect()
            yield self._db
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise RetryLaterError(f"vault of persons: {_told(error)}") from error
        except InsufficientPrivilege as error:
            raise SettingsError(f"vault of persons: {_told(error)}; see the user in CREDITBUS_VAULT") from error

    def _connect(self) -> psycopg.Connection[Row]:
        given = parse_qs(urlsplit(self._url).query)
        certificate, key = self._security.pair() or (None, None)
        tls = {
            "sslmode": "verify-full",
            "sslrootcert": str(self._security.ca() or ("" if "sslmode" in given else "system")),
            "sslcert": certificate and str(certificate),
            "sslkey": key and str(key),
        }
        return psycopg.connect(
            self._url,
            autocommit=True,
            password=self._security.secret("password_file") if self._security.password_file else None,
            connect_timeout=5,
            tcp_user_timeout=10_000,
            keepalives_idle=10,
            options=_LIMITS,
            application_name="creditbus",
            **{name: value for name, value in tls.items() if value and name not in given},  # type: ignore[arg-type]
        )


def _in_its_words(sql: str) -> LiteralString:
    """Psycopg takes what stands in the program only; none of our statements has a value in it."""
    return sql.replace("?", "%s")


def _told(error: psycopg.Error) -> str:
    """The server's or the client's own words, in one line, and what to look at; never the values of a row."""
    told = (error.diag.message_primary or str(error).split("DETAIL")[0]).strip().replace("\n", " ")
    hints = [name for word, name in _HINTS.items() if word in told]
    return f"{told}; see {hints[0]}" if hints else told
