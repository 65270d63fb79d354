"""The vault where the settings say that it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from creditbus.bus.keyfiles import VaultKeys, read_vault_keys
from creditbus.bus.privacy import Vault
from creditbus.bus.vaultrows import FileRows, VaultRows

SERVERS = ("postgresql://", "postgres://")


def open_vault(place: str, read_keys: Callable[[], VaultKeys]) -> Vault:
    """The vault at CREDITBUS_VAULT: the path of a file, or a server's URL. Raises SettingsError, RetryLaterError."""
    return Vault(_rows_at(place), read_keys)


def keys_in(folder: Path) -> Callable[[], VaultKeys]:
    """Reads the keys that a folder of secrets has now."""
    return lambda: read_vault_keys(folder)


def _rows_at(place: str) -> VaultRows:
    if not place.startswith(SERVERS):
        return FileRows(Path(place))
    from creditbus.bus.vaultserver import ServerRows  # noqa: PLC0415 - who has a file does not load the client

    return ServerRows(place)
