"""How far a reader of alerts has come, as a text that it hands back: the log, and the next offset of each partition."""

from __future__ import annotations

import re
from collections.abc import Mapping

from creditbus.core.hashing import digest

Position = dict[int, int]
"""Next offset to read, by partition; a partition that is not named is read from its beginning."""
_TEXT = re.compile(r"([0-9a-f]{8})((?:_\d{1,4}\.\d{1,18}){0,1000})", re.ASCII)


def mark_of(source: str) -> str:
    """What tells a log from others in a position. source: name of the log, which has the id of its topic."""
    return digest(source)[:8]


def text_of(mark: str, position: Mapping[int, int]) -> str:
    """A position as readers keep it: ``0c6f0d5e_0.17_1.4`` waits for offset 17 of partition 0 and for 4 of 1."""
    return mark + "".join(f"_{partition}.{offset}" for partition, offset in sorted(position.items()))


def position_of(mark: str, text: str) -> Position:
    """The position that a text stands for in a log; its beginning when the text is about another log.

    Raises ValueError for a text that is no position.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("not a position of the stream of alerts")
    if found[1] != mark:
        return {}
    pairs = [part.split(".") for part in found[2].split("_")[1:]]
    return {int(partition): int(offset) for partition, offset in pairs}


def start_of(wanted: Mapping[int, int], bounds: Mapping[int, tuple[int, int]]) -> tuple[Position, bool]:
    """Where to read on in a log, and whether alerts between there and the wanted place are in the log no more.

    bounds: first offset and end of each partition. One that ends before the wanted place has lost its end, with a
    broker's disk, and is read from its beginning. Nothing is passed over.
    """
    start, is_lost = {}, False
    for partition, (first, end) in bounds.items():
        place = wanted.get(partition, 0)
        start[partition] = place if first <= place <= end else first
        is_lost |= place < first
    return start, is_lost
