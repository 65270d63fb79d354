"""Keys of persons: which there are, who is under which, new versions of them, and copies of the vault."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from creditbus.bus.keyfiles import MASTER, PLATFORM, VaultKeys, file_of, key_id, read_vault_keys, write_key
from creditbus.bus.privacy import Taken
from creditbus.bus.vaults import open_vault
from creditbus.lab.errors import LabError

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """One version of a key."""

    kind: str
    version: int
    key_id: str
    is_newest: bool
    used_by: int
    """Persons whose token was made with it, or data keys that are wrapped under it."""


class KeyDesk:
    """The vault and the key files of one bus."""

    def __init__(self, vault: str, folder: Path) -> None:
        """Raises SettingsError when key files are missing."""
        self._folder = folder
        self._vault = open_vault(vault, self._read)

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()

    def uses(self) -> list[KeyUse]:
        """Every version of both kinds, oldest first."""
        keys, (persons, data_keys) = self._read(), self._vault.counts()
        return [*_uses(PLATFORM, keys.platform, persons), *_uses(MASTER, keys.master, data_keys)]

    def rotate_platform(self) -> KeyUse:
        """A new version for persons that are new from now on; whoever is known keeps token and version."""
        version = self._read().newest_platform + 1
        key = secrets.token_bytes(_KEY_BYTES)
        write_key(file_of(self._folder, PLATFORM, version), key)
        return KeyUse(
            kind=PLATFORM, version=version, key_id=key_id(PLATFORM, version, key), is_newest=True, used_by=0
        )  # fmt: skip

    def rotate_master(self) -> KeyUse:
        """Wrap every data key under a new master key, and destroy the older versions.

        Copies of the vault from before, with the data keys of persons that were forgotten since, cannot be opened then.
        """
        rewrapped = self._vault.rewrap(self._add_master)
        keys = self._read()
        newest = keys.newest_master
        for version in keys.master:
            if version != newest:
                _destroy(file_of(self._folder, MASTER, version))
        name = key_id(MASTER, newest, keys.master[newest])
        return KeyUse(kind=MASTER, version=newest, key_id=name, is_newest=True, used_by=rewrapped)

    def back_up(self, path: Path) -> None:
        """A copy of the vault as of now, in a new file. Raises LabError when it cannot be made."""
        try:
            self._vault.copy_to(path)
        except OSError as error:
            raise LabError(
                en=f"{path}: {error.strerror}; name a new file, in a folder that is there",
                zh=f"{path}：{error.strerror}；请指定已有文件夹中的新文件",
            ) from error

    def restore(self, path: Path, forgotten: Collection[str]) -> Taken:
        """Bring back from a copy what the vault has no more. Raises LabError when it is no copy of a vault.

        forgotten: keys of persons who must not come back.
        """
        with TemporaryDirectory(dir=self._folder) as folder:
            opened = Path(folder) / "vault.sqlite"
            try:
                shutil.copyfile(path, opened)
                _require_persons(opened)
                with closing(open_vault(str(opened), self._read)) as copy:
                    return self._vault.take_from(copy, forgotten)
            except (OSError, sqlite3.DatabaseError) as error:
                raise LabError(
                    en=f"{path} is no copy of a vault ({error}): name a file that `creditbus keys backup` wrote",
                    zh=f"{path} 不是密钥库备份（{error}）：请指定 creditbus keys backup 写出的文件",
                ) from error

    def _add_master(self) -> VaultKeys:
        version = self._read().newest_master + 1
        write_key(file_of(self._folder, MASTER, version), secrets.token_bytes(_KEY_BYTES))
        return self._read()

    def _read(self) -> VaultKeys:
        return read_vault_keys(self._folder)


def _uses(kind: str, keys: Mapping[int, bytes], used: Mapping[int, int]) -> list[KeyUse]:
    return [
        KeyUse(
            kind=kind,
            version=version,
            key_id=key_id(kind, version, key),
            is_newest=version == max(keys),
            used_by=used.get(version, 0),
        )
        for version, key in sorted(keys.items())
    ]


def _require_persons(path: Path) -> None:
    """Raises sqlite3.DatabaseError for a file that is none, or has no persons: opened, it would become a new vault."""
    with closing(sqlite3.connect(path)) as file:
        if file.execute("SELECT 1 FROM sqlite_master WHERE name = 'identities'").fetchone() is None:
            raise sqlite3.DatabaseError("no persons in it")


def _destroy(path: Path) -> None:
    """Overwrite and remove; what a disk keeps beneath the file system is beyond a program."""
    with path.open("r+b") as file:
        file.write(b"0" * path.stat().st_size)
        file.flush()
    path.unlink()
