"""States of checkpoints: whatever goes into parts comes out of them, and damage is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.checkpoints import digest_of, parts_of, state_of

_STATES = st.dictionaries(st.binary(min_size=1, max_size=40), st.binary(max_size=400), max_size=60)


@given(_STATES)
def test_a_state_comes_out_of_its_parts_as_it_went_in(values: dict[bytes, bytes]) -> None:
    assert state_of(parts_of(values)) == values


def test_a_large_state_has_several_parts_that_a_broker_takes() -> None:
    values = {number.to_bytes(4, "big"): number.to_bytes(8, "little") * 2_000 for number in range(200)}
    parts = list(parts_of(values))
    assert len(parts) > 3
    assert max(map(len, parts)) < 1_000_000
    assert state_of(parts) == values
    assert state_of(parts[1:]) != values


@given(_STATES, _STATES)
def test_two_states_have_one_digest_when_they_are_the_same(one: dict[bytes, bytes], other: dict[bytes, bytes]) -> None:
    assert (digest_of(one) == digest_of(other)) is (one == other)
    assert digest_of(dict(reversed(one.items()))) == digest_of(one)


def test_keys_and_values_do_not_run_into_one_another() -> None:
    assert digest_of({b"a": b"bc"}) != digest_of({b"ab": b"c"})


def test_a_damaged_part_is_none() -> None:
    [part] = parts_of({b"key": b"value"})
    for damaged in (part[:-1], b"", b"x" + part):
        with pytest.raises(ValueError, match="cannot be read"):
            state_of([damaged])
