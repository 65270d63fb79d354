"""A real PostgreSQL server with TLS and passwords, for the vault of persons (Debian's package postgresql)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_ports
from secured_kafka import make_certificate
from waiting import wait_until

OWNER = "creditbus"
PASSWORD = "of the vault"
_DEBIAN = Path("/usr/lib/postgresql")
_NOT_ROOT = "nobody"
"""Who runs the server when root runs the tests: it refuses to be root's."""


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest where there are several; None where there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


@dataclass
class PostgresServer:
    """A server, where its databases and its certificate are, and how it is killed and started."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """As CREDITBUS_VAULT names it."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def environment(self) -> dict[str, str]:
        """What a client needs besides."""
        (self.folder / "password").write_text(f"{PASSWORD}\n")
        return {
            "CREDITBUS_VAULT_PASSWORD_FILE": str(self.folder / "password"),
            "CREDITBUS_VAULT_CA_FILE": str(self.folder / "ca.pem"),
        }

    def make_database(self, name: str) -> str:
        """A new database; its URL."""
        self._ask(f'CREATE DATABASE "{name}" OWNER {OWNER}')
        return self.url(name)

    def kill(self) -> None:
        """End it as a crash would, with all that it has running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # its own name for a crash: SIGKILL would leave its children
            self._process.wait(30)

    def start(self) -> None:
        """Start it, on what it has."""
        command = [_program("postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=_who(), group=_group())
        wait_until("the server to answer", self._answers)

    def _answers(self) -> bool:
        return self._run("SELECT 1").returncode == 0

    def _ask(self, sql: str) -> None:
        done = self._run(sql)
        assert done.returncode == 0, done.stderr

    def _run(self, sql: str) -> subprocess.CompletedProcess[str]:
        """As the server's superuser, on its socket."""
        command = [_program("psql"), "-h", str(self.folder), "-p", str(self.port), "-U", "root", "-c", sql, "postgres"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@contextmanager
def postgres_running() -> Iterator[PostgresServer]:
    """A server of its own, with a user that has to prove who it is over TLS."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # a socket's path has to be short
        folder = Path(name)
        make_certificate(folder)
        folder.chmod(0o711)
        (folder / "data").mkdir()
        _give(folder, folder / "data", folder / "key.pem")
        (port,) = free_ports(1)
        initdb = [_program("initdb"), "-D", str(folder / "data"), "-U", "root", "--auth=trust", "--no-sync"]
        subprocess.run(initdb, capture_output=True, check=True, timeout=120, user=_who(), group=_group())
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "ssl": "on",
            "ssl_cert_file": folder / "ca.pem", "ssl_key_file": folder / "key.pem", "max_connections": 40,
        }  # fmt: skip
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in settings.items())
        who = "local all root trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        (folder / "data" / "pg_hba.conf").write_text(who)
        server = PostgresServer(folder, port)
        server.start()
        server._ask(f"CREATE USER {OWNER} PASSWORD '{PASSWORD}'")
        try:
            yield server
        finally:
            server.kill()


def _program(name: str) -> str:
    folder = programs()
    assert folder is not None
    return str(folder / name)


def _who() -> str | None:
    return _NOT_ROOT if os.getuid() == 0 else None


def _group() -> str | None:
    return "nogroup" if os.getuid() == 0 else None


def _give(*paths: Path) -> None:
    if os.getuid() == 0:
        for path in paths:
            shutil.chown(path, _NOT_ROOT, "nogroup")
    for path in paths:
        path.chmod(0o700 if path.is_dir() else 0o600)
