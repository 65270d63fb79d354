"""What every service can be told: where the brokers, the registry, its data and its secrets are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from creditbus.core.errors import SettingsError
from creditbus.core.settings import Settings


class ServiceSettings(Settings):
    """Settings that all services share; each from the environment variable CREDITBUS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CREDITBUS_", frozen=True, extra="ignore")

    brokers: str = Field("127.0.0.1:19092", description="Kafka brokers, host:port, separated by commas")
    registry_url: str = Field(
        "http://127.0.0.1:18081/apis/ccompat/v7", description="base of the registry's Confluent-compatible API"
    )
    http_host: str = Field("127.0.0.1", description="address to listen on; the lab keeps to loopback")
    http_port: int = Field(
        0, ge=0, le=65535, description="port for health and metrics, and of what is served by HTTP; 0 = any free one"
    )
    schema_cache: Path | None = Field(
        None,
        description="file that remembers what the registry said of schemas, so that a region's node starts while its "
        "hub's registry is away; none by default",
    )
    data: Path = Field(Path(".lab/data"), description="folder for local state; lost state is restored from Kafka")
    secrets: Path = Field(Path(".lab/secrets"), description="folder with the secret files")
    vault: str = Field(
        ".lab/services/intake/vault.sqlite",
        description="the key vault, with identities and keys of persons: path of a file, or postgresql://user@host/database",
    )

    @property
    def http_address(self) -> tuple[str, int]:
        """Where to listen."""
        return self.http_host, self.http_port


def read_key(folder: Path, name: str) -> bytes:
    """A secret key from its file of hex digits. Raises SettingsError that names the file and the remedy."""
    path = folder / name
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} is missing; `creditbus up` creates it") from error
    except ValueError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} must hold hex digits only") from error
    if len(key) < 16:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} holds {len(key)} bytes; at least 16 are needed")
    return key
