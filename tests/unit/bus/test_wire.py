"""Messages that an earlier release wrote have the fields that this one reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec.structs
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from avro_values import values_of
from creditbus.bus.avro import NotAvroError, decode, decode_struct, encode
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.wire import Types, in_present_form, read_value
from creditbus.core.framing import FRAME_BYTES, frame_prefix
from creditbus.core.records import MeasureOrder

CONTRACT = SchemaSet.load()
ORDER = CONTRACT.records["MeasureOrder"]


def without(schema: Schema, *names: str) -> Schema:
    """The type as it was before it had these fields."""
    fields = [field for field in schema.fields if field["name"] not in names]
    return Schema(schema.name, {**schema.definition, "fields": fields})


class Registry:
    """Knows one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        assert schema_id == 7
        return self._schema.name, self._schema.text


def with_defaults(schema: Schema) -> list[str]:
    return [field["name"] for field in schema.fields if "default" in field]


@pytest.mark.parametrize("name", [name for name, one in CONTRACT.records.items() if with_defaults(one)])
@settings(max_examples=20)
@given(data=st.data())
def test_a_field_that_came_later_has_its_default(name: str, data: st.DataObject) -> None:
    present = CONTRACT.records[name]
    late = data.draw(st.sets(st.sampled_from(with_defaults(present)), min_size=1))
    earlier = without(present, *late)
    value = data.draw(values_of(earlier.definition))
    schema, found = read_value(Types(Registry(earlier)), frame_prefix(7) + encode(earlier, value))
    assert schema is present
    assert found == {**value, **{field["name"]: field["default"] for field in present.fields if field["name"] in late}}


@given(value=values_of(ORDER.definition))
def test_a_field_of_a_later_release_is_left_out(value: dict[str, Any]) -> None:
    field = {"name": "novelty", "type": "string", "default": ""}
    later = Schema(ORDER.name, {**ORDER.definition, "fields": [*ORDER.fields, field]})
    framed = frame_prefix(7) + encode(later, {**value, "novelty": "x"})
    assert read_value(Types(Registry(later)), framed)[1] == value
    assert msgspec.structs.asdict(decode_struct(later, MeasureOrder, framed, FRAME_BYTES)) == value


@given(value=values_of(without(ORDER, *with_defaults(ORDER)).definition))
def test_the_bytes_of_an_earlier_release_are_made_those_of_this_one(value: dict[str, Any]) -> None:
    earlier = without(ORDER, *with_defaults(ORDER))
    framed = frame_prefix(7) + encode(earlier, value)
    made = in_present_form(Types(Registry(earlier)), 7, framed[len(frame_prefix(7)) :])
    assert decode(ORDER, made, raw=True) == read_value(Types(Registry(earlier)), framed)[1]
    present = encode(ORDER, decode(ORDER, made, raw=True))
    assert in_present_form(Types(Registry(ORDER)), 7, present) == present


def test_times_of_an_earlier_release_are_numbers_or_times_as_the_reader_wants() -> None:
    earlier = without(ORDER, *with_defaults(ORDER))
    value = find(values_of(earlier.definition), lambda one: one["at"] > 0)
    framed, types = frame_prefix(7) + encode(earlier, value), Types(Registry(earlier))
    assert read_value(types, framed)[1]["at"] == value["at"]
    assert read_value(types, framed, raw=False)[1]["at"] == datetime.fromtimestamp(value["at"] / 1000, UTC)
    with pytest.raises(NotAvroError, match="too many"):
        read_value(types, framed + b"x")


@given(value=values_of(ORDER.definition))
def test_what_this_release_wrote_is_read_as_it_is(value: dict[str, Any]) -> None:
    schema, found = read_value(Types(Registry(ORDER)), frame_prefix(7) + encode(ORDER, value))
    assert (schema.fingerprint, found) == (ORDER.fingerprint, value)
