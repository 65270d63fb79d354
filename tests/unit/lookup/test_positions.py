"""A position comes back as it was given, and reading on from it passes over nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.lookup.positions import mark_of, position_of, start_of, text_of

OFFSETS = st.integers(0, 2**48)
POSITIONS = st.dictionaries(st.integers(0, 99), OFFSETS, max_size=12)
MARK = mark_of("log")
BOUNDS = st.dictionaries(st.integers(0, 9), st.tuples(OFFSETS, OFFSETS).map(lambda ends: tuple(sorted(ends))))


@given(POSITIONS)
def test_a_position_is_read_as_it_was_written(position: dict[int, int]) -> None:
    assert position_of(MARK, text_of(MARK, position)) == position
    assert position_of(mark_of("another log"), text_of(MARK, position)) == {}, "from its beginning"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.1",
        "0c6f0d5e_",
        "0c6f0d5e_0",
        "0c6f0d5e_0.-1",
        "0c6f0d5e_0.1 1.2",
        "0c6f0d5e_٣.1",
        "0c6f0d5e\n",
        "6f9619ff8b86d011",
    ],
)
def test_what_is_no_position_is_told_of(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        position_of(MARK, text)


@given(POSITIONS, BOUNDS)
def test_nothing_that_is_in_the_log_is_passed_over(wanted: dict[int, int], bounds: dict[int, tuple[int, int]]) -> None:
    start, is_lost = start_of(wanted, bounds)
    assert start.keys() == bounds.keys()
    for partition, (first, end) in bounds.items():
        assert first <= start[partition] <= end
        known = wanted.get(partition, 0)
        assert start[partition] == (known if first <= known <= end else first)
        assert is_lost or known >= first


def test_a_log_that_ends_before_the_reader_s_place_is_read_anew() -> None:
    assert start_of({0: 50, 1: 3}, {0: (0, 7), 1: (0, 9), 2: (0, 4)}) == ({0: 0, 1: 3, 2: 0}, False)
    assert start_of({0: 50}, {0: (60, 70)}) == ({0: 60}, True)
