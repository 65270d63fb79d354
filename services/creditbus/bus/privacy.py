"""What keeps natural persons unknown downstream: the token of a number, and sealed personal data.

The vault holds for each person a row that a number leads to (salt, version of the platform's key) and a data key that
everything personal is sealed with. Both are durable before they are first used, and two processes that race get the
same. Forgetting a person destroys both: what was sealed can never be read, and the number leads nowhere.
The lab keeps the vault in a file, production on a server (bus/vaultrows.py).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from creditbus.bus.keyfiles import PLATFORM, UNSALTED, VaultKeys, key_id
from creditbus.bus.vaultrows import Row, VaultRows, write_copy
from creditbus.core.errors import RetryLaterError, SettingsError
from creditbus.core.identity import TOKEN, Identity

_KEY_BYTES = 32
_SALT_BYTES = 16
_ASKED_AT_ONCE = 500
_COLUMNS = {"identities": "number_index, subject, salt, version, key_id", "data_keys": "subject, wrapped, master"}


def person_token(platform_key: bytes, number: str, version: int = UNSALTED, salt: bytes = b"") -> str:
    """Key of a natural person: HMAC-SHA-256 of salt and normalised number, with the version of the platform's key.

    Version 1 has no salt: it is that of persons who were first seen before there were any.
    """
    digest = hmac.digest(platform_key, salt + number.encode(), "sha256").hex()
    return f"p:{version}:{digest[:40]}"


def _sealed(key: bytes, subject: str, data: bytes) -> bytes:
    return AESSIV(key).encrypt(data, [subject.encode()])


@dataclass(frozen=True, slots=True)
class Known:
    """A person that a number leads to, with the key that everything about it is sealed with."""

    identity: Identity
    data_key: bytes

    def seal(self, data: bytes) -> bytes:
        """As ``Vault.seal``."""
        return _sealed(self.data_key, self.identity.subject_key, data)


@dataclass(frozen=True, slots=True)
class Draft(Known):
    """A person as it will be: nobody else knows of it until ``Vault.keep`` has made it durable."""

    number: str
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came back from a copy of the vault."""

    persons: int
    """Numbers that lead to their person again."""
    instead: int
    """Those of them that had made a new person since."""
    data_keys: int
    left_out: int
    """Persons of the copy that were forgotten since."""


class Vault:
    """Identities and data keys of persons. For one thread.

    Every method raises RetryLaterError while the rows are out of reach.
    """

    def __init__(self, rows: VaultRows, read_keys: Callable[[], VaultKeys]) -> None:
        """read_keys: the keys as they are now; asked again when persons are kept, or a key is unknown."""
        self._read_keys = read_keys
        self._keys = read_keys()
        self._db = rows
        self._wrap_plain_keys()

    def identity_of(self, number: str) -> Identity:
        """The person that a normalised number leads to; a new one when the number leads to nobody.

        A person keeps the token and the key version first seen, whatever is rotated later.
        """
        while True:
            known = self.find(number)
            if known is not None:
                return known
            draft = self.draft(number)
            if self.keep([draft]):
                return draft.identity

    def draft(self, number: str) -> Draft:
        """A new person for a number that leads to nobody."""
        version = self._keys.newest_platform
        key, salt = self._keys.platform[version], secrets.token_bytes(_SALT_BYTES)
        token = person_token(key, number, version, salt)
        identity = Identity(TOKEN, token, token, version, key_id(PLATFORM, version, key))
        return Draft(identity, secrets.token_bytes(_KEY_BYTES), number, salt)

    def keep(self, drafts: Collection[Draft]) -> bool:
        """Make new persons durable, all of them or none.

        False when somebody else was faster with one of them, or made a newer version of the platform's key since: the
        numbers have to be asked for again.
        """
        with self._db.transaction():
            self._keys = self._read_keys()
            if any(self._is_outdated(draft) for draft in drafts):
                return False
            self._db.change("INSERT INTO identities VALUES (?, ?, ?, ?, ?)", *map(self._row_of, drafts))
            self._keep_keys((draft.identity.subject_key, draft.data_key) for draft in drafts)
        return True

    def find(self, number: str) -> Identity | None:
        """The person that a normalised number leads to, if it is known."""
        found = self._db.rows(
            "SELECT subject, version, key_id FROM identities WHERE number_index = ?", (self._index(number),)
        )
        for subject, version, name in found:
            return Identity(TOKEN, subject, subject, version, name)
        unsalted = self._unsalted(number)
        if unsalted is None or not self._has_key(unsalted.subject_key):
            return None
        return unsalted

    def find_all(self, numbers: Collection[str]) -> dict[str, Known | None]:
        """Who is known of these numbers, as ``find`` tells, by few questions; None for who leads to nobody."""
        numbers_by_index = {self._index(number): number for number in numbers}
        found: dict[str, Known | None] = dict.fromkeys(numbers)
        sql = (
            "SELECT number_index, subject, version, key_id, wrapped, master FROM identities "
            "JOIN data_keys USING (subject) WHERE number_index IN ({})"
        )
        for index, subject, version, name, wrapped, master in self._asked(sql, numbers_by_index):
            identity = Identity(TOKEN, subject, subject, version, name)
            found[numbers_by_index[index]] = Known(identity, self._unwrap(subject, wrapped, master))
        return found | self._all_unsalted([number for number, known in found.items() if known is None])

    def has_keys(self, subjects: Collection[str]) -> bool:
        """Whether nobody of them was forgotten. subjects: each once."""
        counts = self._asked("SELECT count(*) FROM data_keys WHERE subject IN ({})", subjects)
        return sum(int(count) for (count,) in counts) == len(subjects)

    def seal(self, subject: str, data: bytes) -> bytes:
        """Encrypt under the person's key (AES-SIV: the same data gives the same bytes, so a retry changes nothing).

        Raises KeyError when the person was forgotten, or never made: nothing brings a key back.
        """
        return _sealed(self._data_key(subject), subject, data)

    def open(self, subject: str, sealed: bytes) -> bytes:
        """Decrypt. Raises KeyError when the person was forgotten, cryptography.exceptions.InvalidTag for another's."""
        return AESSIV(self._data_key(subject)).decrypt(sealed, [subject.encode()])

    def destroy(self, subject: str) -> bool:
        """Forget the person: what was sealed can never be read again, and the number leads to a new person.

        Returns whether there was anything. Copies of the file go when the master key is rotated (``rewrap``).
        """
        with self._db.transaction():
            gone = [
                self._db.change(f"DELETE FROM {table} WHERE subject = ?", (subject,))  # noqa: S608 - no value
                for table in ("data_keys", "identities")
            ]
        self._db.scrub()
        return any(gone)

    def rewrap(self, rotate: Callable[[], VaultKeys]) -> int:
        """Wrap every data key under a new master key; returns how many.

        rotate: adds the new key and returns all. It is called while nobody else can write, so that no data key is
        wrapped under an older one afterwards.
        """
        with self._db.transaction():
            self._keys = rotate()
            rows = self._db.rows("SELECT subject, wrapped, master FROM data_keys")
            newest = self._keys.newest_master
            wrapped = (
                (self._wrap(subject, self._unwrap(subject, wrapped, master), newest), newest, subject)
                for subject, wrapped, master in rows
            )
            self._db.change("UPDATE data_keys SET wrapped = ?, master = ? WHERE subject = ?", *wrapped)
        self._db.scrub()
        return len(rows)

    def copy_to(self, path: Path) -> None:
        """A copy as of now in a file, which only its owner may read, durable when it returns. Raises FileExistsError.

        A file of the vault's own is none: what was written of late stands beside it.
        """
        with self._db.transaction():
            everything = self._everything()
        path.touch(mode=0o600, exist_ok=False)
        try:
            write_copy(path, everything)
        except RetryLaterError:
            path.unlink()
            raise

    def take_from(self, copy: Vault, forgotten: Collection[str]) -> Taken:
        """Bring back from a copy what is not here any more, but for persons who were forgotten since.

        A number that has made a new person meanwhile leads to the earlier one again, who has the longer history; what
        was sealed for the new one opens as before. Repeating it changes nothing.
        Raises SettingsError when the keys here are not those of the copy.
        """
        rows, data_keys = copy._everything().values()
        subjects = {row[1] for row in rows} | {row[0] for row in data_keys}
        rows = [row for row in rows if row[1] not in forgotten]
        data_keys = [row for row in data_keys if row[0] not in forgotten]
        self._require_same_keys(rows, data_keys)
        with self._db.transaction():
            here: dict[bytes, str] = dict(self._db.rows("SELECT number_index, subject FROM identities"))
            missing = [row for row in rows if here.get(row[0]) != row[1]]
            self._db.change("DELETE FROM identities WHERE number_index = ?", *((row[0],) for row in missing))
            self._db.change("INSERT INTO identities VALUES (?, ?, ?, ?, ?)", *missing)
            came_back = self._db.change("INSERT INTO data_keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *data_keys)
        return Taken(
            persons=len(missing),
            instead=len([row for row in missing if row[0] in here]),
            data_keys=came_back,
            left_out=len(subjects & set(forgotten)),
        )

    def counts(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """Persons by version of the platform's key, data keys by version of the master key."""
        found: dict[int, int] = dict(self._db.rows("SELECT version, count(*) FROM identities GROUP BY version"))
        without = "SELECT count(*) FROM data_keys WHERE subject NOT IN (SELECT subject FROM identities)"
        for (unlisted,) in self._db.rows(without):
            if unlisted:
                found[UNSALTED] = found.get(UNSALTED, 0) + unlisted
        return found, dict(self._db.rows("SELECT master, count(*) FROM data_keys GROUP BY master"))

    def close(self) -> None:
        """Close where the rows are."""
        self._db.close()

    # -- persons -----------------------------------------------------------------------------------------

    def _index(self, number: str) -> bytes:
        return hmac.digest(self._keys.index, number.encode(), "sha256")

    def _row_of(self, draft: Draft) -> tuple[bytes, str, bytes, int, str]:
        one = draft.identity
        return self._index(draft.number), one.subject_key, draft.salt, one.token_version, one.key_id

    def _is_outdated(self, draft: Draft) -> bool:
        return draft.identity.token_version != self._keys.newest_platform or self.find(draft.number) is not None

    def _unsalted(self, number: str) -> Identity | None:
        """Who the number was before there were salts."""
        key = self._keys.platform.get(UNSALTED)
        if key is None:
            return None
        token = person_token(key, number)
        return Identity(TOKEN, token, token, UNSALTED, key_id(PLATFORM, UNSALTED, key))

    def _all_unsalted(self, numbers: Collection[str]) -> dict[str, Known | None]:
        """Those of them that lead to persons of before the salts."""
        earlier = {one.subject_key: (number, one) for number in numbers if (one := self._unsalted(number)) is not None}
        found: dict[str, Known | None] = {}
        sql = "SELECT subject, wrapped, master FROM data_keys WHERE subject IN ({})"
        for subject, wrapped, master in self._asked(sql, earlier):
            number, identity = earlier[subject]
            found[number] = Known(identity, self._unwrap(subject, wrapped, master))
        return found

    def _asked(self, sql: str, values: Iterable[Any]) -> Iterator[Row]:
        """What is found for many values, by few questions. sql: with {} where the values stand."""
        left = iter(values)
        while some := list(islice(left, _ASKED_AT_ONCE)):
            yield from self._db.rows(sql.format(", ".join("?" * len(some))), some)

    def _everything(self) -> dict[str, list[Row]]:
        """All rows by table."""
        return {table: self._db.rows(f"SELECT {columns} FROM {table}") for table, columns in _COLUMNS.items()}  # noqa: S608

    # -- data keys ---------------------------------------------------------------------------------------

    def _has_key(self, subject: str) -> bool:
        return bool(self._db.rows("SELECT 1 FROM data_keys WHERE subject = ?", (subject,)))

    def _data_key(self, subject: str) -> bytes:
        for wrapped, master in self._db.rows("SELECT wrapped, master FROM data_keys WHERE subject = ?", (subject,)):
            return self._unwrap(subject, wrapped, master)
        raise KeyError("no data key of this person")

    def _keep_keys(self, keys: Iterable[tuple[str, bytes]]) -> None:
        newest = self._keys.newest_master
        rows = ((subject, self._wrap(subject, key, newest), newest) for subject, key in keys)
        self._db.change("INSERT INTO data_keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *rows)

    def _wrap(self, subject: str, key: bytes, master: int) -> bytes:
        return AESSIV(self._keys.master[master]).encrypt(key, [subject.encode()])

    def _unwrap(self, subject: str, wrapped: bytes, master: int) -> bytes:
        if master not in self._keys.master:
            self._keys = self._read_keys()  # it was rotated since
        key = self._keys.master.get(master)
        if key is None:
            raise SettingsError(f"CREDITBUS_SECRETS: version {master} of the vault's master key is missing; restore it")
        return AESSIV(key).decrypt(wrapped, [subject.encode()])

    def _require_same_keys(self, rows: list[Any], data_keys: list[Any]) -> None:
        """Raises SettingsError."""
        self._keys = self._read_keys()  # some may have been destroyed since
        try:
            for subject, wrapped, master in data_keys:
                self._unwrap(subject, wrapped, master)
        except InvalidTag:
            raise SettingsError("CREDITBUS_SECRETS: the copy's data keys are under another master key") from None
        for _, _, _, version, name in rows:
            key = self._keys.platform.get(version)
            if key is None or key_id(PLATFORM, version, key) != name:
                raise SettingsError(
                    f"CREDITBUS_SECRETS: version {version} of the platform's key is not that of the copy; restore it"
                )

    def _wrap_plain_keys(self) -> None:
        """Keys that an earlier release kept as they are."""
        if not self._db.has_table("keys"):
            return
        with self._db.transaction():
            if not self._db.has_table("keys"):
                return
            self._keep_keys(self._db.rows("SELECT subject, key FROM keys"))
            self._db.change("DROP TABLE keys", ())
        self._db.scrub()
