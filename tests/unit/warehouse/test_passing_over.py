"""What the warehouse does about messages that are no rows: told of first, passed over, everything else is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.avro import NotAvroError
from creditbus.bus.metrics import Metrics
from creditbus.clickhouse.client import QueryError
from creditbus.clickhouse.rows import MemoryRows
from creditbus.core.deadletter import DeadLetter
from creditbus.core.errors import DeadLetterError
from creditbus.core.framing import frame
from creditbus.core.ports import PositionedRow
from creditbus.warehouse.app import Ports, write
from creditbus.warehouse.steps import NOT_FRAMED, NOT_READABLE, UNFRAMED, Framed, Refusal, Route, Table

GOOD, BAD = b"good", b"bad"
EARLIER = b"earlier"
ROUTES: dict[int, Route] = {
    1: Table("records", "R#1"), 2: None, 3: Table("records", "R#0"), UNFRAMED: Refusal(NOT_FRAMED)
}  # fmt: skip


class Refusing(MemoryRows):
    """A server that refuses an insert with a damaged row as a whole, as ClickHouse does."""

    def __init__(self, told: list[tuple[str, int]], *, broken: bool = False) -> None:
        super().__init__()
        self._told = told
        self._broken = broken

    def flush(self, table: str, rows: Sequence[PositionedRow]) -> None:
        if self._broken or any(row.payload != GOOD for row in rows):
            raise QueryError("cannot parse")
        super().flush(table, rows)
        self._told += [("row", row.offset) for row in rows]


class Letters:
    """Dead letters in memory; may fail to be acknowledged."""

    def __init__(self, told: list[tuple[str, int]], *, fails: bool = False) -> None:
        self.sent: list[DeadLetter] = []
        self._told = told
        self._fails = fails

    def send(self, letters: Sequence[DeadLetter]) -> None:
        if self._fails:
            raise DeadLetterError("no acknowledgement")
        self.sent += letters
        self._told += [("letter", letter.offset) for letter in letters]


def as_now(schema_id: int, rows: Sequence[PositionedRow]) -> Sequence[PositionedRow]:
    """Messages of schema 3 are of an earlier release, and are good once they are made anew."""
    if schema_id != 3:
        return rows
    if any(row.payload == BAD for row in rows):
        raise NotAvroError("not readable")
    return [replace(row, payload=GOOD) for row in rows]


class _Topics:
    sources = {"t": "cluster/t/1"}


def ports_of(rows: MemoryRows, letters: Letters) -> Ports:
    is_readable: Callable[[int, bytes], bool] = lambda _schema, payload: payload in (GOOD, EARLIER)  # noqa: E731
    return Ports(
        topics=cast(Any, _Topics()),
        rows=rows,
        letters=letters,
        route_of=lambda _topic, schema: ROUTES[schema],
        is_readable=is_readable,
        as_now=as_now,
        metrics=Metrics("test"),
        tidy=lambda: None,
    )


def batch_of(kinds: Sequence[str]) -> list[Framed]:
    forms = {
        "good": (1, GOOD), "bad": (1, BAD), "tick": (2, b""), "garbage": (UNFRAMED, b"?"),
        "earlier": (3, EARLIER), "bad earlier": (3, BAD),
    }  # fmt: skip
    return [Framed("t", 0, offset, *forms[kind]) for offset, kind in enumerate(kinds)]


@given(st.lists(st.sampled_from(["good", "bad", "tick", "garbage", "earlier", "bad earlier"]), max_size=40))
def test_every_message_is_a_row_or_a_letter_and_letters_come_before_the_rows_behind_them(kinds: list[str]) -> None:
    told: list[tuple[str, int]] = []
    rows, letters = Refusing(told), Letters(told)
    write(ports_of(rows, letters), batch_of(kinds))
    written = {offset for what, offset in told if what == "row"}
    assert written == {number for number, kind in enumerate(kinds) if kind in ("good", "earlier")}
    lost = ("bad", "garbage", "bad earlier")
    assert {one.offset for one in letters.sent} == {n for n, kind in enumerate(kinds) if kind in lost}
    for place, (what, offset) in enumerate(told):
        if what == "letter":
            assert not any(past == "row" and number > offset for past, number in told[:place])


def test_a_letter_tells_reason_place_and_digest_but_no_content() -> None:
    told: list[tuple[str, int]] = []
    letters = Letters(told)
    write(ports_of(Refusing(told), letters), batch_of(["good", "bad", "garbage"]))
    garbage, bad = letters.sent
    assert (bad.reason, bad.topic, bad.partition, bad.offset) == (NOT_READABLE, "t", 0, 1)
    assert bad.size == len(frame(1, BAD))
    assert (garbage.reason, garbage.offset, garbage.size) == (NOT_FRAMED, 2, 1)
    assert b"bad" not in b"".join(str(one).encode() for one in (bad.digest, bad.dead_letter_id))


def test_the_same_message_read_again_has_the_same_letter() -> None:
    sent = []
    for _ in range(2):
        letters = Letters([])
        write(ports_of(Refusing([]), letters), batch_of(["bad"]))
        sent.append(letters.sent[0].dead_letter_id)
    assert sent[0] == sent[1]


def test_no_row_is_written_past_a_letter_that_was_not_acknowledged() -> None:
    told: list[tuple[str, int]] = []
    rows = Refusing(told)
    with pytest.raises(DeadLetterError):
        write(ports_of(rows, Letters(told, fails=True)), batch_of(["garbage", "good"]))
    assert rows.positions("records", "cluster/t/1") == {}


def test_a_server_that_refuses_sound_rows_is_no_fault_of_the_rows() -> None:
    told: list[tuple[str, int]] = []
    letters = Letters(told)
    with pytest.raises(QueryError):
        write(ports_of(Refusing(told, broken=True), letters), batch_of(["good", "good"]))
    assert letters.sent == []
