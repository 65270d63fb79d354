"""Keys with which departments sign what they write to Kafka themselves: made, registered, revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from creditbus.bus.keyring import Keyring
from creditbus.bus.private import write_private
from creditbus.bus.signing import KeyPair, is_weak
from creditbus.bus.signingkeys import FILE, KeyRow, read_signing_keys, write_signing_keys
from creditbus.lab.errors import LabError

_SECRET_BYTES = 32


class SigningKeyError(LabError):
    """A key cannot be registered or revoked as it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a department asks to have registered."""

    public_key: str
    """Hex."""
    department: str
    valid_from: date
    valid_to: date | None


def make_pair(file: Path) -> KeyPair:
    """A new pair, its private key in a file for this user alone. Raises FileExistsError."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    write_private(file, secret.hex() + "\n", is_new=True)
    return KeyPair.from_bytes(secret)


class SigningKeyDesk:
    """The registered keys of one bus."""

    def __init__(self, folder: Path) -> None:
        """folder: of the secrets. Raises SettingsError where there are none."""
        self._keyring = Keyring(folder)
        self._file = folder / FILE

    def rows(self) -> tuple[KeyRow, ...]:
        """Every key that was ever registered. Raises SettingsError for a file that cannot be read."""
        return read_signing_keys(self._file) if self._file.exists() else ()

    def register(self, wanted: Registration) -> KeyRow:
        """Let events count that are signed with a key. Raises SigningKeyError."""
        row = _made(wanted)
        if is_weak(row.public):
            raise SigningKeyError(
                en=f"{row.kid} is a key that others can sign for: have another one made (creditbus keys create)",
                zh=f"{row.kid} 是他人可以冒签的弱密钥，请另行生成（creditbus keys create）",
            )
        if not self._keyring.roles_of(row.department):
            raise SigningKeyError(
                en=f"{row.department} has no API key here, which says what it may send: "
                "see creditbus catalogue list departments --in-force",
                zh=f"{row.department} 在此没有接口密钥，无法确定其报送权限",
            )
        if any(one.kid == row.kid for one in self.rows()):
            raise SigningKeyError(
                en=f"{row.kid} is registered already (creditbus keys list); a revoked key never counts again",
                zh=f"{row.kid} 已登记（creditbus keys list）；已吊销的密钥不能恢复，请另行生成",
            )
        write_signing_keys(self._file, (*self.rows(), row))
        return row

    def revoke(self, kid: str, today: date) -> KeyRow:
        """Let nothing count any more that is signed with a key, from now on. Raises SigningKeyError."""
        rows = self.rows()
        found = next((row for row in rows if row.kid == kid), None)
        if found is None:
            raise SigningKeyError(
                en=f"{kid}: there is no such key (creditbus keys list)", zh=f"没有密钥 {kid}（creditbus keys list）"
            )
        if found.revoked_on is not None:
            return found
        revoked = found.model_copy(update={"revoked_on": today})
        write_signing_keys(self._file, tuple(revoked if row is found else row for row in rows))
        return revoked


def _made(wanted: Registration) -> KeyRow:
    try:
        return KeyRow(
            department=wanted.department,
            public_key=wanted.public_key.strip().lower(),
            valid_from=wanted.valid_from,
            valid_to=wanted.valid_to,
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SigningKeyError(
            en=f"{where or 'key'}: {first['msg']}; `creditbus keys create` prints the public key, 64 hex digits",
            zh=f"{where or '密钥'} 无效；公钥为 `creditbus keys create` 输出的 64 位十六进制数",
        ) from error
