"""Which department signs with which key: the file of registered public keys, read again when it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from creditbus.bus.keyring import Keyring
from creditbus.bus.private import write_private
from creditbus.bus.reread import Reread
from creditbus.core.batches import key_id
from creditbus.core.errors import SettingsError
from creditbus.core.rules import Span
from creditbus.core.signers import SigningKey

FILE = "signing-keys.json"


class KeyRow(BaseModel):
    """A registered key, as its file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    department: str = Field(min_length=1)
    public_key: str = Field(pattern="^[0-9a-f]{64}$")
    valid_from: date
    valid_to: date | None = None
    """The last day; None is open."""
    revoked_on: date | None = None

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return bytes.fromhex(self.public_key)

    @property
    def kid(self) -> str:
        """Its key id."""
        return key_id(self.public)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> KeyRow:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self


_FILE = TypeAdapter(tuple[KeyRow, ...])


class SigningKeys:
    """Registered keys with the rights of their departments; a change counts within seconds, without a restart."""

    def __init__(self, folder: Path) -> None:
        """Without the file no key is registered. Raises SettingsError for a file that is not as it should be."""
        self._keyring = Keyring(folder)
        self._keys: Reread[Mapping[str, SigningKey]] = Reread(folder / FILE, _by_kid, missing={})

    def __call__(self, kid: str) -> SigningKey | None:
        """The key of that id, as core.signers.Registered asks."""
        key = self._keys.value.get(kid)
        return None if key is None else replace(key, roles=self._keyring.roles_of(key.department))


def read_signing_keys(path: Path) -> tuple[KeyRow, ...]:
    """Every registered key; none in an empty file. Raises SettingsError that names file, place and problem."""
    try:
        return _FILE.validate_json(path.read_bytes() or b"[]")
    except OSError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(f"CREDITBUS_SECRETS: {path}: {where or 'file'}: {first['msg']}") from error


def write_signing_keys(path: Path, rows: tuple[KeyRow, ...]) -> None:
    """Write the file, whole or not at all."""
    write_private(path, json.dumps([row.model_dump(mode="json") for row in rows], indent=1) + "\n")


def _by_kid(path: Path) -> Mapping[str, SigningKey]:
    return {row.kid: _key_of(row) for row in read_signing_keys(path)}


def _key_of(row: KeyRow) -> SigningKey:
    span = Span(since=row.valid_from, until=row.valid_to)
    return SigningKey(kid=row.kid, public=row.public, department=row.department, span=span, revoked_on=row.revoked_on)
