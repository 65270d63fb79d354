"""Which table the messages of a schema go into, as the registry and the topics' contract say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from creditbus.bus.avro import NotAvroError, decode
from creditbus.bus.registry import UnknownSchemaError
from creditbus.bus.wire import Types, in_present_form
from creditbus.core.ports import PositionedRow
from creditbus.warehouse.steps import NOT_FRAMED, UNFRAMED, UNKNOWN_SCHEMA, WRONG_TYPE, Refusal, Route, Table


def route_finder(
    types: Types, tables: Mapping[str, Mapping[str, str]], topic_types: Mapping[str, Sequence[str]]
) -> Callable[[str, int], Route]:
    """A function from topic and schema id to the route.

    tables: table by type and topic; topic_types: every type that a topic may carry. The function raises
    RetryLaterError when the registry is away.
    """

    def route_of(topic: str, schema_id: int) -> Route:
        if schema_id == UNFRAMED:
            return Refusal(NOT_FRAMED)
        try:
            schema = types.of(schema_id)
        except UnknownSchemaError:
            return Refusal(UNKNOWN_SCHEMA)
        if schema.name not in topic_types[topic]:
            return Refusal(WRONG_TYPE)
        table = tables[topic].get(schema.name)
        return Table(table, schema.body_schema) if table is not None else None

    return route_of


def is_readable(types: Types, schema_id: int, payload: bytes) -> bool:
    """Whether a payload is a whole value of its schema."""
    try:
        decode(types.of(schema_id), payload, raw=True)
    except NotAvroError:
        return False
    return True


def as_now(types: Types, schema_id: int, rows: Sequence[PositionedRow]) -> Sequence[PositionedRow]:
    """Rows as the tables of this release take them, whatever release wrote the messages. Raises NotAvroError."""
    types.of(schema_id)
    if types.present_form(schema_id) is None:
        return rows
    return [replace(row, payload=in_present_form(types, schema_id, row.payload)) for row in rows]
