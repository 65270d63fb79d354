"""Records of a region on their way to the hub: each once, as it is, and nothing but records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY_MS, make_record
from creditbus.bus.avro import decode, encode
from creditbus.bus.schemas import Schema
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, Writer, Writers, body_reader
from creditbus.core.framing import frame, frame_prefix, unframe
from creditbus.core.processing import Effects, Position
from creditbus.core.topics import DEAD_LETTERS, IDENTITIES, RECORDS
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry
from creditbus.merge.processor import HUB_TIME, ORIGIN, MergeProcessor
from intake_harness import schemas

DAY_LENGTH = 86_400_000
REMEMBERED = 7
RECORD = schemas().records["CreditRecord"]


class RegistryByTopic(MemoryRegistry):
    """Each topic's schemas have ids of their own, as real registries give them."""

    def id_of(self, topic: str, schema: Schema) -> int:
        place = (f"{topic}-{schema.name}", schema.text)
        if place not in self._places:
            self._schemas.append(schema)
            self._places[place] = len(self._schemas)
        return self._places[place]


class Hub:
    """The hub's side of one region's partition."""

    def __init__(self) -> None:
        self.registry = RegistryByTopic()
        self.write = Writer(self.registry, "credit.records.local", RECORD)
        self.store = MemoryStore()
        self._offset = 0
        writers = Writers(self.registry, schemas())
        types, read_body = Types(self.registry), body_reader(schemas())
        self._processor = MergeProcessor("baotou", types, writers, self._prefix_of, read_body, REMEMBERED)

    def message(self, number: int, at_ms: int = DAY_MS) -> MemoryMessage:
        record = make_record(number=str(number))
        headers = [("event_key", record.event_key.encode())]
        return self.raw(self.write.of_struct(record), record.subject_key.encode(), headers, at_ms)

    def registration(self, number: int, former: str) -> MemoryMessage:
        """A registration that tells of a former number."""
        facts = schemas().events["Registration"].facts
        told = dict.fromkeys(("legal_representative", "established_on", "capital_fen", "industry", "address"))
        told |= {"status": "ACTIVE", "former_identifiers": [{"scheme": "REGISTRATION", "value": former}]}
        record = make_record(
            "Registration", number=str(number), body=encode(facts, told), body_schema=facts.body_schema
        )
        return self.raw(self.write.of_struct(record))

    def raw(
        self, value: bytes, key: bytes = b"k", headers: list[tuple[str, bytes]] | None = None, at_ms: int = DAY_MS
    ) -> MemoryMessage:
        self._offset += 1
        return MemoryMessage(self._offset, key, value, headers or [], at_ms)

    def take(self, *messages: MemoryMessage) -> Effects:
        effects = self._processor.process("baotou.credit.records.local", 3, messages, self.store)
        at = Position(source_offset=self._offset, changelog_offset=0, lineage="", written_at_ms=0)
        self.store.write(effects.state, at)
        return effects

    def _prefix_of(self, schema: Schema) -> bytes:
        return frame_prefix(self.registry.id_of(RECORDS, schema))


def numbers_of(effects: Effects) -> list[str]:
    """Document numbers of the records that went on."""
    found = [decode(RECORD, unframe(one.value)[1]) for one in effects.outputs if one.topic == RECORDS]
    return [one["document_number"] for one in found]


def test_a_record_goes_on_as_it_is_on_its_partition_with_the_hub_s_time_and_its_region() -> None:
    hub = Hub()
    sent = hub.message(1)
    [output] = hub.take(sent).outputs
    assert (output.topic, output.partition, output.key) == (RECORDS, 3, sent.key())
    schema_id, payload = unframe(output.value)
    assert payload == unframe(sent.value())[1]
    assert schema_id == hub.registry.id_of(RECORDS, RECORD) != unframe(sent.value())[0]
    told = dict(output.headers)
    assert told == {**dict(sent.headers() or ()), HUB_TIME: str(DAY_MS).encode(), ORIGIN: b"baotou"}


def test_what_the_mirror_brings_twice_is_taken_over_once_within_a_batch_and_across() -> None:
    hub = Hub()
    assert numbers_of(hub.take(hub.message(1), hub.message(2), hub.message(1))) == ["1", "2"]
    again = hub.take(hub.message(2), hub.message(3))
    assert numbers_of(again) == ["3"]
    assert again.counts == {("duplicate", "mirrored_twice"): 1, ("ok", "merged"): 1}


@pytest.mark.parametrize("name", ["ClockTick", "EditionInForce", "SourceOrder", "Forgotten"])
def test_no_region_orders_anything_about_the_hub_s_log(name: str) -> None:
    hub = Hub()
    schema = schemas().records[name]
    value = frame(hub.registry.id_of("credit.records", schema), b"")
    effects = hub.take(hub.raw(value))
    assert [one.topic for one in effects.outputs if one.topic == RECORDS] == []


def test_a_tick_that_can_be_read_is_dropped() -> None:
    hub = Hub()
    tick = schemas().records["ClockTick"]
    value = Writer(hub.registry, "credit.records", tick)({"at": DAY_MS, "observed_at": DAY_MS})
    effects = hub.take(hub.raw(value))
    assert (effects.outputs, effects.counts) == ([], {("dropped", "no_record"): 1})


@given(st.binary(max_size=40))
def test_whatever_the_bytes_they_are_told_of_and_hold_nobody_up(noise: bytes) -> None:
    hub = Hub()
    good = hub.message(1)
    effects = hub.take(hub.raw(noise), good)
    assert numbers_of(effects) == ["1"]
    assert [one.topic for one in effects.outputs] == [DEAD_LETTERS, RECORDS]


def test_what_is_remembered_is_bounded_by_days() -> None:
    hub = Hub()
    hub.take(*(hub.message(number) for number in range(50)))
    assert len(list(hub.store.scan(b"", b"\xff", 1_000))) == 100
    later = DAY_MS + (REMEMBERED + 1) * DAY_LENGTH
    hub.take(hub.message(100, later))
    assert len(list(hub.store.scan(b"", b"\xff", 1_000))) == 2
    assert numbers_of(hub.take(hub.message(100, later))) == []


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(1, 4), max_size=10))
def test_however_the_batches_fall_the_same_records_go_on_in_the_same_order(sent: list[int], sizes: list[int]) -> None:
    once, split = Hub(), Hub()
    expected = numbers_of(once.take(*(once.message(number) for number in sent)))
    left, found = [split.message(number) for number in sent], []
    for size in [*sizes, len(sent)]:
        found += numbers_of(split.take(*left[:size]))
        left = left[size:]
    assert found == expected == [str(number) for number in dict.fromkeys(sent)]


def test_former_numbers_that_a_registration_tells_of_are_known_at_the_hub_too() -> None:
    hub = Hub()
    registered = hub.registration(1, "150102600000013")
    told = [one for one in hub.take(hub.message(2), registered, registered).outputs if one.topic == IDENTITIES]
    [output] = told
    row = decode(schemas().records["Identity"], unframe(output.value)[1])
    assert (output.key, row["subject_key"]) == (b"REGISTRATION|150102600000013", make_record().subject_key)


def test_a_registration_whose_body_is_of_a_newer_release_goes_on_as_it_is() -> None:
    hub = Hub()
    record = make_record("Registration", number="1", body=b"\x00", body_schema="Registration:0000000000000000")
    assert [one.topic for one in hub.take(hub.raw(hub.write.of_struct(record))).outputs] == [RECORDS]
