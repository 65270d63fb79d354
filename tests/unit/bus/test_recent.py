"""The copy of messages that were read of late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.recent import RecentMessages
from creditbus.lab.sandbox import MemoryMessage

BATCHES = st.lists(st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=40)), max_size=6), max_size=12)
"""Of each message how far behind the one before it stands, and its value."""


class Brokers:
    """Every message of one partition, and which of them were asked for."""

    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}
        self.asked: list[int] = []

    def __call__(self, partition: int, places: Sequence[int]) -> Mapping[int, bytes]:
        self.asked += places
        return {place: self.values[place] for place in places}

    def batch(self, steps: Sequence[tuple[int, bytes]]) -> list[MemoryMessage]:
        found = []
        for step, value in steps:
            place = max(self.values, default=-1) + step
            self.values[place] = value
            found.append(MemoryMessage(place, b"key", value))
        return found


@given(BATCHES, st.integers(1, 120))
def test_whatever_was_dropped_meanwhile_every_message_is_found(
    batches: list[list[tuple[int, bytes]]], size: int
) -> None:
    brokers = Brokers()
    messages = RecentMessages(brokers, copied_bytes=size)
    for batch in map(brokers.batch, batches):
        messages.keep(0, batch)
        places = list(brokers.values)
        assert messages(0, places) == brokers.values
        assert messages(0, places[::-2]) == {place: brokers.values[place] for place in places[::-2]}


def test_what_was_read_of_late_is_not_asked_for_again() -> None:
    brokers = Brokers()
    messages = RecentMessages(brokers, copied_bytes=100)
    for _ in range(30):
        messages.keep(0, brokers.batch([(1, b"ten bytes.")]))
    assert messages(0, range(20, 30)) == dict.fromkeys(range(20, 30), b"ten bytes.")
    assert not brokers.asked
    messages(0, [0, 25])
    assert brokers.asked == [0], "so far back the copy does not go"


def test_a_partition_that_is_read_anew_or_was_away_is_copied_anew() -> None:
    brokers = Brokers()
    messages = RecentMessages(brokers)
    first = brokers.batch([(1, b"a"), (1, b"b")])
    messages.keep(0, first)
    messages.keep(0, first[:1])
    assert messages(0, [0, 1]) == {0: b"a", 1: b"b"}
    assert brokers.asked == [1]
    messages.forget(0)
    messages(0, [0])
    messages(1, [0])
    assert brokers.asked == [1, 0, 0]


def test_a_disk_that_takes_nothing_is_done_without(tmp_path: Path) -> None:
    brokers = Brokers()
    messages = RecentMessages(brokers, tmp_path / "is not there")
    messages.keep(0, brokers.batch([(1, b"a")]))
    assert messages(0, [0]) == {0: b"a"}
    assert brokers.asked == [0]


def test_the_files_are_closed_with_the_copies(tmp_path: Path) -> None:
    brokers = Brokers()
    messages = RecentMessages(brokers, tmp_path, copied_bytes=10)
    process = psutil.Process()
    before = process.num_fds()
    for _ in range(50):
        messages.keep(0, brokers.batch([(1, b"ten bytes.")]))
    assert process.num_fds() == before + 2
    assert not list(tmp_path.iterdir()), "they have no name"
    del messages
    assert process.num_fds() == before
