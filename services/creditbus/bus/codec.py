"""Avro encoders and decoders made for one schema, compiled where that is to be had.

fastavro walks the schema again for every value, and intake and dossier spent half of their time on that
(``docs/decisions.md`` has the figures). Two things do it here instead, with the same values, the same bytes and the
same refusals: ``creditbus_native.codec`` (the folder ``native``, built by ``make setup`` where there is a C
compiler), and ``codec_python.py`` where there is none, or where CREDITBUS_NATIVE=off says so.
They cover what the contract uses: records, strings, bytes, whole numbers, truth values, enums, optional values, arrays
and maps; ``UnsupportedSchemaError`` for the rest.

A decoder never trusts the bytes: a position beyond the end, a negative length and a byte that is no truth value
raise; a text that ends too early may leave a position behind the end instead, which the caller has to look at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, cast

import msgspec

from creditbus.bus import codec_python
from creditbus.bus.codec_python import UnsupportedSchemaError
from creditbus.core.records import date_of

try:
    from creditbus_native import codec as compiled
except ImportError:
    compiled = None

__all__ = [
    "Decoder",
    "Encoder",
    "UnsupportedSchemaError",
    "compile_decoder",
    "compile_encoder",
    "compiled",
]

Json = Any
Decoder = Callable[[bytes, int], tuple[Any, int]]
"""From bytes and a position to the value and the position behind it."""
Encoder = Callable[[Any, bytes], bytes]
"""From a value, and bytes that stand before it, to all bytes."""

_IS_WANTED = os.environ.get("CREDITBUS_NATIVE", "on") != "off"
_CODEC: ModuleType = compiled if compiled is not None and _IS_WANTED else codec_python

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compile_decoder(
    definition: Json,
    *,
    raw: bool = True,
    structs: Mapping[str, type[msgspec.Struct]] | None = None,
    codec: ModuleType = _CODEC,
) -> Decoder:
    """A decoder to dictionaries. Raises UnsupportedSchemaError.

    raw: dates and times stay numbers (days, milliseconds). structs: what records are read as, by name without
    namespace; others are dictionaries.
    """
    makers = {name: _maker(struct, definition, name) for name, struct in (structs or {}).items()}
    return cast("Decoder", codec.make_decoder(definition, {} if raw else _CONVERTERS, makers))


def compile_encoder(definition: Json, *, of_struct: bool = False, codec: ModuleType = _CODEC) -> Encoder:
    """An encoder of dictionaries with raw values; of_struct: of objects whose attributes are the record's fields."""
    return cast("Encoder", codec.make_encoder(definition, of_struct=of_struct))


def _maker(struct: type[msgspec.Struct], definition: Json, name: str) -> Callable[..., object]:
    """What makes a struct of a record's values.

    An earlier release's schema may lack fields that have defaults today; a later one's may have fields that are not
    known yet, which are left out.
    """
    names = [field["name"] for field in _record_named(definition, name)["fields"]]
    known = struct.__struct_fields__
    if names == list(known[: len(names)]):
        return struct
    return lambda *values: struct(**{key: value for key, value in zip(names, values, strict=True) if key in known})


def _record_named(definition: Json, name: str) -> Json:
    """The definition of a record inside another. Raises KeyError."""
    waiting = [definition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "record" and node.get("name") == name:
                return node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    raise KeyError(name)


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


_CONVERTERS: Mapping[str, Callable[[int], object]] = {"date": date_of, "timestamp-millis": _moment}
