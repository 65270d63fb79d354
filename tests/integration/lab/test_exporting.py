"""What of the warehouse is exported: the newest revision, page by page, and nothing that was taken back."""

from __future__ import annotations

from typing import Any

import msgspec.structs
import pytest

from builders import make_record, target_of
from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.core.records import CreditRecord
from creditbus.lab.exporting import read_answers, read_orders, read_records
from creditbus.warehouse.tables import table_specs
from intake_harness import Intake, example

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()


def body_of(kind: str, **changes: Any) -> dict[str, Any]:
    """Facts of the example of a kind, as a record has them."""
    (record,) = Intake().send(example(kind, **changes)).records
    return {"body": record["body"], "body_schema": record["body_schema"]}


def flush(clickhouse: ClickHouse, records: list[CreditRecord]) -> None:
    payloads = [encode(SCHEMAS.records["CreditRecord"], msgspec.structs.asdict(one)) for one in records]
    rows = [PositionedRow("credit.records", 0, offset, payload) for offset, payload in enumerate(payloads)]
    ClickHouseRows(clickhouse, table_specs(SCHEMAS)).flush("records", rows)


@pytest.mark.parametrize("page", [1, 100])
def test_the_newest_revision_of_what_is_in_force_and_nothing_about_persons(clickhouse: ClickHouse, page: int) -> None:
    facts = body_of("Penalty")
    first = make_record(number="1", **facts)
    newer = make_record(number="1", revision=2, **facts)
    revoked, repaired, asked = (make_record(number=number, **facts) for number in ("2", "3", "4"))
    person = make_record(number="5", subject_kind="NATURAL_PERSON", **facts)
    withdrawn = make_record(number="6", **facts)
    flush(clickhouse, [
        first, newer, revoked, repaired, asked, person, withdrawn,
        make_record("Revocation", "r1", **target_of(revoked), **body_of("Revocation")),
        make_record("Repair", "r2", **target_of(repaired), **body_of("Repair")),
        make_record("Repair", "r3", **target_of(asked), **body_of("Repair", facts__stage="APPLIED")),
        make_record(number="6", op="WITHDRAW", event_id="other"),
    ])  # fmt: skip
    found = list(read_records(clickhouse, body_reader(SCHEMAS), "Penalty", page))
    assert sorted((one.columns["document_number"], one.columns["revision"]) for one in found) == [("1", 2), ("4", 1)]
    assert all(one.facts["severity"] for one in found)


def test_the_last_message_of_each_order_of_ones_own_families_and_what_was_answered(clickhouse: ClickHouse) -> None:
    def order(order_id: str, action: str, **changes: Any) -> dict[str, Any]:
        return {
            "order_id": order_id, "message_id": f"{order_id}-{action}", "action": action, "family": "M06",
            "measure": "M06", "binding": "MANDATORY", "subject_key": "MA0N12340", "subject_kind": "LEGAL_PERSON",
            "subject_name": "虚构", "identifier": "", "list": "X01", "listing_id": "l", "record_id": "r", "cause": "c",
            "cause_id": "i", "basis": ["FS2010-8"], "executor": "e", "region": "150100", "effective_on": 20_000,
            "until": None, "fictitious": True, "at": 1_795_363_200_000, "text_zh": "", "text_en": "", "scope": [],
        } | changes  # fmt: skip

    person = {"subject_key": "p:1:a", "subject_kind": "NATURAL_PERSON"}
    told = [
        order("o1", "ORDER"), order("o1", "LIFT"), order("o2", "ORDER", list="L01"), order("o3", "ORDER", family="M01"),
        order("o4", "ORDER", **person), order("o5", "ORDER", family="M02", **person),
    ]  # fmt: skip
    payloads = [encode(SCHEMAS.records["MeasureOrder"], one) for one in told]
    rows = [PositionedRow("credit.measures.M06", 0, offset, payload) for offset, payload in enumerate(payloads)]
    ClickHouseRows(clickhouse, table_specs(SCHEMAS)).flush("orders", rows)
    answer = make_record("MeasureAcknowledgement", "150200-zwfw-m1", sender="150200-zwfw", **body_of("Penalty"))
    other = make_record("MeasureAcknowledgement", "150100-zy-m1", sender="150100-zy", **body_of("Penalty"))
    flush(clickhouse, [answer, other])

    def found(*where: Any) -> list[tuple[str, str]]:
        return [(one["order_id"], one["action"]) for one in read_orders(clickhouse, *where)]

    assert found({"M06": False, "M02": True}) == [("o1", "LIFT"), ("o2", "ORDER"), ("o5", "ORDER")]
    assert found({"M06": True}, "X01", 1) == [("o1", "LIFT"), ("o4", "ORDER")]
    assert found({}) == []
    [first, *_] = read_orders(clickhouse, {"M06": False})
    assert (first["basis"], first["effective_on"].isoformat()) == (["FS2010-8"], "2024-10-04")
    assert read_answers(clickhouse, "150200-zwfw") == {"150200-zwfw-m1"}
