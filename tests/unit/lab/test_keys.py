"""Rotating keys as an operator does: files come and go, and persons stay who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import MASTER, PLATFORM, VaultKeys, file_of, read_vault_keys
from creditbus.bus.privacy import Vault
from creditbus.lab.keys import KeyDesk
from creditbus.lab.secrets import ensure_secrets

NUMBER, OTHER = "15010219850307001X", "150102198503070028"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_secrets(tmp_path / "secrets", {})
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> Iterator[KeyDesk]:
    with closing(KeyDesk(folder / "vault.sqlite", folder / "secrets")) as one:
        yield one


def test_rotations_leave_known_persons_and_their_data_alone(
    folder: Path, desk: KeyDesk, open_vault: Callable[[Path, Callable[[], VaultKeys]], Vault]
) -> None:
    intake = open_vault(folder / "vault.sqlite", lambda: read_vault_keys(folder / "secrets"))
    person = intake.identity_of(NUMBER)
    sealed = intake.seal(person.subject_key, b"who it is")
    assert desk.rotate_platform().version == 3
    assert (desk.rotate_master().version, desk.rotate_master().version) == (2, 3)
    assert intake.identity_of(NUMBER) == person
    assert intake.open(person.subject_key, sealed) == b"who it is"
    assert intake.identity_of(OTHER).token_version == 3
    uses = {(use.kind, use.version): (use.used_by, use.is_newest) for use in desk.uses()}
    assert uses == {
        (PLATFORM, 1): (0, False),
        (PLATFORM, 2): (1, False),
        (PLATFORM, 3): (1, True),
        (MASTER, 3): (2, True),
    }


def test_the_older_master_key_is_destroyed_and_stays_so_at_the_next_start(folder: Path, desk: KeyDesk) -> None:
    desk.rotate_master()
    ensure_secrets(folder / "secrets", {})
    assert not file_of(folder / "secrets", MASTER, 1).exists()
    assert set(read_vault_keys(folder / "secrets").master) == {2}
