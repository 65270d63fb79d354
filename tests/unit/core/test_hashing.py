"""Ids with their prefixes written out are what ``digest`` says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.hashing import digest, event_key, natural_key, output_id, record_id

TEXTS = st.text(max_size=20)


@given(st.tuples(*[TEXTS] * 5), st.integers(0, 99_999))
def test_the_written_out_ids_are_digests_of_their_parts(parts: tuple[str, str, str, str, str], number: int) -> None:
    one, two, *_ = parts
    assert event_key(one, two) == digest("event", one, two)
    assert record_id(one, two, number) == digest("record", one, two, str(number))
    assert natural_key(*parts) == digest("fact", *parts)
    assert output_id(one, two, number) == digest("output", one, two, str(number))


def test_ids_never_change() -> None:
    """Golden: they stand in the logs of every lab."""
    assert digest("a", "bc") == "a4d2502de3aca3ac159bba2d99ea81a8"
