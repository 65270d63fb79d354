"""The stores keep their contract; the one on disk keeps its content over closing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.stores import StateStoreContract, at
from creditbus.bus.store import MemoryStore, RocksStore, RocksStores


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
