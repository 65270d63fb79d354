"""What the dossier keeps no longer is deleted from the tables, and from nowhere else: real rows, a real engine."""

from __future__ import annotations

from typing import Any

import msgspec.structs
import pytest

from builders import DAY_MS, make_record
from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.ddl import Variant
from creditbus.clickhouse.deletion import delete_kept_no_longer
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.core.records import CreditRecord
from creditbus.warehouse.tables import table_specs

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
OLD = make_record(number="1")
CORRECTED = make_record(number="2", event_id=OLD.event_id, revision=2)
OTHER = make_record(number="3")


def change(number: int, record: CreditRecord, outcome: str) -> bytes:
    value = {
        "change_id": f"c{number}", "record_id": record.record_id, "sender": "", "event_id": "",
        "event_key": record.event_key if outcome == "DELETED" else None, "subject_key": record.subject_key,
        "kind": "", "outcome": outcome, "cause": "TIMER", "version": 1, "score_before": None, "score_after": None,
        "grade_before": None, "grade_after": None, "listed": False, "as_of": DAY_MS, "edition": "e", "receipt_hash": "",
    }  # fmt: skip
    return encode(SCHEMAS.records["Change"], value)


def write(sink: ClickHouseRows, table: str, payloads: list[bytes]) -> None:
    sink.flush(table, [PositionedRow(f"credit.{table}", 0, n, payload) for n, payload in enumerate(payloads)])


def the_records(sink: ClickHouseRows, *told: CreditRecord) -> None:
    write(sink, "records", [encode(SCHEMAS.records["CreditRecord"], msgspec.structs.asdict(one)) for one in told])


def left(clickhouse: ClickHouse, table: str, column: str) -> set[Any]:
    return {row[column] for row in clickhouse.query(f"SELECT {column} FROM creditbus.{table} FINAL")}  # noqa: S608


def test_every_revision_of_a_deleted_fact_goes_and_nothing_else(clickhouse: ClickHouse) -> None:
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    the_records(sink, OLD, CORRECTED, OTHER)
    told = [change(1, OLD, "RECORDED"), change(2, CORRECTED, "RECORDED"), change(3, OTHER, "RECORDED")]
    write(sink, "changes", [*told, change(4, CORRECTED, "DELETED")])
    assert delete_kept_no_longer(clickhouse, Variant()) == 2
    assert left(clickhouse, "records", "record_id") == {OTHER.record_id}
    assert left(clickhouse, "changes", "change_id") == {"c3", "c4"}
    assert delete_kept_no_longer(clickhouse, Variant()) == 0


def test_the_newest_row_of_a_log_stays_until_another_comes_so_that_no_resume_point_is_lost(
    clickhouse: ClickHouse,
) -> None:
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    the_records(sink, OTHER, OLD)
    write(sink, "changes", [change(1, OLD, "DELETED")])
    assert delete_kept_no_longer(clickhouse, Variant()) == 0
    assert sink.positions("records", "credit.records") == {0: 1}
    the_records(sink, OTHER, OLD, make_record(number="4"))
    assert delete_kept_no_longer(clickhouse, Variant()) == 1
    assert OLD.record_id not in left(clickhouse, "records", "record_id")
    the_records(sink, OTHER, OLD)
    assert delete_kept_no_longer(clickhouse, Variant()) == 1, "what a restart writes again is deleted again"


def test_nothing_is_deleted_that_only_ended(clickhouse: ClickHouse) -> None:
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    the_records(sink, OLD, OTHER)
    write(sink, "changes", [change(1, OLD, "REVOKED"), change(2, OLD, "EXPIRED")])
    assert delete_kept_no_longer(clickhouse, Variant()) == 0
    assert len(left(clickhouse, "records", "record_id")) == 2
