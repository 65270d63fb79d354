"""Strategies: values that fit an Avro type, with dates and times as numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_DAYS = st.integers(-700_000, 2_900_000)
_MILLISECONDS = st.integers(-(10**13), 2 * 10**14)
_PRIMITIVE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=80),
    "bytes": st.binary(max_size=80),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
}
_LOGICAL: dict[Any, st.SearchStrategy[Any]] = {"date": _DAYS, "timestamp-millis": _MILLISECONDS}


def values_of(definition: Any, named: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Values of a type; named: the types that were defined further up."""
    known = {} if named is None else named
    match definition:
        case list() as branches:
            return st.one_of([st.none() if one == "null" else values_of(one, known) for one in branches])
        case {"type": "record", "fields": fields, "namespace": namespace, "name": name}:
            known[f"{namespace}.{name}"] = definition
            return st.fixed_dictionaries({one["name"]: values_of(one["type"], known) for one in fields})
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(values_of(items, known), max_size=3)
        case {"type": "map", "values": values}:
            return st.dictionaries(st.text(max_size=8), values_of(values, known), max_size=3)
        case {"logicalType": logical}:
            return _LOGICAL[logical]
        case {"type": inner}:
            return values_of(inner, known)
    return _PRIMITIVE[definition] if definition in _PRIMITIVE else values_of(known[definition], known)
