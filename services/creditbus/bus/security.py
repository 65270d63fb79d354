"""How clients prove who they are to the brokers, and how they know the brokers: TLS and SASL."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.errors import SettingsError
from creditbus.security import ClientSecurity


class KafkaSecurity(ClientSecurity):
    """Settings of every client of Kafka; each from the environment variable CREDITBUS_KAFKA_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_KAFKA_", frozen=True, extra="ignore")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="of the brokers' listener; PLAINTEXT only where nobody else can reach the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how user and password are proven; PLAIN only with SASL_SSL"
    )
    sasl_username: str = Field("", description="the principal that topic rights (ACLs) are given to")
    sasl_password_file: Path | None = Field(None, description="file with the password and nothing else")

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
            raise SettingsError(f"{self.variable('sasl_username')} is missing; {self.security_protocol} needs it")
        return self.sasl_username

    def password(self) -> str:
        """The password of the user. Raises SettingsError."""
        return self.secret("sasl_password_file")

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
            certificate, key = self.pair() or (None, None)
            files = {"ca.location": self.ca(), "certificate.location": certificate, "key.location": key}
            settings |= {f"ssl.{name}": str(path) for name, path in files.items() if path is not None}
        return settings

    def for_java(self) -> dict[str, str]:
        """As Kafka's own clients name it; empty for PLAINTEXT. Raises SettingsError.

        It has the password and the key of the certificate in it: whoever writes it down keeps it to itself.
        """
        if self.security_protocol == "PLAINTEXT":
            return {}
        settings = {"security.protocol": str(self.security_protocol)}
        if self.uses_sasl:
            settings |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.jaas.config": _jaas(self.sasl_mechanism, self.user(), self.password()),
            }
        if self.uses_tls:
            if (authority := self.ca()) is not None:
                settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(authority.absolute())}
            if (pair := self.pair()) is not None:
                certificate, key = (path.read_text(encoding="ascii") for path in pair)
                settings |= {
                    "ssl.keystore.type": "PEM",
                    "ssl.keystore.certificate.chain": certificate,
                    "ssl.keystore.key": key,
                }
        return settings

    def tls_context(self) -> ssl.SSLContext | None:
        """For clients written in Python; None where nothing is encrypted. Raises SettingsError."""
        return self.context() if self.uses_tls else None


class HubKafkaSecurity(KafkaSecurity):
    """The same for the brokers of the hub, as a region's mirror is told; CREDITBUS_HUB_KAFKA_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_HUB_KAFKA_", frozen=True, extra="ignore")


def _jaas(mechanism: str, user: str, password: str) -> str:
    """How Java's login modules are told of a user."""
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    told = " ".join(f"{name}={_quoted(value)}" for name, value in (("username", user), ("password", password)))
    return f"org.apache.kafka.common.security.{module} required {told};"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
