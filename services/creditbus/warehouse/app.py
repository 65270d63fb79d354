"""Wiring of the warehouse, and its loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from creditbus.bus.lag import Lag
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.bus.topics import load_topics
from creditbus.bus.wire import Types
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.ddl import Variant, create_database_sql, create_table_sql
from creditbus.clickhouse.parts import merge_crowded_tables
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import RowSink
from creditbus.warehouse.log import TopicLog
from creditbus.warehouse.settings import WarehouseSettings
from creditbus.warehouse.steps import Framed, inserts_of, next_offsets
from creditbus.warehouse.tables import table_specs, tables_of

log = structlog.get_logger()


@dataclass(slots=True)
class Ports:
    """What the loop works with."""

    topics: TopicLog
    rows: RowSink
    table_of: Callable[[str, int], str | None]
    metrics: Metrics
    tidy: Callable[[], None]
    most_messages: int = 20_000
    seconds: float = 0.2
    tidy_seconds: float = 30.0
    known: dict[tuple[str, int], str | None] = field(default_factory=dict)


def main() -> int:
    """Run the warehouse until told to stop."""
    settings = WarehouseSettings()
    service = Service("warehouse", settings.http_port)
    schemas = SchemaSet.load()
    tables = tables_of(load_topics())
    specs = table_specs(schemas)

    def life(stopping: Stopping) -> None:
        registry = Registry(settings.registry_url)
        clickhouse = ClickHouse(settings.clickhouse_url)
        topics = TopicLog(settings.brokers, list(tables), Lag(service.metrics))
        try:
            create_tables(clickhouse, schemas, settings.clickhouse_cluster)
            ports = Ports(
                topics=topics,
                rows=ClickHouseRows(clickhouse, specs),
                table_of=_table_finder(Types(registry), tables),
                metrics=service.metrics,
                tidy=lambda: merge_crowded_tables(clickhouse, list(specs), settings.warehouse_most_parts),
                most_messages=settings.warehouse_batch_messages,
                seconds=settings.warehouse_batch_seconds,
                tidy_seconds=settings.warehouse_tidy_seconds,
            )
            _start(ports, tables)
            service.health.up()
            run(ports, stopping=stopping)
        finally:
            topics.close()
            clickhouse.close()
            registry.close()

    return service.main(life)


def run(ports: Ports, *, stopping: Callable[[], bool]) -> None:
    """Write every message into ClickHouse, exactly once as seen by readers.

    1. poll    one batch, in the order of each partition
    2. decide  message → insert, by type and partition (pure, steps.py)
    3. flush   the rows with their positions, one insert for each table and partition: this is the commit
    4. commit  the offsets, to show the lag and to start a partition that has no row yet
    5. tidy    merge crowded tables, when there is nothing else to do

    An error leaves all later steps undone and ends this life; the next one goes on from the rows.
    """
    tidied = time.monotonic()
    while not stopping():
        batch = ports.topics.poll(ports.most_messages, ports.seconds)
        if batch:
            _write(ports, batch)
            ports.topics.commit(next_offsets(batch))
        elif time.monotonic() - tidied > ports.tidy_seconds:
            ports.tidy()
            tidied = time.monotonic()


def create_tables(clickhouse: ClickHouse, schemas: SchemaSet, cluster: str | None = None) -> None:
    """Make database and tables where they are missing."""
    variant = Variant(cluster=cluster)
    clickhouse.command(create_database_sql(variant))
    for spec in table_specs(schemas).values():
        clickhouse.command(create_table_sql(spec, variant))


def _write(ports: Ports, batch: Sequence[Framed]) -> None:
    for message in batch:
        key = (message.topic, message.schema_id)
        if key not in ports.known:
            ports.known[key] = ports.table_of(*key)
    for insert in inserts_of(batch, ports.known):
        began = time.perf_counter()
        ports.rows.flush(insert.table, ports.topics.sources[insert.topic], insert.rows)
        ports.metrics.observe("creditbus_insert_seconds", time.perf_counter() - began, table=insert.table)
        ports.metrics.count("creditbus_rows_written_total", len(insert.rows), table=insert.table)


def _start(ports: Ports, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Take the resume points from the rows."""
    newest: dict[tuple[str, int], int] = {}
    for topic, by_record in tables.items():
        for table in by_record.values():
            for partition, offset in ports.rows.positions(table, ports.topics.sources[topic]).items():
                newest[topic, partition] = offset
    ports.topics.start(lambda topic, partition: newest.get((topic, partition)))
    log.info("reading from where the tables end", partitions_with_rows=len(newest))


def _table_finder(types: Types, tables: Mapping[str, Mapping[str, str]]) -> Callable[[str, int], str | None]:
    def table_of(topic: str, schema_id: int) -> str | None:
        return tables[topic].get(types.of(schema_id).name)

    return table_of
