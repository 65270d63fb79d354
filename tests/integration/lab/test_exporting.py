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
from creditbus.lab.exporting import read_records
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
