"""State stores of one partition: RocksDB on disk, and its twin in memory.

RocksDB is written without fsync: after kill -9 the operating system still holds the write-ahead log, and
after a power cut what is left is a consistent prefix, because state and position share one write batch;
the changelog fills in the rest. A store whose files are damaged is of no use and of no loss: it is wiped when it is
opened, and all of it comes back from the changelog.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import structlog
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, ReadOptions, WriteBatch

from creditbus.core.errors import ReconnectError, RetryLaterError
from creditbus.core.processing import Position

log = structlog.get_logger()

POSITION_KEY = b"\x00position"
"""Where a store keeps its position; no key of a processor begins with a zero byte."""
_SHARED_CACHE_BYTES = 48 << 20
_WRITE_BUFFER_BYTES = 8 << 20
_GONE = "No such file"
"""What RocksDB says of one of its files that is missing."""


class _StoredPosition(msgspec.Struct, array_like=True):
    source_offset: int
    changelog_offset: int
    lineage: str
    written_at_ms: int


def _pack(position: Position) -> bytes:
    return msgspec.msgpack.encode(
        (position.source_offset, position.changelog_offset, position.lineage, position.written_at_ms)
    )


def _unpack(data: bytes | None) -> Position | None:
    if data is None:
        return None
    stored = msgspec.msgpack.decode(data, type=_StoredPosition)
    return Position(
        source_offset=stored.source_offset,
        changelog_offset=stored.changelog_offset,
        lineage=stored.lineage,
        written_at_ms=stored.written_at_ms,
    )


class MemoryStore:
    """The store in memory: for tests, replays in a sandbox, and services whose state is small."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._position: Position | None = None

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See StateStore."""
        return [self._values.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int) -> Iterable[tuple[bytes, bytes]]:
        """See StateStore."""
        ordered = sorted(self._values)
        first = bisect_left(ordered, start)
        for key in ordered[first : first + limit]:
            if key >= end:
                return
            value = self._values.get(key)
            if value is not None:  # else deleted meanwhile by the thread that writes
                yield key, value

    def write(self, changes: Mapping[bytes, bytes | None], position: Position) -> None:
        """See StateStore."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self._position = position

    def position(self) -> Position | None:
        """See StateStore."""
        return self._position

    def wipe(self) -> None:
        """See StateStore."""
        self._values.clear()
        self._position = None

    def close(self) -> None:
        """See StateStore."""


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """A disk that is full or away is waited for: what it lacks is committed, and comes back from the changelog."""
    try:
        yield
    except Exception as error:
        # the binding raises plain exceptions; RocksDB's text begins with the kind of error
        if not isinstance(error, OSError) and not str(error).startswith("IO error"):
            raise
        raise RetryLaterError(
            f"local state {path}: {error}; make room there, mount the disk, or set CREDITBUS_DATA"
        ) from error


def is_damage(error: Exception, path: Path) -> bool:
    """Whether files of a store are damaged or gone; not when they cannot be read just now (rights, lock, disk)."""
    text = str(error)
    if text.startswith("Corruption"):
        return "IO error" not in text or _GONE in text
    return text.startswith("IO error") and _GONE in text and (path / "CURRENT").exists()


class RocksStore:
    """The store on disk, one RocksDB a partition. Methods raise RetryLaterError while the disk is full or away.

    Opening it wipes it when it is damaged. Damage that shows later raises ReconnectError: opened again, it is wiped.
    """

    def __init__(self, path: Path, cache: Cache) -> None:
        self._path = path
        self._cache = cache
        self._mark = path.with_name(f"{path.name}.damaged")
        """Tells the next who opens it what was found."""
        with on_disk(path):
            self._db = self._open_or_wipe()

    def _open_or_wipe(self) -> Rdict:
        if self._mark.exists():
            return self._wiped(self._mark.read_text())
        try:
            return self._open()
        except Exception as error:
            if not is_damage(error, self._path):
                raise
            problem = str(error)
        return self._wiped(problem)

    def _wiped(self, problem: str) -> Rdict:
        log.warning(
            "local state is damaged",
            path=str(self._path),
            problem=problem,
            remedy="wiped; all of it is restored from the changelog",
        )
        if self._path.exists():
            shutil.rmtree(self._path)
        self._mark.unlink(missing_ok=True)
        return self._open()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """Damage shows only where it is read: whoever opens the store again is told."""
        try:
            with on_disk(self._path):
                yield
        except Exception as error:
            if not is_damage(error, self._path):
                raise
            with on_disk(self._path):
                self._mark.write_text(str(error))
            raise ReconnectError(
                f"local state {self._path}: {error}; opening it again: it is wiped, and restored from the changelog"
            ) from error

    def _open(self) -> Rdict:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(2)
        options.set_max_background_jobs(2)
        options.set_keep_log_file_num(2)
        # most keys that are asked for are new: a filter says so without a walk through the write buffers
        options.set_memtable_prefix_bloom_ratio(0.1)
        options.set_memtable_whole_key_filtering(True)
        table = BlockBasedOptions()
        table.set_bloom_filter(10, False)
        table.set_block_cache(self._cache)
        options.set_block_based_table_factory(table)
        return Rdict(str(self._path), options)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See StateStore."""
        with self._in_use():
            return cast("list[bytes | None]", self._db.get(list(keys)))

    def scan(self, start: bytes, end: bytes, limit: int) -> Iterable[tuple[bytes, bytes]]:
        """See StateStore."""
        options = ReadOptions()
        options.set_iterate_upper_bound(end)
        iterator = self._db.iter(options)
        try:
            iterator.seek(start)
            while limit > 0 and iterator.valid():
                yield cast(bytes, iterator.key()), cast(bytes, iterator.value())
                iterator.next()
                limit -= 1
            with self._in_use():
                iterator.status()  # raises when it ended early, at a block that cannot be read
        finally:
            del iterator  # the store is not closed before; an error that is kept would keep it through this frame

    def write(self, changes: Mapping[bytes, bytes | None], position: Position) -> None:
        """See StateStore."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(POSITION_KEY, _pack(position))
        with self._in_use():
            self._db.write(batch)

    def position(self) -> Position | None:
        """See StateStore."""
        with self._in_use():
            return _unpack(cast("bytes | None", self._db.get(POSITION_KEY)))

    def wipe(self) -> None:
        """See StateStore."""
        self.close()
        with on_disk(self._path):
            shutil.rmtree(self._path)
            self._db = self._open()

    def close(self) -> None:
        """See StateStore. What could not be written to a full disk was told of when it was to be written."""
        try:
            with self._in_use():
                self._db.close()
        except (RetryLaterError, ReconnectError) as error:
            log.warning("closed with less than was written", problem=str(error))


class RocksStores:
    """Opens a RocksDB a partition under one folder, all with one block cache so that memory is bounded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache = Cache(_SHARED_CACHE_BYTES)

    def __call__(self, topic: str, partition: int) -> RocksStore:
        """Open the store of that input partition."""
        return RocksStore(self._folder / f"{topic}-{partition}", self._cache)


class MemoryStores:
    """Hands out memory stores and keeps them across re-opening, as a disk would."""

    def __init__(self) -> None:
        self._stores: dict[tuple[str, int], MemoryStore] = {}

    def __call__(self, topic: str, partition: int) -> MemoryStore:
        """Open the store of that input partition."""
        return self._stores.setdefault((topic, partition), MemoryStore())
