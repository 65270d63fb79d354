"""State ahead of a write says what the store says once it is written: before, while and after that happens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.ahead import Ahead
from creditbus.bus.store import MemoryStore
from creditbus.core.processing import Position

KEYS = st.binary(min_size=1, max_size=2)
VALUES = st.binary(max_size=1)
ROWS = st.dictionaries(KEYS, VALUES, max_size=8)
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=8)
POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


def store_of(*writes: dict[bytes, bytes | None]) -> MemoryStore:
    store = MemoryStore()
    for changes in writes:
        store.write(changes, POSITION)
    return store


@given(ROWS, CHANGES, st.lists(KEYS, max_size=6), KEYS, KEYS, st.integers(0, 10))
def test_it_says_what_the_store_will_say(  # noqa: PLR0913
    rows: dict[bytes, bytes | None],
    changes: dict[bytes, bytes | None],
    keys: list[bytes],
    start: bytes,
    end: bytes,
    limit: int,
) -> None:
    written = store_of(rows, changes)
    for store in (store_of(rows), written):
        ahead = Ahead(store, changes)
        assert ahead.get_many(keys) == written.get_many(keys)
        assert list(ahead.scan(start, end, limit)) == list(written.scan(start, end, limit))


@given(ROWS, CHANGES)
def test_a_scan_that_a_write_comes_into_is_not_disturbed(
    rows: dict[bytes, bytes | None], changes: dict[bytes, bytes | None]
) -> None:
    store = store_of(rows)
    scan = iter(Ahead(store, changes).scan(b"", b"\xff" * 3, 100))
    seen = [pair for pair in [next(scan, None)] if pair is not None]
    store.write(changes, POSITION)
    assert [*seen, *scan] == list(store.scan(b"", b"\xff" * 3, 100))
