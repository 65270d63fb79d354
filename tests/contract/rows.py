"""What every sink of rows owes the warehouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creditbus.core.ports import PositionedRow, RowSink

Make = Callable[[int], PositionedRow]
TABLE = "access"


class RowSinkContract:
    """Inherited once for each kind of sink. ``row``: a sound row with a given offset, of partition 0."""

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
        sink.flush(TABLE, src, [row(3), row(7)])
        sink.flush(TABLE, src, [PositionedRow(1, 2, row(50).payload)])
        assert sink.positions(TABLE, src) == {0: 7, 1: 2}

    def test_rows_flushed_again_are_seen_once(self, sink: RowSink, row: Make, src: str) -> None:
        rows = [row(1), row(2)]
        sink.flush(TABLE, src, rows)
        sink.flush(TABLE, src, rows)
        sink.flush(TABLE, src, rows[:1])
        assert self.shown(sink, src) == 2
        assert sink.positions(TABLE, src) == {0: 2}

    def test_logs_do_not_see_each_other(self, sink: RowSink, row: Make, src: str) -> None:
        sink.flush(TABLE, src, [row(9)])
        assert sink.positions(TABLE, f"{src}-made-anew") == {}
