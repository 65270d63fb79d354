"""The encoders and decoders made for a schema do what fastavro does, on whatever value and whatever bytes.

Each test runs on the Python functions, and on the compiled ones where they were built.
"""

from __future__ import annotations

from functools import cached_property
from io import BytesIO
from types import ModuleType
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from avro_values import values_of
from creditbus.bus import codec_python
from creditbus.bus.avro import NotAvroError, decode, encode
from creditbus.bus.codec import Decoder, Encoder, UnsupportedSchemaError, compile_decoder, compile_encoder, compiled
from creditbus.bus.schemas import Schema, SchemaSet

_CONTRACT = SchemaSet.load()
CODECS = [codec_python] if compiled is None else [codec_python, compiled]
codecs = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.__name__.rpartition(".")[0])


class Coded(Schema):
    """A schema with the encoders and decoders of one codec."""

    codec: ModuleType = codec_python

    @cached_property
    def encoder(self) -> Encoder:
        return compile_encoder(self.definition, codec=self.codec)

    @cached_property
    def raw_decoder(self) -> Decoder:
        return compile_decoder(self.definition, codec=self.codec)

    @cached_property
    def decoder(self) -> Decoder:
        return compile_decoder(self.definition, raw=False, codec=self.codec)


class Compiled(Coded):
    codec = CODECS[-1]


SCHEMAS = {
    f"{schema.name} {kind.codec.__name__.partition('.')[0]}": kind(schema.name, schema.definition)
    for schema in [*_CONTRACT.events.values(), *_CONTRACT.records.values()]
    for kind in ([Coded] if compiled is None else [Coded, Compiled])
}
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


class Place(msgspec.Struct):
    name: str
    size: int
    since: int = 7


PLACE = {"type": "record", "name": "Place", "namespace": "x", "fields": [
    {"name": "name", "type": "string", "lowCardinality": True}, {"name": "size", "type": "long"},
]}  # fmt: skip


@codecs
def test_a_struct_is_written_like_the_dictionary_of_its_attributes(codec: ModuleType) -> None:
    of_struct = compile_encoder(PLACE, of_struct=True, codec=codec)(Place("呼和浩特", 1_000), b"frame")
    assert of_struct == compile_encoder(PLACE, codec=codec)({"name": "呼和浩特", "size": 1_000}, b"frame")
    assert of_struct.startswith(b"frame")


@codecs
@pytest.mark.parametrize("fields", [["name", "size"], ["size", "name"]], ids=["in its order", "in another"])
def test_a_struct_is_read_by_the_names_of_the_fields(codec: ModuleType, fields: list[str]) -> None:
    """A schema of an earlier release may lack a field, and may have them in another order."""
    written = {**PLACE, "fields": sorted(PLACE["fields"], key=lambda one: fields.index(one["name"]))}  # type: ignore[index]
    holder = {"type": "record", "name": "Holder", "namespace": "x", "fields": [{"name": "place", "type": written}]}
    payload = compile_encoder(holder, codec=codec)({"place": {"name": "包头", "size": 2}}, b"")
    read = compile_decoder(holder, structs={"Place": Place}, codec=codec)
    assert read(payload, 0) == ({"place": Place("包头", 2)}, len(payload))


@codecs
@pytest.mark.parametrize(
    "value", [{}, {"name": None, "size": 1}, {"name": "a", "size": "1"}, {"name": "a", "size": 1 << 63}]
)
def test_a_value_that_does_not_fit_is_refused(codec: ModuleType, value: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError, OverflowError)):
        compile_encoder(PLACE, codec=codec)(value, b"")


@codecs
def test_blocks_with_their_size_are_read(codec: ModuleType) -> None:
    definition = {"type": "record", "name": "Many", "namespace": "x", "fields": [
        {"name": "items", "type": {"type": "array", "items": "long"}},
    ]}  # fmt: skip
    # two blocks: one item in two bytes, announced by a negative count; then two items
    value, end = compile_decoder(definition, codec=codec)(b"\x01\x04\x80\x01\x04\x02\x04\x00", 0)
    assert (value, end) == ({"items": [64, 1, 2]}, 8)


@codecs
def test_a_type_that_contains_itself_is_left_to_fastavro(codec: ModuleType) -> None:
    node = {"type": "record", "name": "Node", "namespace": "x", "fields": [
        {"name": "size", "type": "long"}, {"name": "next", "type": ["null", "x.Node"]},
    ]}  # fmt: skip
    with pytest.raises(UnsupportedSchemaError):
        compile_decoder(node, codec=codec)
    assert decode(Schema("x.Node", node), b"\x02\x02\x04\x00") == {"size": 1, "next": {"size": 2, "next": None}}
