"""Tables from Avro record types: the same statements for embedded engine, server and cluster.

Each column that a query reads costs it about 0.1 ms of planning and reading, so that thirty of them are most of a
look-up's time. A table whose rows are looked up by subject therefore has one column more, ``shown``: the row's columns
as one JSON object, made by ClickHouse from the others when the row is written. Nobody inserts it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from creditbus.clickhouse.client import DATABASE

_SCALARS = {
    "string": "String",
    "bytes": "String",
    "int": "Int32",
    "long": "Int64",
    "boolean": "Bool",
    "float": "Float32",
    "double": "Float64",
}
_LOGICAL = {"date": "Date32", "timestamp-millis": "DateTime64(3, 'UTC')"}
SHOWN = "shown"
_NOT_SHOWN = frozenset({"body", "body_schema", "sealed"})
"""What readers are given decoded, or not at all."""
_SETTINGS = {
    "index_granularity": "256",
    "deduplicate_merge_projection_mode": "'rebuild'",
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
    # after a power cut rows come back from Kafka, so broken parts must not keep the table closed
    "max_suspicious_broken_parts": "1000000",
    # compact parts keep point look-ups fast while there are many of them
    "min_bytes_for_wide_part": "1073741824",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A table that takes exactly one Avro record type."""

    name: str
    schema: Mapping[str, Any]
    order_by: tuple[str, ...]
    version: str | None = None
    """Column by which the newest of rows with the same key is kept; None keeps the last one written."""
    is_looked_up: bool = False
    """Whether there is a column ``shown``."""

    @property
    def key(self) -> str:
        """How rows are sorted, and known again."""
        return ", ".join(self.order_by)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, position first."""
        return ("src", "kpart", "koff", *(field["name"] for field in self.schema["fields"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Where the table is made."""

    cluster: str | None = None
    """Name of the ClickHouse cluster; None for a single server or the embedded engine."""

    @property
    def on_cluster(self) -> str:
        """The clause for statements."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def engine(self, version: str | None) -> str:
        """The engine clause."""
        argument = version or ""
        if not self.cluster:
            return f"ReplacingMergeTree({argument})"
        path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
        return f"ReplicatedReplacingMergeTree({path}{', ' + argument if argument else ''})"


def delete_sql(table: str, where: str, variant: Variant) -> str:
    """The statement that deletes rows; it returns when they are gone from the disk, on every server of a cluster."""
    return (
        f"ALTER TABLE {DATABASE}.{table}{variant.on_cluster} DELETE WHERE {where} "
        "SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1"
    )


def drop_table_sql(table: str, variant: Variant) -> str:
    """The statement that drops a table; it returns when the name is free again."""
    return f"DROP TABLE IF EXISTS {DATABASE}.{table}{variant.on_cluster} SYNC"


def create_database_sql(variant: Variant) -> str:
    """The statement that makes the database."""
    return f"CREATE DATABASE IF NOT EXISTS {DATABASE}{variant.on_cluster}"


def create_table_sql(spec: TableSpec, variant: Variant) -> str:
    """The statement that makes a table. Raises ValueError for a field that has no column type."""
    columns = ["src LowCardinality(String)", "kpart UInt16", "koff UInt64"]
    columns += [f"{field['name']} {column_type(field)}" for field in spec.schema["fields"]]
    if spec.is_looked_up:
        columns.append(f"{_shown_column(spec)} COMMENT '{shown_version(spec)}'")
    columns.append("PROJECTION hwm (SELECT src, kpart, max(koff), count() GROUP BY src, kpart)")
    settings = ", ".join(f"{name} = {value}" for name, value in _SETTINGS.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {DATABASE}.{spec.name}{variant.on_cluster} (\n  "
        + ",\n  ".join(columns)
        + f"\n) ENGINE = {variant.engine(spec.version)}\nORDER BY ({spec.key})\nSETTINGS {settings}"
    )


def add_columns_sql(spec: TableSpec, variant: Variant) -> str:
    """The statement that adds what the record type has got since the table was made; nothing when it has all."""
    added = [f"ADD COLUMN IF NOT EXISTS {field['name']} {column_type(field)}" for field in spec.schema["fields"]]
    return f"ALTER TABLE {DATABASE}.{spec.name}{variant.on_cluster} {', '.join(added)}"


def rewrite_shown_sql(spec: TableSpec, variant: Variant) -> tuple[str, ...]:
    """The statements that add ``shown`` to a table, or make it anew for all rows after the record type has grown.

    The version is written last: after a crash in between they are run again.
    """
    alter = f"ALTER TABLE {DATABASE}.{spec.name}{variant.on_cluster}"
    return (
        f"{alter} ADD COLUMN IF NOT EXISTS {_shown_column(spec)}",
        f"{alter} MODIFY COLUMN {_shown_column(spec)}",
        f"{alter} MATERIALIZE COLUMN {SHOWN}",
        f"{alter} COMMENT COLUMN {SHOWN} '{shown_version(spec)}'",
    )


def shown_version(spec: TableSpec) -> str:
    """Stands in the comment of ``shown`` when all rows have it as it is made now."""
    return hashlib.sha256(_shown_column(spec).encode()).hexdigest()[:16]


def _shown_column(spec: TableSpec) -> str:
    fields = [field for field in spec.schema["fields"] if field["name"] not in _NOT_SHOWN]
    pairs = [f"""'{"," if number else "{"}"{field["name"]}":', {_json(field)}""" for number, field in enumerate(fields)]
    return f"{SHOWN} String MATERIALIZED concat({', '.join(pairs)}, '}}') CODEC(ZSTD(1))"


def _json(field: Mapping[str, Any]) -> str:
    """Expression for a column as JSON text that depends on no setting: times in UTC, numbers without quotes."""
    name, kind = field["name"], column_type(field)
    plain = kind.removeprefix("Nullable(")
    if plain.startswith("DateTime64"):
        text = f"""concat('"', replaceOne(toString({name}), ' ', 'T'), 'Z"')"""
    elif plain.startswith("Date32"):
        text = f"""concat('"', toString({name}), '"')"""
    elif plain.startswith(("Int", "Bool")):
        text = f"toString({name})"
    else:
        text = f"toJSONString({name})"
    return f"ifNull({text}, 'null')" if plain != kind else text


def column_type(field: Mapping[str, Any]) -> str:
    """ClickHouse type of an Avro field."""
    kind = field["type"]
    if isinstance(kind, list):
        inner = [one for one in kind if one != "null"]
        if len(inner) != 1:
            raise ValueError(f"{field['name']}: a union of several types has no column; use one type or null and one")
        return f"Nullable({_plain(inner[0], field)})"
    plain = _plain(kind, field)
    return f"LowCardinality({plain})" if field.get("lowCardinality") and plain == "String" else plain


def _plain(kind: Any, field: Mapping[str, Any]) -> str:
    if isinstance(kind, dict):
        if kind.get("logicalType") in _LOGICAL:
            return _LOGICAL[kind["logicalType"]]
        if kind["type"] == "array":
            return f"Array({_plain(kind['items'], field)})"
        if kind["type"] == "enum":
            return "String"
        kind = kind["type"]
    if kind not in _SCALARS:
        raise ValueError(f"{field['name']}: {kind} has no column type; put it into the body")
    return _SCALARS[kind]
