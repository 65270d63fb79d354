"""The assessment's counts as the warehouse has them: real rows, a real engine."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec.structs
import pytest

from builders import DAY, DAY_MS, make_record, make_rules
from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.catalogue.editions import authority_code, compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.alerts import REPAIR_IRREGULAR, About, subject_alert
from creditbus.core.assessment import Supervised
from creditbus.core.forms import compile_reader
from creditbus.core.ports import PositionedRow
from creditbus.core.records import day_of
from creditbus.core.state import Summary
from creditbus.lab.assessment import read_assessment
from creditbus.warehouse.tables import table_specs
from intake_harness import example, rules

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
ORGAN = authority_code("150000", 6)
"""Unified code of 150000-scjg."""
DAYS_MS = 86_400_000


def record(number: str, **changes: Any) -> bytes:
    return encode(SCHEMAS.records["CreditRecord"], msgspec.structs.asdict(make_record(number=number, **changes)))


def decided(kind: str, number: str, event_id: str = "", **facts: Any) -> bytes:
    """A record with facts: those of the example of its kind, changed."""
    schema = SCHEMAS.events[kind].facts
    told = compile_reader(schema.definition)({**example(kind)["facts"], **facts}, "", [])
    assert isinstance(told, dict)
    changes = {"event_id": event_id} if event_id else {}
    return record(number, kind=kind, body=encode(schema, told), body_schema=schema.body_schema, **changes)


def alert(kind: str, record_id: str) -> bytes:
    words = ("x", "x")
    summary = Summary(subject_key="MA0N12340", kind="LEGAL_PERSON", name="x", identifier="x", region="150100")
    told = subject_alert(summary, kind, About(record_id, "150100", [], True), words, record_id, DAY_MS)
    return encode(SCHEMAS.records["Alert"], msgspec.structs.asdict(told))


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
        record("5", reported_at=DAY_MS + 20 * DAYS_MS, load_id="first"),
    ]
    rows = [PositionedRow("credit.records", 0, offset, payload) for offset, payload in enumerate(records)]
    sink.flush("records", [*rows, rows[0]])
    refused = [rejection(1, DAY_MS), rejection(2, DAY_MS), rejection(3, DAY_MS - 40 * DAYS_MS)]
    sink.flush("rejections", [PositionedRow("credit.rejections", 0, n, payload) for n, payload in enumerate(refused)])
    found = read_assessment(clickhouse, make_rules(), date(2026, 11, 1), DAY, body_reader(SCHEMAS))
    market = found.departments["150100-scjg"]
    assert (market.accepted, market.rejected, market.late, market.corrected) == (3, 2, 1, 1), "a load is not late"
    assert market.shares()["coverage"] == 0.5
    assert {name: one.accepted for name, one in found.levels.items()} == {"LEAGUE": 3, "COUNTY": 1}


def change(number: int, record_id: str, kind: str, outcome: str, subject: str = ORGAN[8:17]) -> bytes:
    value = {
        "change_id": f"c{number}", "record_id": record_id, "event_key": None, "sender": "", "event_id": "",
        "subject_key": subject, "kind": kind, "outcome": outcome, "cause": "TIMER", "version": 1,
        "score_before": None, "score_after": None, "grade_before": None, "grade_after": None, "listed": False,
        "as_of": DAY_MS, "edition": "e", "receipt_hash": "",
    }  # fmt: skip
    return encode(SCHEMAS.records["Change"], value)


def test_tickets_and_spot_checks_count_for_the_department_that_they_are_about(clickhouse: ClickHouse) -> None:
    schema = SCHEMAS.events["DepartmentReview"].facts
    spot_check = {
        "category": "SPOT_CHECK", "period": "2026-11", "reviewed_on": day_of(DAY), "result": None, "score": None,
        "sampled": 50, "concealed": 2, "wrong": 0, "content": "x",
    }  # fmt: skip
    about: dict[str, Any] = {"subject_key": ORGAN[8:17], "subject_kind": "ORGAN", "sender": "150000-xxzx"}
    late = make_record("SupervisionTicket", "督1", **about)
    answered = make_record("SupervisionTicket", "督2", **about)
    revoked = make_record("SupervisionTicket", "督3", **about)
    twice = make_record("SupervisionTicket", "督1", event_id="sent again", **about)
    answer = make_record("SupervisionTicket", "复2", target_key=answered.natural_key, **about)
    body = {"body": encode(schema, spot_check), "body_schema": schema.body_schema}
    review = make_record("DepartmentReview", "抽1", **about, **body)
    told = [late, answered, revoked, twice, answer, review]
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    payloads = [encode(SCHEMAS.records["CreditRecord"], msgspec.structs.asdict(one)) for one in told]
    sink.flush("records", [PositionedRow("credit.records", 1, n, payload) for n, payload in enumerate(payloads)])
    changes = [
        change(1, late.record_id, "RECTIFICATION", "OVERDUE"),
        change(2, late.record_id, "RECTIFICATION", "OVERDUE"),
        *(change(3 + number, one.record_id, one.kind, "RECORDED") for number, one in enumerate(told) if one != twice),
        change(20, twice.record_id, "SupervisionTicket", "DUPLICATE"),
        change(21, revoked.record_id, "SupervisionTicket", "REVOKED"),
    ]
    sink.flush("changes", [PositionedRow("credit.changes", 1, n, payload) for n, payload in enumerate(changes)])
    rules = compile_rules(edition_of(load()))
    found = read_assessment(clickhouse, rules, date(2026, 11, 1), DAY, body_reader(SCHEMAS))
    assert found.departments["150000-scjg"].supervised == Supervised(tickets=2, overdue=1, sampled=50, concealed=2)


def test_notices_how_to_repair_and_irregular_repairs_count_for_who_decided(clickhouse: ClickHouse) -> None:
    sink = ClickHouseRows(clickhouse, table_specs(SCHEMAS))
    records = [
        decided("Penalty", "带告知书", repair_notice_on="2026-11-23"),
        decided("Penalty", "未带", repair_notice_on=None),
        decided("Repair", "修1", stage="GRANTED"),
        decided("Repair", "修2", stage="GRANTED", commitment=None),
        decided("Repair", "修3", stage="REFUSED"),
        decided("Revocation", "撤1"),
        decided("Penalty", "未带", event_id="sent again", repair_notice_on=None),
    ]
    sink.flush("records", [PositionedRow("credit.records", 1, n, payload) for n, payload in enumerate(records)])
    irregular = alert(REPAIR_IRREGULAR, make_record("Repair", number="修2").record_id)
    sink.flush("alerts", [PositionedRow("credit.alerts", 1, 0, irregular)])
    twice = make_record(number="未带", event_id="sent again")
    told = change(1, twice.record_id, "Penalty", "DUPLICATE", twice.subject_key)
    sink.flush("changes", [PositionedRow("credit.changes", 1, 0, told)])
    found = read_assessment(clickhouse, rules(), DAY, DAY, body_reader(SCHEMAS))
    due = {"noticed": (1, 2), "regular_repairs": (1, 2), "withdrawals": (1, 1)}
    assert found.departments["150100-scjg"].duties == due
    assert found.levels["LEAGUE"].duties == due
