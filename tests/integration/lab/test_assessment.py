"""The assessment's counts as the warehouse has them: real rows, a real engine."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec.structs
import pytest

from builders import DAY, DAY_MS, make_record, make_rules
from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.lab.assessment import read_assessment
from creditbus.warehouse.tables import table_specs

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
DAYS_MS = 86_400_000


def record(number: str, **changes: Any) -> bytes:
    return encode(SCHEMAS.records["CreditRecord"], msgspec.structs.asdict(make_record(number=number, **changes)))


def rejection(number: int, at: int) -> bytes:
    value = {
        "rejection_id": f"r{number}", "topic": "t", "partition": 0, "offset": number, "event_id": "", "kind": "Penalty",
        "sender": "150100-scjg", "department": "150100-scjg", "item": "", "subject_hint": "", "payload_hash": "",
        "codes": ["bad-revision"], "fields": ["revision"], "rejected_at": at, "body": b"", "body_schema": "",
    }  # fmt: skip
    return encode(SCHEMAS.records["Rejection"], value)


def test_records_and_rejections_of_the_period_are_counted_once_each(clickhouse: ClickHouse) -> None:
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    records = [
        record("1"),
        record("2", reported_at=DAY_MS + 20 * DAYS_MS, revision=2),
        record("3", region="150102", sender="150000-gy"),
        record("4", recorded_at=DAY_MS - 40 * DAYS_MS, item="C03-PERMIT"),
    ]
    rows = [PositionedRow("credit.records", 0, offset, payload) for offset, payload in enumerate(records)]
    sink.flush("records", [*rows, rows[0]])
    refused = [rejection(1, DAY_MS), rejection(2, DAY_MS), rejection(3, DAY_MS - 40 * DAYS_MS)]
    sink.flush("rejections", [PositionedRow("credit.rejections", 0, n, payload) for n, payload in enumerate(refused)])
    found = read_assessment(clickhouse, make_rules(), date(2026, 11, 1), DAY)
    market = found.departments["150100-scjg"]
    assert (market.accepted, market.rejected, market.late, market.corrected) == (2, 2, 1, 1)
    assert market.shares()["coverage"] == 0.5
    assert {name: one.accepted for name, one in found.levels.items()} == {"LEAGUE": 2, "COUNTY": 1}
