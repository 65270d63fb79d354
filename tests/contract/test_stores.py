"""The stores keep their contract; the one on disk keeps its content over closing, and is wiped when it is damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contract.stores import StateStoreContract, at
from creditbus.bus.store import MemoryStore, RocksStore, RocksStores
from creditbus.core.errors import ReconnectError, RetryLaterError


class TestMemoryStore(StateStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestRocksStore(StateStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RocksStore]:
        store = RocksStores(tmp_path)("topic", 0)
        yield store
        store.close()

    def test_content_and_position_outlive_closing(self, tmp_path: Path) -> None:
        stores = RocksStores(tmp_path)
        store = stores("topic", 0)
        store.write({b"a": b"1"}, at(7))
        store.close()
        again = stores("topic", 0)
        assert (again.get_many([b"a"]), again.position()) == ([b"1"], at(7))
        again.close()


def last_of(folder: Path, pattern: str) -> Path:
    """The largest file of a kind."""
    return max(folder.glob(pattern), key=lambda path: path.stat().st_size)


def garble(path: Path, start: float = 0.3) -> None:
    """Other bytes in the place of some."""
    data = bytearray(path.read_bytes())
    first = int(len(data) * start)
    data[first:] = os.urandom(len(data) - first)
    path.write_bytes(data)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no CURRENT": lambda folder: (folder / "CURRENT").unlink(),
    "CURRENT is cut": lambda folder: halve(folder / "CURRENT"),
    "no manifest": lambda folder: last_of(folder, "MANIFEST-*").unlink(),
    "manifest garbled": lambda folder: garble(last_of(folder, "MANIFEST-*")),
    "manifest cut": lambda folder: halve(last_of(folder, "MANIFEST-*")),
    "table gone": lambda folder: last_of(folder, "*.sst").unlink(),
    "table cut": lambda folder: halve(last_of(folder, "*.sst")),
    "end of a table garbled": lambda folder: garble(last_of(folder, "*.sst"), 0.99),
}
KEYS = [f"k{number:05}".encode() for number in range(20_000)]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Folder of a store with some tables on disk, closed."""
    store = RocksStores(tmp_path)("topic", 0)
    for start in range(0, len(KEYS), 1_000):
        store.write({key: os.urandom(1_000) for key in KEYS[start : start + 1_000]}, at(start))
    store.close()
    again = RocksStores(tmp_path)("topic", 0)  # what was in the log alone becomes a table
    again.close()
    return tmp_path / "topic-0"


class TestDamagedStore:
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_store_is_wiped_when_it_is_opened_and_the_log_says_so(self, written: Path, damage: str) -> None:
        DAMAGES[damage](written)
        with capture_logs() as told:
            store = RocksStores(written.parent)("topic", 0)
        assert (store.position(), store.get_many(KEYS[:1])) == (None, [None])
        store.write({b"a": b"1"}, at(7))
        store.close()
        [line] = told
        assert (line["event"], line["path"]) == ("local state is damaged", str(written))
        assert line["problem"].startswith(("Corruption", "IO error"))
        assert "restored from the changelog" in line["remedy"]
        again = RocksStores(written.parent)("topic", 0)
        assert (again.get_many([b"a"]), again.position()) == ([b"1"], at(7))
        again.close()

    @pytest.mark.parametrize("how", ["get", "scan"])
    def test_damage_that_shows_when_it_is_read_wipes_the_store_at_its_next_opening(
        self, written: Path, how: str
    ) -> None:
        table = last_of(written, "*.sst")
        data = bytearray(table.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 64] = os.urandom(64)
        table.write_bytes(data)
        store = RocksStores(written.parent)("topic", 0)
        assert store.position() is not None, "nothing is seen of it yet"
        with pytest.raises(ReconnectError, match=r"topic-0.*Corruption.*opening it again"):
            if how == "get":
                store.get_many(KEYS)
            else:
                list(store.scan(b"k", b"l", len(KEYS)))
        store.close()
        with capture_logs() as told:
            again = RocksStores(written.parent)("topic", 0)
        assert [line["event"] for line in told] == ["local state is damaged"]
        assert (again.position(), list(again.scan(b"k", b"l", 1))) == (None, [])
        again.close()
        with capture_logs() as told:
            RocksStores(written.parent)("topic", 0).close()
        assert told == [], "wiped once"

    def test_a_lock_that_somebody_holds_is_waited_for_and_nothing_is_wiped(self, written: Path) -> None:
        holder = RocksStores(written.parent)("topic", 0)
        with pytest.raises(RetryLaterError, match="lock"):
            RocksStores(written.parent)("topic", 0)
        assert None not in holder.get_many(KEYS)
        holder.close()

    @pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*"])
    def test_files_that_cannot_be_read_now_are_waited_for_and_nothing_is_wiped(
        self, written: Path, pattern: str
    ) -> None:
        """A link that leads in a circle stands for missing rights, which whoever runs as root never lacks."""
        table = last_of(written, pattern)
        aside = table.rename(written.parent / "aside")
        table.symlink_to(table.name)
        with pytest.raises(RetryLaterError, match="mount the disk"):
            RocksStores(written.parent)("topic", 0)
        table.unlink()
        aside.rename(table)
        store = RocksStores(written.parent)("topic", 0)
        assert None not in store.get_many(KEYS)
        store.close()

    def test_a_folder_that_is_not_there_is_a_new_store_without_a_word(self, tmp_path: Path) -> None:
        with capture_logs() as told:
            RocksStores(tmp_path / "new")("topic", 0).close()
        assert told == []
