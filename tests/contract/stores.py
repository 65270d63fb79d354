"""What every state store owes the transactional loop."""

from __future__ import annotations

from creditbus.core.processing import Position, StateStore


def at(source: int) -> Position:
    """A position."""
    return Position(source_offset=source, changelog_offset=source * 2, lineage="a/b", written_at_ms=source * 3)


class StateStoreContract:
    """Inherited once for each kind of store."""

    def test_a_new_store_is_empty(self, store: StateStore) -> None:
        assert store.position() is None
        assert store.get_many([b"a"]) == [None]

    def test_values_come_in_the_order_of_the_keys(self, store: StateStore) -> None:
        store.write({b"a": b"1", b"b": b"2"}, at(1))
        assert store.get_many([b"b", b"x", b"a"]) == [b"2", None, b"1"]

    def test_none_deletes(self, store: StateStore) -> None:
        store.write({b"a": b"1"}, at(1))
        store.write({b"a": None}, at(2))
        assert store.get_many([b"a"]) == [None]

    def test_the_position_is_that_of_the_last_write(self, store: StateStore) -> None:
        store.write({}, at(1))
        store.write({}, at(2))
        assert store.position() == at(2)

    def test_a_scan_is_ordered_and_bounded(self, store: StateStore) -> None:
        store.write({b"t1": b"", b"t3": b"", b"t2": b"", b"u": b""}, at(1))
        assert [key for key, _ in store.scan(b"t", b"t3", 10)] == [b"t1", b"t2"]
        assert [key for key, _ in store.scan(b"t", b"z", 2)] == [b"t1", b"t2"]

    def test_a_wiped_store_is_new(self, store: StateStore) -> None:
        store.write({b"a": b"1"}, at(1))
        store.wipe()
        assert store.position() is None
        assert store.get_many([b"a"]) == [None]
