"""The vault in a file, and on a real PostgreSQL server that asks who you are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from contract.vaults import FIRST, NUMBER, OTHER, VaultContract
from creditbus.bus.vaults import open_vault
from creditbus.core.errors import RetryLaterError, SettingsError
from postgres_server import PostgresServer, postgres_running, programs

needs_postgres = pytest.mark.skipif(programs() is None, reason="PostgreSQL is missing: apt-get install postgresql")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_running() as made:
        yield made


@pytest.fixture
def database(server: PostgresServer, unique_name: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server.make_database(unique_name("vault"))


class TestVaultInAFile(VaultContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> str:
        return str(tmp_path / "vault.sqlite")


@needs_postgres
@pytest.mark.integration
class TestVaultOnAServer(VaultContract):
    @pytest.fixture
    def place(self, database: str) -> str:
        return database

    def test_a_server_that_crashed_is_waited_for_and_nobody_gets_two_keys(
        self, server: PostgresServer, database: str
    ) -> None:
        with closing(open_vault(database, lambda: FIRST)) as vault:
            known = vault.identity_of(NUMBER)
            drafts = [vault.draft(OTHER)]
            server.kill()
            with pytest.raises(RetryLaterError, match="vault of persons: "):
                vault.keep(drafts)
            with pytest.raises(RetryLaterError):
                vault.find(NUMBER)
            server.start()
            assert vault.find(NUMBER) == known
            assert vault.find(OTHER) is None
            assert vault.keep(drafts)
            assert vault.find(OTHER) == drafts[0].identity

    def test_what_is_in_a_file_moves_to_a_server(self, database: str, tmp_path: Path) -> None:
        with closing(open_vault(str(tmp_path / "vault.sqlite"), lambda: FIRST)) as file:
            known = file.identity_of(NUMBER)
            sealed = file.seal(known.subject_key, b"who it is")
            file.copy_to(tmp_path / "copy.sqlite")
        copy = open_vault(str(tmp_path / "copy.sqlite"), lambda: FIRST)
        with closing(copy), closing(open_vault(database, lambda: FIRST)) as vault:
            assert vault.take_from(copy, set()).persons == 1
            assert vault.find(NUMBER) == known
            assert vault.open(known.subject_key, sealed) == b"who it is"

    def test_a_wrong_password_and_a_server_that_is_not_trusted_are_told_without_secrets(
        self, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "wrong").write_text("another password")
        monkeypatch.setenv("CREDITBUS_VAULT_PASSWORD_FILE", str(tmp_path / "wrong"))
        with pytest.raises(RetryLaterError, match="CREDITBUS_VAULT_PASSWORD_FILE") as told:
            open_vault(database, lambda: FIRST)
        assert "another password" not in str(told.value)
        monkeypatch.delenv("CREDITBUS_VAULT_CA_FILE")
        with pytest.raises(RetryLaterError, match="CREDITBUS_VAULT_CA_FILE"):
            open_vault(database, lambda: FIRST)
        with pytest.raises(SettingsError, match="must not hold a password"):
            open_vault(database.replace("@", ":secret@"), lambda: FIRST)
