"""Credentials and certificates of clients and servers.

Secrets stand in files, which are read whenever they are needed: a password is changed without a new process.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.errors import SettingsError
from creditbus.core.settings import Settings

REFUSED = frozenset({401, 403})
"""HTTP statuses of who is not known, or has no right to it."""


class Files(Settings):
    """Settings that name files with secrets and certificates."""

    certificate_file: Path | None = None
    key_file: Path | None = None

    def pair(self) -> tuple[Path, Path] | None:
        """A certificate and its key, where there is one. Raises SettingsError when they cannot be read."""
        if self.certificate_file is None and self.key_file is None:
            return None
        return self.readable("certificate_file"), self.readable("key_file")

    def secret(self, field: str) -> str:
        """What stands in the file that a field names, and nothing else. Raises SettingsError."""
        return self.readable(field).read_text(encoding="utf-8").strip()

    def readable(self, field: str) -> Path:
        """The file that a field names. Raises SettingsError that names the variable, the problem and the remedy."""
        path: Path | None = getattr(self, field)
        if path is None:
            raise SettingsError(f"{self.variable(field)} is missing; name the file")
        try:
            path.open("rb").close()
        except OSError as error:
            raise SettingsError(
                f"{self.variable(field)}: {path} cannot be read ({error.strerror}); name a file that this user may read"
            ) from error
        return path

    def loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """The context with the certificate, where there is one. Raises SettingsError."""
        pair = self.pair()
        try:
            if pair is not None:
                context.load_cert_chain(*pair)
        except ssl.SSLError as error:
            names = f"{self.variable('certificate_file')}, {self.variable('key_file')}"
            raise SettingsError(f"{names}: not PEM, or not of one another ({error.reason})") from error
        return context

    def written_at(self) -> tuple[int, ...]:
        """When the files of the certificate were written, in nanoseconds; empty without one. Raises SettingsError."""
        return tuple(path.stat().st_mtime_ns for path in self.pair() or ())

    def variable(self, field: str) -> str:
        """The environment variable of a field."""
        return f"{self.model_config.get('env_prefix', '')}{field.upper()}"


class ServerSecurity(Files):
    """The certificate that gateway, look-up and console show; settings are CREDITBUS_HTTP_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_HTTP_", frozen=True, extra="ignore")

    certificate_file: Path | None = Field(
        None,
        description="PEM file of the certificate and its chain; plain HTTP without, for loopback and behind a proxy",
    )
    key_file: Path | None = Field(None, description="PEM file of the certificate's private key")


class ClientSecurity(Files):
    """How a kind of client knows its servers, and shows them a certificate of its own."""

    ca_file: Path | None = Field(None, description="PEM file of who signs for the servers; the system's when left out")
    certificate_file: Path | None = Field(None, description="PEM file of the client's certificate, for mutual TLS")
    key_file: Path | None = Field(None, description="PEM file of the certificate's private key")

    def ca(self) -> Path | None:
        """The file of who signs; None for the system's. Raises SettingsError when it cannot be read."""
        return None if self.ca_file is None else self.readable("ca_file")

    def context(self) -> ssl.SSLContext:
        """All of it, for clients written in Python. Raises SettingsError."""
        try:
            context = ssl.create_default_context(cafile=self.ca())
        except ssl.SSLError as error:
            raise SettingsError(f"{self.variable('ca_file')}: not PEM ({error.reason})") from error
        return self.loaded(context)


class HttpSecurity(ClientSecurity):
    """How a client of an HTTP server proves who it is: a user and a password (RFC 7617), a certificate, or both."""

    username: str = Field("", description="user that the server knows; nobody by default")
    password_file: Path | None = Field(None, description="file with the user's password and nothing else")

    def basic(self) -> tuple[str, str] | None:
        """User and password; None where there is no user. Raises SettingsError."""
        return (self.username, self.secret("password_file")) if self.username else None

    def client(self, url: str, timeout_seconds: float, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client of the server; the password is read for each request. Raises SettingsError.

        A password in the URL is refused, since logs would tell it.
        """
        if "@" in urlsplit(url).netloc:
            raise SettingsError(
                f"{self.variable('url')} must not hold user and password, which logs would tell: "
                f"name them by {self.variable('username')} and {self.variable('password_file')}"
            )
        return httpx.Client(
            base_url=url.rstrip("/"),
            timeout=timeout_seconds,
            headers=headers,
            auth=_Basic(self) if self.username else None,
            verify=self.context() if urlsplit(url).scheme == "https" else True,
        )

    def refusal(self, server: str, status: int) -> str:
        """What to say when the server does not take the user."""
        who = f"the user {self.username}" if self.username else "who names no user"
        names = f"{self.variable('username')}, {self.variable('password_file')}"
        return f"{server} refuses {who} (HTTP {status}): see {names}, or the rights that it has there"

    def silence(self, server: str, error: Exception) -> str:
        """What to say when nothing came back."""
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return f"{server} shows a certificate that is not trusted: see {self.variable('ca_file')}"
        return f"{server} does not answer ({type(error).__name__}); is it running?"


class _Basic(httpx.Auth):
    """A user and the password that its file holds now."""

    def __init__(self, security: HttpSecurity) -> None:
        self._security = security

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """As httpx asks for it."""
        user, password = self._security.basic() or ("", "")
        yield from httpx.BasicAuth(user, password).auth_flow(request)
