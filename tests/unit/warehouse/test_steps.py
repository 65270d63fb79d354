"""Decisions of the warehouse: where to go on, and what goes into which insert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.errors import StopError
from creditbus.warehouse.steps import Framed, Route, inserts_of, next_offsets, resume_offset

PLACE = ("credit.records", 0)


def test_the_rows_alone_decide_where_to_go_on() -> None:
    assert resume_offset(41, committed=99, low=0, high=100, place=PLACE) == 42


def test_a_partition_without_rows_starts_at_the_committed_offset_within_the_log() -> None:
    assert resume_offset(None, committed=7, low=0, high=100, place=PLACE) == 7
    assert resume_offset(None, committed=None, low=5, high=100, place=PLACE) == 5
    assert resume_offset(None, committed=3, low=5, high=100, place=PLACE) == 5


@pytest.mark.parametrize(("newest", "low", "high"), [(100, 0, 100), (3, 10, 100)])
def test_rows_outside_the_log_stop_the_service(newest: int, low: int, high: int) -> None:
    with pytest.raises(StopError):
        resume_offset(newest, committed=None, low=low, high=high, place=PLACE)


messages = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 9])), max_size=60)


@given(messages)
def test_every_row_goes_into_one_insert_in_log_order(drawn: list[tuple[int, int]]) -> None:
    ends = [0, 0, 0, 0]
    batch = []
    for partition, schema in drawn:
        batch.append(Framed("t", partition, ends[partition], schema, b""))
        ends[partition] += 1
    tables: dict[tuple[str, int], Route] = {("t", 1): "records", ("t", 2): "records", ("t", 9): None}
    written: dict[int, list[int]] = {0: [], 1: [], 2: [], 3: []}
    for insert in inserts_of(batch, tables):
        assert {row.partition for row in insert.rows} == {insert.partition}
        written[insert.partition] += [row.offset for row in insert.rows]
    wanted = {number: [m.offset for m in batch if m.partition == number and m.schema_id != 9] for number in range(4)}
    assert written == wanted
    assert next_offsets(batch) == {("t", number): ends[number] for number in range(4) if ends[number]}
