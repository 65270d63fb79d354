"""From a JSON event to the values that Avro wants, or every fault of form.

Each schema is compiled once into nested functions, since this is the hot path: about 15 µs an event.
Dates become days and times milliseconds since 1970, as the encoder for numbers expects them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from creditbus.core import formfaults as faults
from creditbus.core.outcome import Fault

Read = Callable[[object, str, list[Fault]], object]
"""(JSON value, path of the field, faults to add to) → value for Avro; any value when a fault was added."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_CACHED = 4_096


def compile_reader(definition: Mapping[str, Any]) -> Read:
    """The reader of a self-contained Avro record definition. Raises ValueError for a type that events do not use."""
    return _compile(definition, {})


def _compile(definition: Any, named: dict[str, Read]) -> Read:  # noqa: C901 - one case a type
    match definition:
        case str() if definition in _PRIMITIVES:
            return _PRIMITIVES[definition]
        case str() if definition in named:
            return named[definition]
        case ["null", inner]:
            return _optional(_compile(inner, named))
        case {"logicalType": "date"}:
            return _read_day
        case {"logicalType": "timestamp-millis"}:
            return _read_instant
        case {"type": "array", "items": inner}:
            return _array(_compile(inner, named))
        case {"type": "enum", "symbols": symbols}:
            return _remembered(definition, _enum(symbols), named)
        case {"type": "record", "fields": fields}:
            return _remembered(definition, _record(fields, named), named)
        case {"type": str(name)} if name in _PRIMITIVES:
            return _PRIMITIVES[name]
    raise ValueError(f"events cannot carry the Avro type {definition!r}; teach core/forms.py to read it")


def _remembered(definition: Mapping[str, Any], read: Read, named: dict[str, Read]) -> Read:
    named[f"{definition['namespace']}.{definition['name']}"] = read
    return read


def _record(fields: Sequence[Mapping[str, Any]], named: dict[str, Read]) -> Read:
    readers = [(field["name"], _compile(field["type"], named)) for field in fields]
    defaults = {field["name"]: field["default"] for field in fields if "default" in field}
    names = frozenset(name for name, _ in readers)

    def read(value: object, path: str, found: list[Fault]) -> object:
        if not isinstance(value, dict):
            found.append(faults.wrong_type(path, wanted_zh="对象", wanted_en="an object", given=value))
            return value
        prefix = f"{path}." if path else ""
        result = {}
        for name, read_field in readers:
            if name in value:
                result[name] = read_field(value[name], prefix + name, found)
            elif name in defaults:
                result[name] = defaults[name]
            else:
                found.append(faults.missing_field(prefix + name))
        if not value.keys() <= names:
            found.extend(faults.unknown_field(prefix + name, names) for name in sorted(value.keys() - names))
        return result

    return read


def _array(read_one: Read) -> Read:
    def read(value: object, path: str, found: list[Fault]) -> object:
        if not isinstance(value, list):
            found.append(faults.wrong_type(path, wanted_zh="数组", wanted_en="an array", given=value))
            return value
        return [read_one(one, f"{path}[{number}]", found) for number, one in enumerate(value)]

    return read


def _optional(read_one: Read) -> Read:
    def read(value: object, path: str, found: list[Fault]) -> object:
        return None if value is None else read_one(value, path, found)

    return read


def _enum(symbols: Sequence[str]) -> Read:
    allowed = frozenset(symbols)

    def read(value: object, path: str, found: list[Fault]) -> object:
        if not isinstance(value, str):
            found.append(faults.wrong_type(path, wanted_zh="文本", wanted_en="a text", given=value))
        elif value not in allowed:
            found.append(faults.unknown_code(path, symbols))
        return value

    return read


def _read_text(value: object, path: str, found: list[Fault]) -> object:
    if not isinstance(value, str):
        found.append(faults.wrong_type(path, wanted_zh="文本", wanted_en="a text", given=value))
    return value


def _read_flag(value: object, path: str, found: list[Fault]) -> object:
    if not isinstance(value, bool):
        found.append(faults.wrong_type(path, wanted_zh=" true 或 false", wanted_en="true or false", given=value))
    return value


def _integer(bits: int) -> Read:
    limit = 2 ** (bits - 1)

    def read(value: object, path: str, found: list[Fault]) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            found.append(faults.wrong_type(path, wanted_zh="整数", wanted_en="a whole number", given=value))
        elif not -limit <= value < limit:
            found.append(faults.number_too_large(path, bits))
        return value

    return read


def _read_day(value: object, path: str, found: list[Fault]) -> object:
    if not isinstance(value, str) or len(value) != 10 or _DAY.fullmatch(value) is None:
        wanted = {"wanted_zh": " YYYY-MM-DD 形式的日期", "wanted_en": "a date as YYYY-MM-DD"}
        found.append(faults.wrong_type(path, given=value, **wanted))
        return value
    day = _day_number(value)
    if day is None:
        found.append(faults.impossible_date(path))
    return day


def _read_instant(value: object, path: str, found: list[Fault]) -> object:
    if not isinstance(value, str) or len(value) > 40 or _INSTANT.fullmatch(value) is None:
        wanted = {
            "wanted_zh": "带时区的时间（RFC 3339，如 2026-11-23T09:30:00+08:00）",
            "wanted_en": "a time with zone (RFC 3339, such as 2026-11-23T09:30:00+08:00)",
        }
        found.append(faults.wrong_type(path, given=value, **wanted))
        return value
    instant = _milliseconds(value)
    if instant is None:
        found.append(faults.impossible_date(path))
    return instant


@lru_cache(maxsize=_CACHED)
def _day_number(text: str) -> int | None:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


@lru_cache(maxsize=_CACHED)
def _milliseconds(text: str) -> int | None:
    try:
        # microseconds are the finest that the standard library knows
        return int(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


_PRIMITIVES: Mapping[str, Read] = {
    "string": _read_text,
    "boolean": _read_flag,
    "int": _integer(32),
    "long": _integer(64),
}
