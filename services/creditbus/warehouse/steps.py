"""Decisions of the warehouse: where to go on, and what of a batch goes into which insert."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from creditbus.core.deadletter import DeadLetter, dead_letter
from creditbus.core.errors import StopError
from creditbus.core.framing import frame
from creditbus.core.ports import PositionedRow

Place = tuple[str, int]
"""Topic and partition."""


UNFRAMED = -1
"""Schema id of a message that is not in the wire format."""
READER = "warehouse"
NOT_FRAMED = "not in the Confluent wire format"
UNKNOWN_SCHEMA = "written with a schema that the registry does not know"
WRONG_TYPE = "of a type that its topic may not carry"
NOT_READABLE = "not readable with its schema"
REASONS = (NOT_FRAMED, UNKNOWN_SCHEMA, WRONG_TYPE, NOT_READABLE)


@dataclass(frozen=True, slots=True)
class Framed:
    """A message as read: its place, its schema id, and the Avro payload (all bytes, if it is not framed)."""

    topic: str
    partition: int
    offset: int
    schema_id: int
    payload: bytes
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Messages of this schema are no rows and never will be as things stand."""

    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """Messages of this schema go into a table."""

    name: str
    form: str
    """Type and fingerprint of the schema: topics give the same schema different ids."""


Route = Table | Refusal | None
"""Where messages of a schema go; None for types that have no table (ticks, control records)."""


@dataclass(slots=True)
class Insert:
    """Rows of one table and one form, each partition's in log order."""

    table: str
    schema_id: int
    """One of the ids of their form."""
    rows: list[PositionedRow] = field(default_factory=list)


def resume_offset(newest_row: int | None, committed: int | None, low: int, high: int, place: Place) -> int:
    """Where to go on reading a partition.

    newest_row: offset of the newest row in the table, the only thing that counts where there is one.
    committed: the group's offset, for a partition without any row yet. low, high: what the log holds now.
    Raises StopError when rows are ahead of the log, or the log has lost what is not in the table yet.
    """
    name = f"{place[0]} [{place[1]}]"
    if newest_row is None:
        start = committed if committed is not None and committed >= 0 else low
        return min(max(start, low), high)
    if newest_row >= high:
        raise StopError(
            f"{name}: the table has offset {newest_row}, the log ends at {high}: the topic was emptied or made anew; "
            "load the table again from the new log"
        )
    if newest_row + 1 < low:
        raise StopError(
            f"{name}: the table ends at offset {newest_row}, the log begins at {low}: rows between them are lost to "
            "the warehouse; raise the topic's retention and load the gap from a copy"
        )
    return newest_row + 1


def inserts_of(
    batch: Iterable[Framed], routes: Mapping[tuple[str, int], Route], sources: Mapping[str, str]
) -> Iterator[Insert]:
    """Inserts of a batch, as few as may be: each costs the server a part, whatever the number of its rows.

    routes: by (topic, schema id); sources: the log of each topic. Where the table or form of a partition's messages
    changes, everything before it goes first, so that a partition's rows never overtake one another.
    """
    open_inserts: dict[Table, Insert] = {}
    last: dict[Place, Table] = {}
    for message in batch:
        table = routes[message.topic, message.schema_id]
        if not isinstance(table, Table):
            continue
        place = (message.topic, message.partition)
        if last.get(place, table) != table:
            yield from open_inserts.values()
            open_inserts, last = {}, {}
        last[place] = table
        insert = open_inserts.get(table)
        if insert is None:
            insert = open_inserts[table] = Insert(table.name, message.schema_id)
        row = PositionedRow(sources[message.topic], message.partition, message.offset, message.payload)
        insert.rows.append(row)
    yield from open_inserts.values()


def without_forgotten(batch: Sequence[Framed], forgotten: Collection[bytes], told_on: str) -> Sequence[Framed]:
    """A batch without messages about persons that were forgotten, whichever topic is ahead.

    forgotten: their keys; told_on: the topic that tells of them, whose messages are kept.
    """
    if not forgotten:
        return batch
    return [message for message in batch if message.key not in forgotten or message.topic == told_on]


def refused(batch: Iterable[Framed], routes: Mapping[tuple[str, int], Route], at_ms: int) -> list[DeadLetter]:
    """What is told of the messages of a batch that are no rows."""
    letters = []
    for message in batch:
        route = routes[message.topic, message.schema_id]
        if isinstance(route, Refusal):
            place = (message.topic, message.partition, message.offset)
            letters.append(dead_letter(READER, place, _value(message.schema_id, message.payload), route.reason, at_ms))
    return letters


def without_damaged(
    insert: Insert, is_readable: Callable[[int, bytes], bool], topics: Mapping[str, str], at_ms: int
) -> tuple[Insert, list[DeadLetter]]:
    """An insert that the server refused: the rows that can be read, and what is told of the others.

    is_readable: whether a payload can be read with the schema of that id; topics: the topic of each log.
    """
    sound = Insert(insert.table, insert.schema_id)
    letters = []
    for row in insert.rows:
        if is_readable(insert.schema_id, row.payload):
            sound.rows.append(row)
        else:
            place = (topics[row.src], row.partition, row.offset)
            value = _value(insert.schema_id, row.payload)
            letters.append(dead_letter(READER, place, value, NOT_READABLE, at_ms))
    return sound, letters


def next_offsets(batch: Iterable[Framed]) -> dict[Place, int]:
    """Next offset to read by partition, after a batch."""
    return {(message.topic, message.partition): message.offset + 1 for message in batch}


def _value(schema_id: int, payload: bytes) -> bytes:
    return payload if schema_id == UNFRAMED else frame(schema_id, payload)
