"""Which record type goes into which table: data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import Topic
from creditbus.clickhouse.ddl import TableSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A record type, its table, and how rows are identified there.

    No column of what is reported belongs to the key: a department that sends an event again with another date under
    the same id has not reported another fact.
    """

    record: str
    table: str
    order_by: tuple[str, ...]
    version: str | None = None
    is_looked_up: bool = False
    """Whether its rows are read by subject, many times a second."""


PLACEMENTS = (
    Placement(
        record="CreditRecord",
        table="records",
        order_by=("subject_key", "record_id", "op"),
        is_looked_up=True,
    ),
    Placement(record="Rejection", table="rejections", order_by=("rejection_id",)),
    Placement(record="Dossier", table="dossiers", order_by=("subject_key",), version="koff", is_looked_up=True),
    Placement(record="Change", table="changes", order_by=("subject_key", "change_id")),
    Placement(
        record="ListingChange",
        table="listings",
        order_by=("subject_key", "listing_id", "change_id"),
        is_looked_up=True,
    ),
    Placement(
        record="MeasureOrder",
        table="orders",
        order_by=("subject_key", "order_id", "message_id"),
        is_looked_up=True,
    ),
    Placement(record="Alert", table="alerts", order_by=("subject_key", "alert_id")),
    Placement(record="Forgotten", table="forgotten", order_by=("subject_key",)),
    Placement(record="AccessRecord", table="access", order_by=("subject_key", "access_id")),
)


def table_specs(schemas: SchemaSet) -> dict[str, TableSpec]:
    """Every table by name."""
    return {
        one.table: TableSpec(
            name=one.table,
            schema=schemas.records[one.record].definition,
            order_by=one.order_by,
            version=one.version,
            is_looked_up=one.is_looked_up,
        )
        for one in PLACEMENTS
    }


def tables_of(topics: Sequence[Topic]) -> Mapping[str, Mapping[str, str]]:
    """Table by record's full name, for each topic that the warehouse reads."""
    by_record = {f"creditbus.records.{one.record}": one.table for one in PLACEMENTS}
    found = {}
    for topic in topics:
        tables = {name: by_record[name] for name in topic.records if name in by_record}
        if tables and "warehouse" in topic.read_by:
            found[topic.name] = tables
    return found
