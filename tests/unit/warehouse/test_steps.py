"""Decisions of the warehouse: where to go on, and what goes into which insert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.errors import StopError
from creditbus.warehouse.steps import Framed, Route, Table, inserts_of, next_offsets, resume_offset

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


messages = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.sampled_from([1, 2, 3, 9])), max_size=60)
RECORDS, EARLIER, CHANGES = Table("records", "R#2"), Table("records", "R#1"), Table("changes", "C#1")
SOURCES = {"a": "cluster/a/1", "b": "cluster/b/1"}
ROUTES: dict[tuple[str, int], Route] = {
    (topic, schema): table for topic in "ab" for schema, table in ((1, RECORDS), (2, EARLIER), (3, CHANGES), (9, None))
}


def log_of(drawn: list[tuple[str, int, int]]) -> list[Framed]:
    ends: dict[tuple[str, int], int] = {}
    batch = []
    for topic, partition, schema in drawn:
        offset = ends[topic, partition] = ends.get((topic, partition), -1) + 1
        batch.append(Framed(topic, partition, offset, schema, b""))
    return batch


@given(messages)
def test_every_row_goes_into_one_insert_in_log_order(drawn: list[tuple[str, int, int]]) -> None:
    batch = log_of(drawn)
    forms = {(SOURCES[m.topic], m.partition, m.offset): ROUTES[m.topic, m.schema_id] for m in batch}
    written: dict[tuple[str, int], list[int]] = {}
    for insert in inserts_of(batch, ROUTES, SOURCES):
        assert len({forms[row.src, row.partition, row.offset] for row in insert.rows}) == 1, "one table, one form"
        for row in insert.rows:
            written.setdefault((row.src, row.partition), []).append(row.offset)
    wanted: dict[tuple[str, int], list[int]] = {}
    for m in batch:
        if m.schema_id != 9:
            wanted.setdefault((SOURCES[m.topic], m.partition), []).append(m.offset)
    assert written == wanted
    assert next_offsets(batch) == {(m.topic, m.partition): m.offset + 1 for m in batch}


@given(messages)
def test_a_crash_between_inserts_leaves_no_hole_behind_the_newest_row(drawn: list[tuple[str, int, int]]) -> None:
    """What is written before any insert is, for each partition, a beginning of its rows."""
    batch = log_of(drawn)
    inserts = list(inserts_of(batch, ROUTES, SOURCES))
    for crashed in range(len(inserts) + 1):
        there = {(row.src, row.partition, row.offset) for insert in inserts[:crashed] for row in insert.rows}
        for place in {(SOURCES[m.topic], m.partition) for m in batch}:
            rows = [m.offset for m in batch if (SOURCES[m.topic], m.partition) == place and m.schema_id != 9]
            kept = [offset for offset in rows if (*place, offset) in there]
            assert kept == rows[: len(kept)]


def test_partitions_and_topics_of_one_form_share_an_insert() -> None:
    batch = log_of([("a", 0, 1), ("b", 1, 1), ("a", 2, 1), ("b", 0, 3)])
    assert [(insert.table, len(insert.rows)) for insert in inserts_of(batch, ROUTES, SOURCES)] == [
        ("records", 3),
        ("changes", 1),
    ]
