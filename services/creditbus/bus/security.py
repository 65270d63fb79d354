"""How clients prove who they are to the brokers, and how they know the brokers: TLS and SASL."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.errors import SettingsError
from creditbus.core.settings import Settings

_PREFIX = "CREDITBUS_KAFKA_"


class KafkaSecurity(Settings):
    """Settings of every client of Kafka; each from the environment variable CREDITBUS_KAFKA_<NAME>.

    Secrets stand in files and are read whenever a client is made, so that a password is changed without a new process.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="of the brokers' listener; PLAINTEXT only where nobody else can reach the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how user and password are proven; PLAIN only with SASL_SSL"
    )
    sasl_username: str = Field("", description="the principal that topic rights (ACLs) are given to")
    sasl_password_file: Path | None = Field(None, description="file with the password and nothing else")
    ca_file: Path | None = Field(None, description="PEM file of who signs for the brokers; the system's when left out")
    certificate_file: Path | None = Field(None, description="PEM file of the client's certificate, for mutual TLS")
    key_file: Path | None = Field(None, description="PEM file of the certificate's private key")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        """Whether clients name themselves by user and password."""
        return self.security_protocol.startswith("SASL_")

    def user(self) -> str:
        """Who the client says it is. Raises SettingsError."""
        if not self.sasl_username:
            raise SettingsError(f"{_PREFIX}SASL_USERNAME is missing; {self.security_protocol} needs it")
        return self.sasl_username

    def password(self) -> str:
        """The password of the user. Raises SettingsError."""
        return _required("SASL_PASSWORD_FILE", self.sasl_password_file).read_text(encoding="utf-8").strip()

    def for_librdkafka(self) -> dict[str, Any]:
        """As librdkafka names it; empty for PLAINTEXT. Raises SettingsError that names the variable and the remedy."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        settings: dict[str, Any] = {"security.protocol": self.security_protocol}
        if self.uses_sasl:
            settings |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.user(),
                "sasl.password": self.password(),
            }
        if self.uses_tls:
            certificate, key = self._pair()
            files = {"ca.location": self._ca(), "certificate.location": certificate, "key.location": key}
            settings |= {f"ssl.{name}": str(path) for name, path in files.items() if path is not None}
        return settings

    def tls_context(self) -> ssl.SSLContext | None:
        """For clients written in Python; None where nothing is encrypted. Raises SettingsError."""
        if not self.uses_tls:
            return None
        certificate, key = self._pair()
        try:
            context = ssl.create_default_context(cafile=self._ca())
            if certificate is not None:
                context.load_cert_chain(certificate, key)
        except ssl.SSLError as error:
            raise SettingsError(f"{_PREFIX}CA_FILE, CERTIFICATE_FILE, KEY_FILE: not PEM ({error.reason})") from error
        return context

    def _ca(self) -> Path | None:
        return None if self.ca_file is None else _required("CA_FILE", self.ca_file)

    def _pair(self) -> tuple[Path | None, Path | None]:
        if self.certificate_file is None and self.key_file is None:
            return None, None
        return _required("CERTIFICATE_FILE", self.certificate_file), _required("KEY_FILE", self.key_file)


def _required(name: str, path: Path | None) -> Path:
    if path is None:
        raise SettingsError(f"{_PREFIX}{name} is missing; name the file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise SettingsError(
            f"{_PREFIX}{name}: {path} cannot be read ({error.strerror}); name a file that this user may read"
        ) from error
    return path
