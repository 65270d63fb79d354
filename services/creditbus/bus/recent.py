"""Messages of a topic again: from a copy of those that were read of late, else from the brokers."""

from __future__ import annotations

import errno
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryFile
from weakref import finalize

import structlog

from creditbus.core.processing import Message

ReadLog = Callable[[int, Sequence[int]], Mapping[int, bytes]]
"""Values of a topic's messages by offset. (partition, offsets)"""
COPIED_BYTES = 32 * 1024 * 1024
"""Of a partition. The copy has the last of them, and up to as many again before those."""

log = structlog.get_logger()


class RecentMessages:
    """A ``ReadLog`` for whoever reads the topic anyway, partition by partition: it keeps what it is shown.

    What is asked for again is often near, above all when much is caught up on, and a message costs a few microseconds
    from the copy and one or two milliseconds from a broker. The copy lies in files without a name, which are gone with
    the process, and takes 16 bytes of memory a message.
    """

    def __init__(self, beyond: ReadLog, folder: Path | None = None, copied_bytes: int = COPIED_BYTES) -> None:
        """beyond: asked for what the copy has not. folder: of the files; where temporary files go unless given."""
        self._beyond = beyond
        self._folder = folder
        self._bytes = copied_bytes
        self._copies: dict[int, list[_Copy]] = {}
        """By partition; the newest first, and at most two."""

    def keep(self, partition: int, messages: Sequence[Message]) -> None:
        """Copy messages, which come in the order of their offsets. When they begin anew, so does the copy."""
        copies = self._copies.setdefault(partition, [])
        if copies and messages and messages[0].offset() < copies[0].end:
            copies.clear()
        try:
            if not copies or copies[0].size >= self._bytes:
                copies[:] = [_Copy(self._folder), *copies[:1]]
            copies[0].append(messages)
        except OSError as error:
            log.warning("messages are not copied, and asked of the brokers when they are needed", problem=str(error))
            self.forget(partition)

    def __call__(self, partition: int, places: Sequence[int]) -> Mapping[int, bytes]:
        """Values by offset. Raises what ``beyond`` raises."""
        found: dict[int, bytes] = {}
        for copy in self._copies.get(partition, ()):
            found |= copy.values(places)
        missing = [place for place in places if place not in found]
        return {**found, **self._beyond(partition, missing)} if missing else found

    def forget(self, partition: int) -> None:
        """Drop the copy of a partition."""
        self._copies.pop(partition, None)


class _Copy:
    """Values of one partition's messages one behind the other in a file."""

    def __init__(self, folder: Path | None) -> None:
        # closed when nobody holds the copy any more; nothing is left to write then
        self._file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._offsets = array("q")
        self._ends = array("q", [0])
        """Where the value of each message begins, and the last one ends."""
        finalize(self, self._file.close)

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return self._ends[-1]

    @property
    def end(self) -> int:
        """Offset behind the last message."""
        return self._offsets[-1] + 1 if self._offsets else 0

    def append(self, messages: Sequence[Message]) -> None:
        """Add messages behind the others. Raises OSError when the disk takes no more."""
        values = [message.value() or b"" for message in messages]
        all_of_them = b"".join(values)
        if self._file.write(all_of_them) != len(all_of_them):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._offsets.extend([message.offset() for message in messages])
        ends = accumulate(map(len, values), initial=self._ends.pop())
        self._ends.extend(ends)

    def values(self, places: Sequence[int]) -> dict[int, bytes]:
        """Values of those messages that are here."""
        found = {}
        for place in places:
            index = bisect_left(self._offsets, place)
            if index < len(self._offsets) and self._offsets[index] == place:
                start, end = self._ends[index : index + 2]
                found[place] = os.pread(self._file.fileno(), end - start, start)
        return found
