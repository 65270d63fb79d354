"""What the vault owes the bus, wherever its rows are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from creditbus.bus.keyfiles import VaultKeys
from creditbus.bus.privacy import Vault
from creditbus.bus.vaults import open_vault

NUMBER, OTHER, THIRD = "15010219850307001X", "150102198503070028", "150102198503070036"
FIRST = VaultKeys(platform={2: b"q" * 32}, master={1: b"m" * 32}, index=b"i" * 32)
ROTATED = VaultKeys(platform={2: b"q" * 32, 3: b"r" * 32}, master={1: b"m" * 32, 2: b"n" * 32}, index=b"i" * 32)


class VaultContract:
    """Inherited once for each place; ``place`` is a fixture."""

    @pytest.fixture
    def keys(self) -> dict[str, VaultKeys]:
        """The keys that there are; what stands under "now" may change."""
        return {"now": FIRST}

    @pytest.fixture
    def opened(self, place: str, keys: dict[str, VaultKeys]) -> Callable[[], Vault]:
        return lambda: open_vault(place, lambda: keys["now"])

    def test_a_number_is_one_person_whoever_asks_and_whenever(self, opened: Callable[[], Vault]) -> None:
        with closing(opened()) as one, closing(opened()) as two:
            assert two.find(NUMBER) is None
            first = one.identity_of(NUMBER)
            assert two.identity_of(NUMBER) == two.find(NUMBER) == first
            assert one.identity_of(OTHER) != first
            sealed = one.seal(first.subject_key, b"who it is")
        with closing(opened()) as later:
            assert later.find(NUMBER) == first
            assert later.open(first.subject_key, sealed) == b"who it is"

    def test_processes_that_race_for_new_persons_agree(self, opened: Callable[[], Vault]) -> None:
        def ask(_: int) -> list[tuple[str, bytes]]:
            with closing(opened()) as vault:
                found = [vault.identity_of(number).subject_key for number in (NUMBER, OTHER, THIRD)]
                return [(key, vault.seal(key, b"who it is")) for key in found]

        opened().close()  # two that make a file at once have to try again
        with ThreadPoolExecutor(6) as pool:
            assert len({tuple(found) for found in pool.map(ask, range(24))}) == 1

    def test_persons_are_kept_together_or_not_at_all(self, opened: Callable[[], Vault]) -> None:
        with closing(opened()) as slow, closing(opened()) as fast:
            drafts = [slow.draft(number) for number in (NUMBER, OTHER)]
            fast.identity_of(OTHER)
            assert not slow.keep(drafts)
            assert slow.find(NUMBER) is None
            assert slow.keep([slow.draft(NUMBER)])
            assert fast.find(NUMBER) == slow.find(NUMBER)

    def test_who_is_forgotten_is_gone_for_everybody_and_the_number_makes_another(
        self, opened: Callable[[], Vault]
    ) -> None:
        with closing(opened()) as one, closing(opened()) as two:
            before = one.identity_of(NUMBER).subject_key
            sealed = one.seal(before, b"who it is")
            assert two.destroy(before)
            assert not two.destroy(before)
            assert one.find(NUMBER) is None
            for vault in (one, two):
                with pytest.raises(KeyError):
                    vault.open(before, sealed)
            assert one.identity_of(NUMBER).subject_key != before

    def test_many_are_found_by_one_question_with_what_is_sealed_for_them(self, opened: Callable[[], Vault]) -> None:
        with closing(opened()) as vault:
            known = {number: vault.identity_of(number) for number in (NUMBER, OTHER)}
            found = vault.find_all([NUMBER, OTHER, THIRD])
            assert {number: one.identity if one else None for number, one in found.items()} == {**known, THIRD: None}
            (one, _, _) = found.values()
            assert one is not None
            assert vault.open(known[NUMBER].subject_key, one.seal(b"who it is")) == b"who it is"
            subjects = [one.subject_key for one in known.values()]
            assert vault.has_keys(subjects)
            assert vault.has_keys([])
            vault.destroy(subjects[1])
            assert not vault.has_keys(subjects)
            assert vault.find_all([OTHER]) == {OTHER: None}
            assert vault.find_all([]) == {}

    def test_keys_rotate_while_it_is_open(self, opened: Callable[[], Vault], keys: dict[str, VaultKeys]) -> None:
        with closing(opened()) as one, closing(opened()) as two:
            known = one.identity_of(NUMBER)
            sealed = one.seal(known.subject_key, b"who it is")

            def rotate() -> VaultKeys:
                keys["now"] = ROTATED
                return ROTATED

            assert two.rewrap(rotate) == 1
            assert one.open(known.subject_key, sealed) == b"who it is"
            assert one.identity_of(OTHER).token_version == 3
            assert one.counts() == two.counts() == ({2: 1, 3: 1}, {2: 2})

    def test_what_was_lost_comes_back_from_a_copy_but_for_the_forgotten(
        self, opened: Callable[[], Vault], tmp_path: Path
    ) -> None:
        with closing(opened()) as vault:
            known = {number: vault.identity_of(number) for number in (NUMBER, OTHER, THIRD)}
            sealed = vault.seal(known[NUMBER].subject_key, b"who it is")
            vault.copy_to(tmp_path / "copy.sqlite")
            with pytest.raises(FileExistsError):
                vault.copy_to(tmp_path / "copy.sqlite")
            for one in known.values():
                vault.destroy(one.subject_key)
            instead = vault.identity_of(OTHER)
            with closing(open_vault(str(tmp_path / "copy.sqlite"), lambda: FIRST)) as copy:
                taken = vault.take_from(copy, {known[THIRD].subject_key})
            assert (taken.persons, taken.instead, taken.left_out) == (2, 1, 1)
            assert vault.find(NUMBER) == known[NUMBER]
            assert vault.find(OTHER) == known[OTHER] != instead
            assert vault.find(THIRD) is None
            assert vault.open(known[NUMBER].subject_key, sealed) == b"who it is"
            with closing(open_vault(str(tmp_path / "copy.sqlite"), lambda: FIRST)) as copy:
                again = vault.take_from(copy, {one.subject_key for one in known.values()})
            assert (again.persons, again.data_keys) == (0, 0)
            assert vault.seal(instead.subject_key, b"x"), "what was sealed for the one in between opens as before"
