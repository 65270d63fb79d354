"""The encoders and decoders made for a schema do what fastavro does, on whatever value and whatever bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from avro_values import values_of
from creditbus.bus.avro import NotAvroError, decode, encode
from creditbus.bus.codec import UnsupportedSchemaError, compile_decoder, compile_encoder
from creditbus.bus.schemas import Schema, SchemaSet

_CONTRACT = SchemaSet.load()
SCHEMAS = {schema.name: schema for schema in [*_CONTRACT.events.values(), *_CONTRACT.records.values()]}
few = settings(max_examples=max(10, settings().max_examples // 5))
"""For each of the contract's sixty types."""
schemas = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())


def written_by_fastavro(schema: Schema, value: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    schemaless_writer(buffer, parse_schema(_numbers_only(schema.definition)), value)
    return buffer.getvalue()


def _numbers_only(node: Any) -> Any:
    if isinstance(node, list):
        return [_numbers_only(one) for one in node]
    if isinstance(node, dict):
        return {key: _numbers_only(value) for key, value in node.items() if key != "logicalType"}
    return node


@schemas
@few
@given(data=st.data())
def test_bytes_and_values_are_those_of_fastavro(schema: Schema, data: st.DataObject) -> None:
    value = data.draw(values_of(schema.definition))
    payload = encode(schema, value)
    assert payload == written_by_fastavro(schema, value)
    assert decode(schema, payload, raw=True) == value
    assert decode(schema, payload) == schemaless_reader(BytesIO(payload), schema.parsed, None)


@schemas
@few
@given(data=st.data())
def test_no_shortened_or_lengthened_payload_is_read(schema: Schema, data: st.DataObject) -> None:
    payload = encode(schema, data.draw(values_of(schema.definition)))
    cut = data.draw(st.integers(0, len(payload) - 1))
    for wrong in (payload[:cut], payload + b"\x00"):
        with pytest.raises(NotAvroError):
            decode(schema, wrong, raw=True)


@schemas
@few
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_error_that_says_so(schema: Schema, payload: bytes) -> None:
    try:
        value = decode(schema, payload, raw=True)
    except NotAvroError:
        return
    assert decode(schema, encode(schema, value), raw=True) == value


def test_a_struct_is_written_like_the_dictionary_of_its_attributes() -> None:
    class Place:
        name, size = "呼和浩特", 1_000

    definition = {"type": "record", "name": "Place", "namespace": "x", "fields": [
        {"name": "name", "type": "string", "lowCardinality": True}, {"name": "size", "type": "long"},
    ]}  # fmt: skip
    of_struct: list[bytes] = []
    compile_encoder(definition, of_struct=True)(Place, of_struct.append)
    of_dictionary: list[bytes] = []
    compile_encoder(definition)({"name": "呼和浩特", "size": 1_000}, of_dictionary.append)
    assert of_struct == of_dictionary


def test_blocks_with_their_size_are_read() -> None:
    definition = {"type": "record", "name": "Many", "namespace": "x", "fields": [
        {"name": "items", "type": {"type": "array", "items": "long"}},
    ]}  # fmt: skip
    # two blocks: one item in two bytes, announced by a negative count; then two items
    value, end = compile_decoder(definition)(b"\x01\x04\x80\x01\x04\x02\x04\x00", 0)
    assert (value, end) == ({"items": [64, 1, 2]}, 8)


def test_a_type_that_contains_itself_is_left_to_fastavro() -> None:
    node = {"type": "record", "name": "Node", "namespace": "x", "fields": [
        {"name": "size", "type": "long"}, {"name": "next", "type": ["null", "x.Node"]},
    ]}  # fmt: skip
    with pytest.raises(UnsupportedSchemaError):
        compile_decoder(node)
    assert decode(Schema("x.Node", node), b"\x02\x02\x04\x00") == {"size": 1, "next": {"size": 2, "next": None}}
