"""The vault of persons stays open between look-ups, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import VaultKeys
from creditbus.bus.privacy import Vault
from creditbus.bus.vaults import open_vault
from creditbus.core.errors import RetryLaterError
from creditbus.core.identifiers.synthetic import synthetic_citizen
from creditbus.lookup.persons import Persons

KEYS = VaultKeys(platform={1: b"p" * 32}, master={1: b"m" * 64}, index=b"i" * 32)
NUMBERS = [synthetic_citizen("150102", date(1985, 3, day)) for day in range(1, 21)]


class Place:
    """A vault on disk, how often it was opened, and whether its disk is there."""

    def __init__(self, path: Path) -> None:
        self.path, self.opened = path, 0
        self.is_away = False

    def open(self) -> Vault:
        self.opened += 1
        if self.is_away:
            raise RetryLaterError("vault of persons: away")
        return open_vault(str(self.path), lambda: KEYS)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "vault.sqlite")


@pytest.fixture
def persons(place: Place) -> Iterator[Persons]:
    made = Persons(place.open)
    yield made
    made.close()


def test_it_is_opened_once_for_requests_of_many_threads_and_sees_who_came_later(place: Place, persons: Persons) -> None:
    intake = open_vault(str(place.path), lambda: KEYS)
    known = {number: intake.identity_of(number).subject_key for number in NUMBERS[:10]}
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(persons.key_of, NUMBERS)) == [known.get(number) for number in NUMBERS]
        later = {number: intake.identity_of(number).subject_key for number in NUMBERS[10:]}
        assert list(threads.map(persons.key_of, NUMBERS[10:])) == list(later.values())
    assert place.opened == 1
    intake.destroy(known[NUMBERS[0]])
    assert persons.key_of(NUMBERS[0]) is None, "who is forgotten is found no more"
    intake.close()


def test_a_vault_that_was_away_is_opened_again(place: Place, persons: Persons) -> None:
    place.is_away = True
    with pytest.raises(RetryLaterError):
        persons.key_of(NUMBERS[0])
    place.is_away = False
    assert persons.key_of(NUMBERS[0]) is None
    assert place.opened == 2
