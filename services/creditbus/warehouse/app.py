"""Wiring of the warehouse, and its loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from creditbus.bus.avro import NotAvroError
from creditbus.bus.deadletters import DeadLetters
from creditbus.bus.lag import Lag
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import registry_of
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.bus.topics import load_topics
from creditbus.bus.wire import Types
from creditbus.clickhouse.client import DATABASE, ClickHouse, QueryError
from creditbus.clickhouse.ddl import (
    SHOWN,
    TableSpec,
    Variant,
    add_columns_sql,
    create_database_sql,
    create_table_sql,
    drop_table_sql,
    rewrite_shown_sql,
    shown_version,
)
from creditbus.clickhouse.deletion import delete_kept_no_longer
from creditbus.clickhouse.forgetting import delete_forgotten, forgotten_subjects
from creditbus.clickhouse.parts import Tidiness, merge_crowded_tables
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.deadletter import DeadLetter
from creditbus.core.ports import DeadLetterSink, PositionedRow, RowSink
from creditbus.core.topics import ACCESS, FORGOTTEN
from creditbus.warehouse.log import TopicLog
from creditbus.warehouse.routes import as_now, is_readable, route_finder
from creditbus.warehouse.settings import WarehouseSettings
from creditbus.warehouse.steps import (
    REASONS,
    Framed,
    Insert,
    Route,
    inserts_of,
    next_offsets,
    refused,
    without_damaged,
    without_forgotten,
)
from creditbus.warehouse.tables import table_specs, tables_of

log = structlog.get_logger()

_SELDOM = (ACCESS,)
"""What nobody waits for, and what comes as often as somebody looks something up."""


@dataclass(slots=True)
class Ports:
    """What the loop works with."""

    topics: TopicLog
    rows: RowSink
    letters: DeadLetterSink
    route_of: Callable[[str, int], Route]
    is_readable: Callable[[int, bytes], bool]
    as_now: Callable[[int, Sequence[PositionedRow]], Sequence[PositionedRow]]
    """Rows of messages that an earlier release may have written, by the id of their schema."""
    metrics: Metrics
    tidy: Callable[[], object]
    delete: Callable[[], int] = lambda: 0
    """Deletes rows of what is kept no longer; how many records that were."""
    delete_forgotten: Callable[[], int] = lambda: 0
    """Deletes the rows of everybody in the table of persons that were forgotten; returns how many."""
    most_messages: int = 20_000
    seconds: float = 0.2
    tidy_seconds: float = 10.0
    routes: dict[tuple[str, int], Route] = field(default_factory=dict)
    forgotten: set[bytes] = field(default_factory=set)
    """Keys of persons whose rows are not written any more."""


def main() -> int:
    """Run the warehouse until told to stop."""
    settings = WarehouseSettings()
    service = Service("warehouse", settings.http_address)
    schemas = SchemaSet.load()
    tables = tables_of(load_topics())
    topic_types = {topic.name: topic.records for topic in load_topics()}
    specs = table_specs(schemas)

    def life(stopping: Stopping) -> None:
        registry = registry_of(settings)
        clickhouse = ClickHouse(settings.clickhouse_url)
        types = Types(registry)
        lag = Lag(service.metrics)
        topics = TopicLog(settings.brokers, list(tables), lag, _SELDOM, settings.warehouse_access_seconds)
        try:
            variant = Variant(cluster=settings.clickhouse_cluster)
            tidiness = Tidiness(settings.warehouse_most_parts, settings.warehouse_small_table_mib << 20)
            anew = tables_to_fill(clickhouse, specs)
            if anew:  # from the first message on, whatever the group has read into tables that are gone
                topics.begin_again([topic for topic, by_record in tables.items() if anew & set(by_record.values())])
            create_tables(clickhouse, schemas, settings.clickhouse_cluster)
            ports = Ports(
                topics=topics,
                rows=ClickHouseRows(clickhouse, specs),
                letters=DeadLetters(settings.brokers, registry, schemas),
                route_of=route_finder(types, tables, topic_types),
                is_readable=partial(is_readable, types),
                as_now=partial(as_now, types),
                metrics=service.metrics,
                tidy=lambda: merge_crowded_tables(clickhouse, list(specs), tidiness),
                delete=lambda: delete_kept_no_longer(clickhouse, variant),
                delete_forgotten=lambda: delete_forgotten(clickhouse, specs, variant),
                forgotten={key.encode() for key in forgotten_subjects(clickhouse)},
                most_messages=settings.warehouse_batch_messages,
                seconds=settings.warehouse_batch_seconds,
                tidy_seconds=settings.warehouse_tidy_seconds,
            )
            for reason in REASONS:  # from nought on, so that the first one shows as an increase
                service.metrics.count("creditbus_dead_letters_total", 0, reason=reason)
            ports.delete_forgotten()  # a kill may have come between telling of them and deleting
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
    2. decide  message → insert or dead letter, by type and partition (pure, steps.py)
    3. letters what is no row is told of as a dead letter, acknowledged before the reader moves past it
    4. flush   the rows with their positions, one insert for each table: this is the commit
    5. forget  rows of persons that were forgotten are deleted, and never written again
    6. commit  the offsets, to show the lag and to start a partition that has no row yet
    7. tidy    merge tables with many parts, when there is nothing else to do
    8. delete  the rows of facts that the dossier keeps no longer (保存期限)

    An error leaves all later steps undone and ends this life; the next one goes on from the rows.
    """
    tidied = deleted = time.monotonic()
    while not stopping():
        batch = ports.topics.poll(ports.most_messages, ports.seconds)
        if batch:
            write(ports, batch)
        ports.topics.commit(next_offsets(batch))
        if not batch and time.monotonic() - tidied > ports.tidy_seconds:
            ports.tidy()
            tidied = time.monotonic()
        if time.monotonic() - deleted > ports.tidy_seconds:
            gone = ports.delete()
            if gone:
                log.info("deleted what is kept no longer", records=gone)
            deleted = time.monotonic()


def tables_to_fill(clickhouse: ClickHouse, specs: Mapping[str, TableSpec]) -> set[str]:
    """Tables that are not there, or that an earlier release made with another key: they are (re)made, and filled."""
    keys = _keys_of_tables(clickhouse)
    return {name for name, spec in specs.items() if keys.get(name) != spec.key}


def create_tables(clickhouse: ClickHouse, schemas: SchemaSet, cluster: str | None = None) -> None:
    """Make database and tables where they are missing, and the columns that a record type got since then.

    A table with another key is dropped: all of its rows are on the log.
    """
    variant = Variant(cluster=cluster)
    clickhouse.command(create_database_sql(variant))
    keys = _keys_of_tables(clickhouse)
    for spec in table_specs(schemas).values():
        if keys.get(spec.name, spec.key) != spec.key:
            log.warning("a table has another key", table=spec.name, remedy="made anew, and filled from the log")
            clickhouse.command(drop_table_sql(spec.name, variant))
        clickhouse.command(create_table_sql(spec, variant))
        clickhouse.command(add_columns_sql(spec, variant))
        if spec.is_looked_up and _version_of_shown(clickhouse, spec.name) != shown_version(spec):
            for statement in rewrite_shown_sql(spec, variant):
                clickhouse.command(statement)


def _keys_of_tables(clickhouse: ClickHouse) -> dict[str, str]:
    """The key of every table that is there."""
    rows = clickhouse.query(f"SELECT name, sorting_key FROM system.tables WHERE database = '{DATABASE}'")  # noqa: S608
    return {str(row["name"]): str(row["sorting_key"]).strip("()") for row in rows}  # some write (subject_key) for one


def _version_of_shown(clickhouse: ClickHouse, table: str) -> str:
    sql = (
        f"SELECT comment FROM system.columns WHERE database = '{DATABASE}' AND name = '{SHOWN}' "  # noqa: S608
        "AND table = {table:String}"
    )
    rows = clickhouse.query(sql, {"table": table})
    return str(rows[0]["comment"]) if rows else ""


def write(ports: Ports, batch: Sequence[Framed]) -> None:
    """Steps 2 to 5 of ``run`` for one batch."""
    news = {message.key for message in batch if message.topic == FORGOTTEN and message.key} - ports.forgotten
    ports.forgotten |= news
    batch = without_forgotten(batch, ports.forgotten, FORGOTTEN)
    for message in batch:
        key = (message.topic, message.schema_id)
        if key not in ports.routes:
            ports.routes[key] = ports.route_of(*key)
    _tell(ports, refused(batch, ports.routes, _now_ms()))
    for insert in inserts_of(batch, ports.routes, ports.topics.sources):
        began = time.perf_counter()
        written = _flush(ports, insert)
        ports.metrics.observe("creditbus_insert_seconds", time.perf_counter() - began, table=insert.table)
        ports.metrics.count("creditbus_rows_written_total", written, table=insert.table)
    if news:
        log.info("persons forgotten", persons=len(news), rows=ports.delete_forgotten())


def _flush(ports: Ports, insert: Insert) -> int:
    """Number of rows written. A refusal of rows that can all be read is the server's matter: it is raised."""
    try:
        ports.rows.flush(insert.table, ports.as_now(insert.schema_id, insert.rows))
    except (QueryError, NotAvroError):
        topics = {source: topic for topic, source in ports.topics.sources.items()}
        sound, letters = without_damaged(insert, ports.is_readable, topics, _now_ms())
        if not letters:
            raise
        _tell(ports, letters)
        if sound.rows:
            ports.rows.flush(sound.table, ports.as_now(sound.schema_id, sound.rows))
        return len(sound.rows)
    return len(insert.rows)


def _tell(ports: Ports, letters: Sequence[DeadLetter]) -> None:
    if not letters:
        return
    ports.letters.send(letters)
    for letter in letters:
        ports.metrics.count("creditbus_dead_letters_total", reason=letter.reason)
    first = letters[0]
    log.warning(
        "messages passed over: `creditbus deadletters list`",
        count=len(letters),
        topic=first.topic,
        partition=first.partition,
        offset=first.offset,
        reason=first.reason,
    )


def _now_ms() -> int:
    return int(time.time() * 1000)


def _start(ports: Ports, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Take the resume points from the rows."""
    newest: dict[tuple[str, int], int] = {}
    for topic, by_record in tables.items():
        table = next(iter(by_record.values()))  # of its main type; whatever else it carries is written in log order
        for partition, offset in ports.rows.positions(table, ports.topics.sources[topic]).items():
            newest[topic, partition] = offset
    ports.topics.start(lambda topic, partition: newest.get((topic, partition)))
    log.info("reading from where the tables end", partitions_with_rows=len(newest))
