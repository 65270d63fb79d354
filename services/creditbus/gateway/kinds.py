"""The kinds of event as JSON Schema, made from the Avro contract: for GET /v1/kinds and the API page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def json_schema_of(kind: str, definition: Mapping[str, Any]) -> Json:
    """JSON Schema (2020-12) of an event of this kind, with the texts of both languages."""
    schema = _record(definition, {})
    schema["properties"] = {"kind": {"const": kind}, **schema["properties"]}
    schema["required"] = ["kind", *schema["required"]]
    return schema


def _type(definition: Any, named: dict[str, Json]) -> Json:  # noqa: C901 - one case a type
    match definition:
        case str() if definition in _PRIMITIVES:
            return dict(_PRIMITIVES[definition])
        case str():
            return named[definition]
        case ["null", inner]:
            return {"anyOf": [_type(inner, named), {"type": "null"}]}
        case {"logicalType": "date"}:
            return {"type": "string", "format": "date"}
        case {"logicalType": "timestamp-millis"}:
            return {"type": "string", "format": "date-time"}
        case {"type": "array", "items": inner}:
            return {"type": "array", "items": _type(inner, named)}
        case {"type": "enum"}:
            return _named(definition, {"type": "string", "enum": list(definition["symbols"])}, named)
        case {"type": "record"}:
            return _named(definition, _record(definition, named), named)
    return _type(definition["type"], named)


def _named(definition: Mapping[str, Any], schema: Json, named: dict[str, Json]) -> Json:
    named[f"{definition['namespace']}.{definition['name']}"] = schema
    return schema


def _record(definition: Mapping[str, Any], named: dict[str, Json]) -> Json:
    fields: Sequence[Mapping[str, Any]] = definition["fields"]
    return {
        "type": "object",
        "description": _both(definition),
        "properties": {field["name"]: _field(field, named) for field in fields},
        "required": [field["name"] for field in fields if "default" not in field],
        "additionalProperties": False,
    }


def _field(field: Mapping[str, Any], named: dict[str, Json]) -> Json:
    schema = {**_type(field["type"], named), "description": _both(field)}
    if "default" in field:
        schema["default"] = field["default"]
    return schema


def _both(described: Mapping[str, Any]) -> str:
    return f"{described.get('doc_zh', '')} {described.get('doc', '')}".strip()


_PRIMITIVES: Mapping[str, Json] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
}
