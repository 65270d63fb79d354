"""The vault: one person a number whoever asks, keys that rotate, and persons that are forgotten for good."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from creditbus.bus.keyfiles import MASTER, PLATFORM, VaultKeys, file_of, read_vault_keys, write_key
from creditbus.bus.privacy import Vault, person_token
from creditbus.bus.vaults import open_vault as open_at
from creditbus.core.errors import SettingsError

NUMBER, OTHER = "15010219850307001X", "150102198503070028"
PLATFORM_KEY = b"p" * 32


def keys_of(folder: Path) -> VaultKeys:
    """The keys of a folder; the first time, those that a new bus begins with."""
    folder.mkdir(exist_ok=True)
    if not (folder / "vault-index.key").exists():
        write_key(folder / "vault-index.key", b"i" * 32)
        write_key(file_of(folder, PLATFORM, 1), PLATFORM_KEY)
        write_key(file_of(folder, PLATFORM, 2), b"q" * 32)
        write_key(file_of(folder, MASTER, 1), b"m" * 32)
    return read_vault_keys(folder)


OpenVault = Callable[[Path, Callable[[], VaultKeys]], Vault]


@pytest.fixture
def a_vault(tmp_path: Path, open_vault: OpenVault) -> Callable[[], Vault]:
    return lambda: open_vault(tmp_path / "vault.sqlite", lambda: keys_of(tmp_path / "secrets"))


def test_a_number_is_one_person_whoever_asks(a_vault: Callable[[], Vault]) -> None:
    one, two = a_vault(), a_vault()
    first = one.identity_of(NUMBER)
    assert first.subject_key.startswith("p:2:")
    assert two.identity_of(NUMBER) == two.find(NUMBER) == first
    assert one.identity_of(OTHER).subject_key != first.subject_key
    assert one.find("150102198503070036") is None


def test_processes_that_race_for_a_new_person_agree(tmp_path: Path, a_vault: Callable[[], Vault]) -> None:
    a_vault()

    def ask(_: int) -> tuple[str, bytes]:
        with closing(open_at(str(tmp_path / "vault.sqlite"), lambda: keys_of(tmp_path / "secrets"))) as vault:
            key = vault.identity_of(NUMBER).subject_key
            return key, vault.seal(key, b"who it is")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(24)))) == 1


def test_the_token_does_not_follow_from_number_and_platform_key_alone(
    tmp_path: Path, a_vault: Callable[[], Vault], open_vault: OpenVault
) -> None:
    keys = keys_of(tmp_path / "secrets")
    token = a_vault().identity_of(NUMBER).subject_key
    assert token not in {person_token(key, NUMBER, version) for version, key in keys.platform.items()}
    (tmp_path / "elsewhere").mkdir()
    other = open_vault(tmp_path / "elsewhere" / "vault.sqlite", lambda: keys)
    assert other.identity_of(NUMBER).subject_key != token, "each vault salts by itself"


def test_after_a_rotation_of_the_platform_key_known_persons_keep_theirs(
    tmp_path: Path, a_vault: Callable[[], Vault]
) -> None:
    vault = a_vault()
    known = vault.identity_of(NUMBER)
    sealed = vault.seal(known.subject_key, b"who it is")
    write_key(file_of(tmp_path / "secrets", PLATFORM, 3), b"r" * 32)
    assert vault.identity_of(NUMBER) == known
    assert vault.open(known.subject_key, sealed) == b"who it is"
    assert vault.identity_of(OTHER).subject_key.startswith("p:3:"), "a vault that is open sees the new version"
    assert vault.counts()[0] == {2: 1, 3: 1}


def test_persons_of_before_the_salts_keep_their_token_and_their_data(
    tmp_path: Path, a_vault: Callable[[], Vault]
) -> None:
    token, data_key = person_token(PLATFORM_KEY, NUMBER), secrets.token_bytes(32)
    with sqlite3.connect(tmp_path / "vault.sqlite") as earlier:
        earlier.execute("CREATE TABLE keys (subject TEXT PRIMARY KEY, key BLOB NOT NULL)")
        earlier.execute("INSERT INTO keys VALUES (?, ?)", (token, data_key))
    earlier.close()
    sealed = AESSIV(data_key).encrypt(b"who it is", [token.encode()])
    vault = a_vault()
    assert vault.identity_of(NUMBER).subject_key == token
    assert vault.identity_of(NUMBER).token_version == 1
    together = vault.find_all([OTHER, NUMBER])
    assert {number: one and one.identity for number, one in together.items()} == {
        OTHER: None,
        NUMBER: vault.find(NUMBER),
    }
    assert vault.open(token, sealed) == b"who it is"
    assert vault.counts() == ({1: 1}, {1: 1})
    assert data_key not in (tmp_path / "vault.sqlite").read_bytes(), "it is wrapped now"


def test_a_new_master_key_wraps_every_data_key_and_what_was_sealed_still_opens(
    tmp_path: Path, a_vault: Callable[[], Vault]
) -> None:
    folder = tmp_path / "secrets"
    vault, other = a_vault(), a_vault()
    person = vault.identity_of(NUMBER).subject_key
    sealed = vault.seal(person, b"who it is")

    def rotate() -> VaultKeys:
        write_key(file_of(folder, MASTER, 2), b"n" * 32)
        return keys_of(folder)

    assert vault.rewrap(rotate) == 1
    file_of(folder, MASTER, 1).unlink()
    assert other.open(person, sealed) == b"who it is", "a process that was open learns of the new key"
    assert other.seal(other.identity_of(OTHER).subject_key, b"x")
    assert vault.counts()[1] == {2: 2}


def test_a_master_key_that_is_gone_is_named_with_its_remedy(tmp_path: Path, a_vault: Callable[[], Vault]) -> None:
    person = a_vault().identity_of(NUMBER).subject_key
    file_of(tmp_path / "secrets", MASTER, 1).unlink()
    write_key(file_of(tmp_path / "secrets", MASTER, 2), b"n" * 32)
    with pytest.raises(SettingsError, match=r"version 1 of the vault's master key is missing; restore it"):
        a_vault().seal(person, b"x")


@pytest.mark.parametrize("is_unsalted", [False, True])
def test_a_forgotten_number_makes_a_new_person_and_nothing_opens_the_old_ones_data(
    tmp_path: Path, a_vault: Callable[[], Vault], is_unsalted: bool
) -> None:
    if is_unsalted:
        with sqlite3.connect(tmp_path / "vault.sqlite") as earlier:
            earlier.execute("CREATE TABLE keys (subject TEXT PRIMARY KEY, key BLOB NOT NULL)")
            earlier.execute("INSERT INTO keys VALUES (?, ?)", (person_token(PLATFORM_KEY, NUMBER), b"k" * 32))
        earlier.close()
    vault = a_vault()
    before = vault.identity_of(NUMBER).subject_key
    sealed = vault.seal(before, b"who it is")
    assert vault.destroy(before)
    assert not vault.destroy(before)
    assert vault.find(NUMBER) is None
    with pytest.raises(KeyError):
        vault.open(before, sealed)
    with pytest.raises(KeyError):
        vault.seal(before, b"x")
    after = vault.identity_of(NUMBER).subject_key
    assert after != before
    assert after.startswith("p:2:")


def test_no_file_of_the_vault_holds_a_number_or_what_was_destroyed(
    tmp_path: Path, a_vault: Callable[[], Vault]
) -> None:
    vault = a_vault()
    person = vault.identity_of(NUMBER)
    raw = sqlite3.connect(tmp_path / "vault.sqlite")
    wrapped, salt = raw.execute("SELECT wrapped, salt FROM data_keys JOIN identities USING (subject)").fetchone()
    raw.close()

    def holding(what: bytes) -> list[str]:
        return [path.name for path in tmp_path.glob("vault.sqlite*") if what in path.read_bytes()]

    assert holding(wrapped)
    assert holding(salt), "this search finds what is there"
    vault.destroy(person.subject_key)
    assert holding(NUMBER.encode()) == holding(wrapped) == holding(salt) == holding(person.alias.encode()) == []


def test_missing_key_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"platform-token-2\.key is missing; `creditbus up` creates it"):
        read_vault_keys(tmp_path)
    with pytest.raises(FileExistsError):
        keys_of(tmp_path / "secrets")
        write_key(file_of(tmp_path / "secrets", MASTER, 1), b"another")
