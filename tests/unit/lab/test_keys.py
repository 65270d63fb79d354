"""Rotating keys as an operator does: files come and go, and persons stay who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import MASTER, PLATFORM, VaultKeys, file_of, read_vault_keys
from creditbus.bus.privacy import Taken, Vault
from creditbus.core.errors import SettingsError
from creditbus.lab.errors import LabError
from creditbus.lab.keys import KeyDesk
from creditbus.lab.secrets import ensure_secrets

NUMBER, OTHER = "15010219850307001X", "150102198503070028"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_secrets(tmp_path / "secrets", {})
    return tmp_path


OpenVault = Callable[[Path, Callable[[], VaultKeys]], Vault]
OpenIntake = Callable[[], Vault]


def opened(folder: Path) -> closing[KeyDesk]:
    return closing(KeyDesk(str(folder / "vault.sqlite"), folder / "secrets"))


@pytest.fixture
def open_intake(folder: Path, open_vault: OpenVault) -> OpenIntake:
    """The vault as another process opens it."""
    return lambda: open_vault(folder / "vault.sqlite", lambda: read_vault_keys(folder / "secrets"))


@pytest.fixture
def desk(folder: Path) -> Iterator[KeyDesk]:
    with opened(folder) as one:
        yield one


def test_rotations_leave_known_persons_and_their_data_alone(
    folder: Path, desk: KeyDesk, open_intake: OpenIntake
) -> None:
    intake = open_intake()
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


def lost(folder: Path) -> None:
    """The disk with the vault is gone."""
    for file in folder.glob("vault.sqlite*"):
        file.unlink()


def test_a_lost_vault_comes_back_from_a_copy_made_while_it_was_in_use(folder: Path, open_intake: OpenIntake) -> None:
    with opened(folder) as desk:
        intake = open_intake()
        person = intake.identity_of(NUMBER)
        sealed = intake.seal(person.subject_key, b"who it is")
        desk.back_up(folder / "copy")
        assert (folder / "copy").stat().st_mode & 0o777 == 0o600
        assert [file.name for file in folder.glob("copy*")] == ["copy"], "one file is all of it"
        intake.close()
    lost(folder)
    with opened(folder) as desk:
        assert desk.restore(folder / "copy", []) == Taken(persons=1, instead=0, data_keys=1, left_out=0)
        intake = open_intake()
        assert intake.identity_of(NUMBER) == person
        assert intake.open(person.subject_key, sealed) == b"who it is"
        assert desk.restore(folder / "copy", []) == Taken(persons=0, instead=0, data_keys=0, left_out=0)
        assert {file.name for file in (folder / "secrets").iterdir() if file.is_dir()} == set(), "nothing is left over"


def test_whoever_was_forgotten_does_not_come_back(folder: Path, desk: KeyDesk, open_intake: OpenIntake) -> None:
    intake = open_intake()
    person, other = intake.identity_of(NUMBER), intake.identity_of(OTHER)
    sealed = intake.seal(person.subject_key, b"who it is")
    desk.back_up(folder / "copy")
    intake.destroy(person.subject_key)
    intake.destroy(other.subject_key)
    taken = desk.restore(folder / "copy", [person.subject_key])
    assert taken == Taken(persons=1, instead=0, data_keys=1, left_out=1)
    assert intake.find(NUMBER) is None
    assert intake.find(OTHER) == other
    with pytest.raises(KeyError):
        intake.open(person.subject_key, sealed)


def test_a_number_that_made_a_new_person_meanwhile_leads_to_the_earlier_one(
    folder: Path, desk: KeyDesk, open_intake: OpenIntake
) -> None:
    intake = open_intake()
    person = intake.identity_of(NUMBER)
    desk.back_up(folder / "copy")
    intake.destroy(person.subject_key)
    meanwhile = intake.identity_of(NUMBER)
    sealed = intake.seal(meanwhile.subject_key, b"new")
    assert desk.restore(folder / "copy", []) == Taken(persons=1, instead=1, data_keys=1, left_out=0)
    assert intake.identity_of(NUMBER) == person
    assert intake.open(meanwhile.subject_key, sealed) == b"new"


def test_a_copy_of_before_the_master_key_was_rotated_opens_nothing(
    folder: Path, desk: KeyDesk, open_intake: OpenIntake
) -> None:
    intake = open_intake()
    person = intake.identity_of(NUMBER)
    desk.back_up(folder / "copy")
    desk.rotate_master()
    intake.destroy(person.subject_key)
    with pytest.raises(SettingsError, match="version 1 of the vault's master key is missing"):
        desk.restore(folder / "copy", [])
    assert intake.find(NUMBER) is None, "all of it or nothing"


def test_a_copy_made_with_other_secrets_is_refused(folder: Path, desk: KeyDesk, open_intake: OpenIntake) -> None:
    intake = open_intake()
    intake.identity_of(NUMBER)
    desk.back_up(folder / "copy")
    file_of(folder / "secrets", MASTER, 1).write_text("00" * 32)
    with opened(folder) as other, pytest.raises(SettingsError, match="another master key"):
        other.restore(folder / "copy", [])


def test_what_is_no_copy_and_what_is_in_the_way_are_named(folder: Path, desk: KeyDesk) -> None:
    for name, content in (("text", "no vault" * 100), ("empty", "")):
        (folder / name).write_text(content)
        with pytest.raises(LabError, match=f"{name} is no copy of a vault"):
            desk.restore(folder / name, [])
    with pytest.raises(LabError, match="nothing is no copy of a vault"):
        desk.restore(folder / "nothing", [])
    with pytest.raises(LabError, match="File exists"):
        desk.back_up(folder / "text")
    with pytest.raises(LabError, match="No such file"):
        desk.back_up(folder / "nowhere" / "copy")
    assert (folder / "text").read_text().startswith("no vault")
