"""Merge as a processor of the transactional loop: a region's records in, the same bytes out on the hub's topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from creditbus.bus.avro import NotAvroError
from creditbus.bus.registry import UnknownSchemaError
from creditbus.bus.schemas import Schema
from creditbus.bus.wire import Types, Writers, read_value
from creditbus.core.deadletter import dead_letter
from creditbus.core.framing import FRAME_BYTES, NotConfluentError
from creditbus.core.identity import Identity, numbers_told
from creditbus.core.processing import Effects, Message, Output, StateReader
from creditbus.core.records import business_day
from creditbus.core.topics import DEAD_LETTERS, IDENTITIES, RECORDS
from creditbus.merge.steps import PRUNED_AT_ONCE, day_key, forgotten, id_key, remembered

HUB_TIME, ORIGIN = "hub_recorded_at", "region"
"""Headers: when the hub had the record, in milliseconds since 1970, and the region that it came from."""
_RECORD = "creditbus.records.CreditRecord"
_READER = "merge"


class _Read(NamedTuple):
    """What merge needs to know of a record."""

    schema: Schema
    record_id: bytes
    numbers: list[Identity]
    """Other numbers of an organisation that it tells."""


class MergeProcessor:
    """core.processing.Processor of merge; state: which records came within the days that are remembered."""

    def __init__(  # noqa: PLR0913
        self,
        region: str,
        types: Types,
        writers: Writers,
        prefix_of: Callable[[Schema], bytes],
        read_body: Callable[[str, bytes], dict[str, Any]],
        days: int,
    ) -> None:
        """prefix_of: frame under which a schema's messages stand on the hub's topic; days: as in MergeSettings."""
        self._read_body = read_body
        self._identity_writer = writers(IDENTITIES, "Identity")
        self._region = region.encode()
        self._types = types
        self._letter_writer = writers(DEAD_LETTERS, "DeadLetter")
        self._prefix_of = prefix_of
        self._prefixes: dict[str, bytes] = {}
        self._days = days

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """Each new record goes on as it is, in order; the rest is counted, and what cannot be read is told of."""
        effects = Effects()
        read = [(message, self._read(message, effects)) for message in messages]
        records = [(message, found) for message, found in read if found is not None]
        ids = list(dict.fromkeys(found.record_id for _, found in records))
        known = state.get_many([id_key(one) for one in ids])
        seen = {one for one, day in zip(ids, known, strict=True) if day is not None}
        for message, found in records:
            if found.record_id in seen:
                effects.count("duplicate", "mirrored_twice")
                continue
            seen.add(found.record_id)
            effects.outputs.append(self._taken_over(message, found.schema, partition))
            effects.outputs.extend(map(self._identity, found.numbers))
            effects.state.update(remembered(found.record_id, message.timestamp()[1]))
            effects.count("ok", "merged")
        if messages:
            self._prune(business_day(messages[-1].timestamp()[1]), state, effects)
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered outside the state."""

    def _read(self, message: Message, effects: Effects) -> _Read | None:
        """What is to be known of a record; None for what is none."""
        try:
            schema, value = read_value(self._types, message.value())
            if schema.name == _RECORD:
                return _Read(schema, bytes.fromhex(value["record_id"]), self._numbers(value))
        except (NotConfluentError, UnknownSchemaError, NotAvroError, ValueError) as error:
            effects.outputs.append(self._letter(message, type(error).__name__))
            effects.count("rejected", "unreadable")
        else:
            effects.count("dropped", "no_record")
        return None

    def _numbers(self, record: dict[str, Any]) -> list[Identity]:
        """Former numbers that a registration tells of: the hub's intake has to know subjects by them too.

        A body that the hub cannot read yet is the dossier's affair: the record goes on as it is.
        """
        if record["kind"] != "Registration" or record["op"] != "RECORD":
            return []
        try:
            facts = self._read_body(record["body_schema"], record["body"])
        except NotAvroError:
            return []
        return numbers_told(record["kind"], facts, record["subject_key"])

    def _identity(self, one: Identity) -> Output:
        return Output(IDENTITIES, one.key.encode(), self._identity_writer.of_struct(one))

    def _taken_over(self, message: Message, schema: Schema, partition: int) -> Output:
        """The same key, payload and headers, on the partition with the same number."""
        payload = (message.value() or b"")[FRAME_BYTES:]
        told = ((HUB_TIME, str(message.timestamp()[1]).encode()), (ORIGIN, self._region))
        headers = (*(message.headers() or ()), *told)
        prefix = self._prefixes.get(schema.body_schema) or self._prefix_of(schema)
        self._prefixes[schema.body_schema] = prefix
        return Output(RECORDS, message.key(), prefix + payload, partition, headers)

    def _letter(self, message: Message, reason: str) -> Output:
        place: Any = (message.topic(), message.partition(), message.offset())
        letter = dead_letter(_READER, place, message.value() or b"", reason, message.timestamp()[1])
        return Output(DEAD_LETTERS, letter.key, self._letter_writer.of_struct(letter))

    def _prune(self, today: int, state: StateReader, effects: Effects) -> None:
        for key, _ in state.scan(day_key(0), day_key(max(0, today - self._days)), PRUNED_AT_ONCE):
            effects.state.update(dict.fromkeys(forgotten(key)))
