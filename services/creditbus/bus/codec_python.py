"""Avro encoders and decoders in Python, made for one schema: one straight line of code for each field.

fastavro walks the schema again for every value; here it is walked once and becomes the source of a function, as
dataclasses do it. What they promise, and when they are used, stands in ``codec.py``.
A text that ends too early leaves a position behind the end, which the caller has to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Json = Any
_SHORT = 4_096


class UnsupportedSchemaError(Exception):
    """The schema has a type that the contract does not use."""


def make_decoder(
    definition: Json, converters: Mapping[str, Callable[[Any], object]], makers: Mapping[str, Callable[..., object]]
) -> Any:
    """A decoder. converters: functions from numbers by logical type; makers: from fields' values by record name."""
    source = _Source()
    result = _Decoding(source, converters, makers).value(definition, 1)
    return source.function("b, p", f"{result}, p", _DECODING)


def make_encoder(definition: Json, *, of_struct: bool) -> Any:
    """An encoder of dictionaries with raw values; of_struct: of objects whose attributes are the record's fields."""
    source = _Source()
    source.add(1, "made = [before]; w = made.append")
    _Encoding(source).record(definition, "v", 1, of_struct=of_struct)
    return source.function("v, before", "b''.join(made)", _ENCODING)


class _Source:
    """A function that is being written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._variables = 0
        self._named: dict[str, Json] = {}
        self._inside: list[str] = []

    def enter(self, record: Json) -> None:
        """The lines of a record begin. Raises UnsupportedSchemaError when it contains itself."""
        if record["name"] in self._inside:
            raise UnsupportedSchemaError(f"{record['name']} contains itself")
        self._inside.append(record["name"])

    def leave(self) -> None:
        """The lines of the innermost record end."""
        self._inside.pop()

    def resolved(self, kind: Json) -> Json:
        """The definition that a name stands for; a type is defined where it is first used."""
        if isinstance(kind, str):
            return self._named.get(kind, kind)
        if isinstance(kind, dict) and "name" in kind:
            self._named[f"{kind['namespace']}.{kind['name']}"] = kind
        return kind

    def add(self, depth: int, *lines: str) -> None:
        """Lines at a depth of indentation."""
        self._lines += [" " * depth + line for line in lines]

    def variable(self) -> str:
        """A name that nothing else has."""
        self._variables += 1
        return f"x{self._variables}"

    def constant(self, value: object) -> str:
        """A name for a value that the function needs."""
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def function(self, parameters: str, result: str, names: Mapping[str, object]) -> object:
        """The function; constants and helpers are parameters with defaults, which Python finds fastest."""
        known = {**names, **self._constants}
        bound = "".join(f", {name}={name}" for name in known)
        text = "\n".join([f"def made({parameters}{bound}):", *self._lines, f" return {result}"])
        space = dict(known)
        exec(text, space)  # noqa: S102 - a foreign schema is only read with, and its names get in as literals
        return space["made"]


class _Decoding:
    """Writes the lines that read a value from bytes ``b`` at position ``p``."""

    def __init__(
        self,
        source: _Source,
        converters: Mapping[str, Callable[[Any], object]],
        makers: Mapping[str, Callable[..., object]],
    ) -> None:
        self._source = source
        self._converters = converters
        self._makers = makers

    def value(self, kind: Json, depth: int) -> str:
        """Lines for a value of a type. Returns the expression that stands for it afterwards."""
        kind = self._source.resolved(kind)
        match kind:
            case {"type": "record", "fields": fields}:
                self._source.enter(kind)
                named = [(field["name"], self.value(field["type"], depth)) for field in fields]
                self._source.leave()
                return self._made(kind["name"], named)
            case {"type": "array", "items": items}:
                return self._items(depth, "[]", lambda deeper, into: self._append(items, deeper, into))
            case {"type": "map", "values": values}:
                return self._items(depth, "{}", lambda deeper, into: self._put(values, deeper, into))
            case {"type": "enum", "symbols": symbols}:
                self._length(depth)
                return self._kept(depth, f"{self._source.constant(tuple(symbols))}[n >> 1]")
            case ["null", other]:
                return self._optional(other, depth)
            case {"type": inner}:
                return self._logical(self.value(inner, depth), kind.get("logicalType"), depth)
        return self._primitive(kind, depth)

    def _made(self, name: str, fields: list[tuple[str, str]]) -> str:
        if name in self._makers:
            return f"{self._source.constant(self._makers[name])}({', '.join(value for _, value in fields)})"
        return "{" + ", ".join(f"{name!r}: {value}" for name, value in fields) + "}"

    def _primitive(self, kind: Json, depth: int) -> str:
        match kind:
            case "string" | "bytes":
                self._length(depth)
                self._source.add(depth, "e = p + (n >> 1)")
                value = self._kept(depth, "b[p:e].decode()" if kind == "string" else "b[p:e]")
                self._source.add(depth, "p = e")
                return value
            case "int" | "long":
                self._source.add(depth, "n = b[p]; p += 1", "if n & 128: n, p = long_number(b, n, p)")
                return self._kept(depth, "(n >> 1) ^ -(n & 1)")
            case "boolean":
                self._source.add(depth, "n = b[p]; p += 1", "if n > 1: refuse('no truth value')")
                return self._kept(depth, "n == 1")
        raise UnsupportedSchemaError(str(kind))

    def _length(self, depth: int) -> None:
        self._source.add(depth, "n = b[p]; p += 1", "if n & 129: n, p = length(b, n, p)")

    def _kept(self, depth: int, expression: str) -> str:
        name = self._source.variable()
        self._source.add(depth, f"{name} = {expression}")
        return name

    def _logical(self, value: str, logical: str | None, depth: int) -> str:
        if not self._converters or logical is None:
            return value
        if logical not in self._converters:
            raise UnsupportedSchemaError(logical)
        return self._kept(depth, f"{self._source.constant(self._converters[logical])}({value})")

    def _optional(self, kind: Json, depth: int) -> str:
        name = self._source.variable()
        self._source.add(depth, "n = b[p]; p += 1", f"if n == 0: {name} = None", "elif n == 2:")
        self._source.add(depth + 1, f"{name} = {self.value(kind, depth + 1)}")
        self._source.add(depth, "else: refuse('no branch of the union')")
        return name

    def _items(self, depth: int, empty: str, one: Callable[[int, str], None]) -> str:
        name, left = self._source.variable(), self._source.variable()
        self._source.add(depth, f"{name} = {empty}", f"{left}, p = block(b, p)", f"while {left}:")
        self._source.add(depth + 1, f"for {left} in range({left}):")
        one(depth + 2, name)
        self._source.add(depth + 1, f"{left}, p = block(b, p)")
        return name

    def _append(self, kind: Json, depth: int, into: str) -> None:
        self._source.add(depth, f"{into}.append({self.value(kind, depth)})")

    def _put(self, kind: Json, depth: int, into: str) -> None:
        key = self.value("string", depth)
        self._source.add(depth, f"{into}[{key}] = {self.value(kind, depth)}")


class _Encoding:
    """Writes the lines that hand the bytes of a value to ``w``."""

    def __init__(self, source: _Source) -> None:
        self._source = source

    def record(self, kind: Json, place: str, depth: int, *, of_struct: bool = False) -> None:
        """Lines for a record that is found at ``place``; a field that is missing has its default."""
        self._source.enter(kind)
        for field in kind["fields"]:
            name, value = field["name"], self._source.variable()
            if of_struct:
                found = f"{place}.{name}"
            elif "default" in field:
                found = f"{place}.get({name!r}, {self._source.constant(field['default'])})"
            else:
                found = f"{place}[{name!r}]"
            self._source.add(depth, f"{value} = {found}")
            self._value(field["type"], value, depth, is_word=field.get("lowCardinality", False))
        self._source.leave()

    def _value(self, kind: Json, value: str, depth: int, *, is_word: bool = False) -> None:
        add = self._source.add
        kind = self._source.resolved(kind)
        match kind:
            case {"type": "record"}:
                self.record(kind, value, depth)
            case {"type": "array", "items": items}:
                self._items(depth, value, lambda deeper, one: self._value(items, one, deeper))
            case {"type": "map", "values": values}:
                self._items(depth, value, lambda deeper, one: self._pair(values, (value, one), deeper))
            case {"type": "enum", "symbols": symbols}:
                words = {symbol: _number(place) for place, symbol in enumerate(symbols)}
                add(depth, f"w({self._source.constant(words)}[{value}])")
            case ["null", other]:
                add(depth, f"if {value} is None: w(b'\\0')", "else:")
                add(depth + 1, "w(b'\\2')")
                self._value(other, value, depth + 1, is_word=is_word)
            case {"type": inner}:
                self._value(inner, value, depth)
            case "string" if is_word:
                add(depth, f"w(word({value}))")
            case _:
                self._primitive(kind, value, depth)

    def _primitive(self, kind: Json, value: str, depth: int) -> None:
        add = self._source.add
        match kind:
            case "string":
                add(depth, f"u = {value}.encode()", f"n = len(u); w(lengths[n] if n < {_SHORT} else prefix(n)); w(u)")
            case "bytes":
                add(depth, f"w(prefix(len({value}))); w({value})")
            case "int" | "long":
                add(depth, f"w(number({value}))")
            case "boolean":
                add(depth, f"w(b'\\1' if {value} else b'\\0')")
            case _:
                raise UnsupportedSchemaError(str(kind))

    def _items(self, depth: int, value: str, one: Callable[[int, str], None]) -> None:
        item = self._source.variable()
        self._source.add(depth, f"if {value}:")
        self._source.add(depth + 1, f"w(number(len({value})))", f"for {item} in {value}:")
        one(depth + 2, item)
        self._source.add(depth, "w(b'\\0')")

    def _pair(self, kind: Json, place: tuple[str, str], depth: int) -> None:
        self._value("string", place[1], depth)
        inner = self._source.variable()
        self._source.add(depth, f"{inner} = {place[0]}[{place[1]}]")
        self._value(kind, inner, depth)


# -- numbers, as Avro writes them --------------------------------------------------------------------------------------


def _long_number(data: bytes, first: int, position: int) -> tuple[int, int]:
    """A number of several bytes, still in zigzag form. Raises IndexError, and ValueError beyond 64 bits."""
    value, shift, byte = first & 127, 7, 128
    while byte & 128:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise ValueError("a number of more than 64 bits")
    return value, position


def _length(data: bytes, first: int, position: int) -> tuple[int, int]:
    """A length of several bytes, still in zigzag form. Raises ValueError for a negative one."""
    value = first
    if first & 128:
        value, position = _long_number(data, first, position)
    if value & 1:
        raise ValueError("a negative length")
    return value, position


def _block(data: bytes, position: int) -> tuple[int, int]:
    """How many items the next block of an array or map has; 0 ends it."""
    value, position = _long_number(data, data[position], position + 1) if data[position] & 128 else (
        data[position], position + 1
    )  # fmt: skip
    if not value & 1:
        return value >> 1, position
    _, position = _length(data, data[position], position + 1)  # a negative count is followed by the block's size
    return (value + 1) >> 1, position


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(maxsize=65_536)
def _number(value: int) -> bytes:
    """Bytes of a whole number; days and times come again and again."""
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError("a number of more than 64 bits")
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


_LENGTHS = tuple(_varint(length << 1) for length in range(_SHORT))


def _prefix(length: int) -> bytes:
    return _LENGTHS[length] if length < _SHORT else _varint(length << 1)


@lru_cache(maxsize=16_384)
def _word(text: str) -> bytes:
    """Bytes of a text of which there are few."""
    data = text.encode()
    return _prefix(len(data)) + data


def _refuse(problem: str) -> None:
    raise ValueError(problem)


_DECODING: Mapping[str, object] = {
    "long_number": _long_number,
    "length": _length,
    "block": _block,
    "refuse": _refuse,
}
_ENCODING: Mapping[str, object] = {"number": _number, "lengths": _LENGTHS, "prefix": _prefix, "word": _word}
