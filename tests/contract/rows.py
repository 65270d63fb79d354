"""What every sink of rows owes the warehouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creditbus.core.ports import PositionedRow, RowSink

Make = Callable[..., PositionedRow]
"""(log, offset, partition = 0) → a sound row."""
TABLE = "access"


class RowSinkContract:
    """Inherited once for each kind of sink."""

    @pytest.fixture
    def src(self, unique_name: Callable[[str], str]) -> str:
        """A log of this test's own."""
        return unique_name("log")

    def shown(self, sink: RowSink, src: str) -> int:
        """How many rows a reader sees of a log."""
        raise NotImplementedError

    def test_a_log_without_rows_has_no_position(self, sink: RowSink, src: str) -> None:
        assert sink.positions(TABLE, src) == {}

    def test_the_position_is_that_of_the_newest_row_of_each_partition(self, sink: RowSink, row: Make, src: str) -> None:
        sink.flush(TABLE, [row(src, 3), row(src, 7)])
        sink.flush(TABLE, [row(src, 2, 1)])
        assert sink.positions(TABLE, src) == {0: 7, 1: 2}

    def test_rows_flushed_again_are_seen_once(self, sink: RowSink, row: Make, src: str) -> None:
        rows = [row(src, 1), row(src, 2)]
        sink.flush(TABLE, rows)
        sink.flush(TABLE, rows)
        sink.flush(TABLE, rows[:1])
        assert self.shown(sink, src) == 2
        assert sink.positions(TABLE, src) == {0: 2}

    def test_logs_do_not_see_each_other(self, sink: RowSink, row: Make, src: str) -> None:
        sink.flush(TABLE, [row(src, 9)])
        assert sink.positions(TABLE, f"{src}-made-anew") == {}

    def test_one_flush_takes_rows_of_several_logs_and_partitions(self, sink: RowSink, row: Make, src: str) -> None:
        sink.flush(TABLE, [row(src, 4), row(f"{src}-other", 9, 1), row(src, 2, 1), row(src, 5)])
        assert sink.positions(TABLE, src) == {0: 5, 1: 2}
        assert sink.positions(TABLE, f"{src}-other") == {1: 9}
