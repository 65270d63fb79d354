"""Key files of the platform: versions of the key that tokens are made with, of the vault's master key, its index key.

A version is a file of its own, so a rotation adds one and takes nothing away while anybody may still need it. The lab
keeps the files with its secrets; production mounts them from a key management system.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from creditbus.bus.private import write_private
from creditbus.bus.settings import read_key
from creditbus.core.errors import SettingsError

PLATFORM = "platform-token"
MASTER = "vault-master"
INDEX_KEY = "vault-index.key"
UNSALTED = 1
"""Version of the platform's key that tokens without a salt were made with; its file has no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultKeys:
    """What the vault works with."""

    platform: Mapping[int, bytes]
    """By version, from which tokens are made; new persons get the newest."""
    master: Mapping[int, bytes]
    """By version, under which data keys are wrapped; new ones under the newest."""
    index: bytes
    """Finds the row of a number; it cannot be rotated, since the vault does not hold the numbers."""

    @property
    def newest_platform(self) -> int:
        """Version for new persons."""
        return max(self.platform)

    @property
    def newest_master(self) -> int:
        """Version for new data keys."""
        return max(self.master)


def read_vault_keys(folder: Path) -> VaultKeys:
    """Every version that there is. Raises SettingsError that names what is missing and the remedy."""
    platform, master = _versions(folder, PLATFORM), _versions(folder, MASTER)
    if not any(version > UNSALTED for version in platform):
        raise SettingsError(f"CREDITBUS_SECRETS: {file_of(folder, PLATFORM, 2)} is missing; `creditbus up` creates it")
    if not master:
        raise SettingsError(f"CREDITBUS_SECRETS: {file_of(folder, MASTER, 1)} is missing; `creditbus up` creates it")
    return VaultKeys(platform=platform, master=master, index=read_key(folder, INDEX_KEY))


def file_of(folder: Path, kind: str, version: int) -> Path:
    """Where a version of a key is kept."""
    name = kind if (kind, version) == (PLATFORM, UNSALTED) else f"{kind}-{version}"
    return folder / f"{name}.key"


def key_id(kind: str, version: int, key: bytes) -> str:
    """What a key is called where it is not known: kind, version and eight hex digits that tell it from another."""
    return f"{kind}-{version}:{hashlib.sha256(b'key id' + key).hexdigest()[:8]}"


def write_key(path: Path, key: bytes) -> None:
    """A file of that key. Raises FileExistsError."""
    write_private(path, key.hex(), is_new=True)


def _versions(folder: Path, kind: str) -> dict[int, bytes]:
    named = re.compile(rf"{kind}-([1-9][0-9]*)\.key")
    found = {}
    if kind == PLATFORM and (folder / f"{PLATFORM}.key").exists():
        found[UNSALTED] = read_key(folder, f"{PLATFORM}.key")
    for path in folder.glob(f"{kind}-*.key"):
        match = named.fullmatch(path.name)
        if match is not None:
            found[int(match[1])] = read_key(folder, path.name)
    return found
