"""What of the warehouse is exported: what is in force, page by page, and orders."""

from __future__ import annotations

from typing import Any

import pytest

from builders import make_record, target_of
from creditbus.bus.wire import body_reader
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.records import CreditRecord
from creditbus.lab.exporting import read_answers, read_orders, read_records
from warehoused import SCHEMAS, body_of, decided, flush

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("page", [1, 3, 100])
def test_what_is_in_force_each_fact_once_and_nothing_about_persons(clickhouse: ClickHouse, page: int) -> None:
    facts = body_of("Penalty")

    def penalty(number: str, **changes: Any) -> CreditRecord:
        return make_record(number=number, **{**facts, **changes})

    first, revoked, repaired, asked, disputed, numbered = (penalty(number) for number in ("1", "2", "3", "4", "7", "8"))
    upheld = {"facts__stage": "DECIDED", "facts__outcome": "STOPPED"}
    decided(clickhouse, [
        first, revoked, repaired, asked, disputed, numbered,
        penalty("1", revision=2),
        penalty("1", event_id="sent again"),
        penalty("5", subject_kind="NATURAL_PERSON", subject_key="p:1:a"),
        penalty("6"),
        make_record("Revocation", "r1", **target_of(revoked), **body_of("Revocation")),
        make_record("Repair", "r2", **target_of(repaired), **body_of("Repair")),
        penalty("3", event_id="sent after the repair"),
        make_record("Repair", "r3", **target_of(asked), **body_of("Repair", facts__stage="APPLIED")),
        make_record(number="6", op="WITHDRAW", event_id="event-Penalty-6", revision=2),
        make_record("Dispute", "r4", **target_of(disputed), **body_of("Dispute", **upheld)),
        penalty("9", event_id=numbered.event_id, revision=2, corrects_key=numbered.natural_key),
        make_record("Revocation", "r5", **target_of(numbered), **body_of("Revocation")),
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
    flush(clickhouse, "orders", told)
    answer = make_record("MeasureAcknowledgement", "150200-zwfw-m1", sender="150200-zwfw", **body_of("Penalty"))
    other = make_record("MeasureAcknowledgement", "150100-zy-m1", sender="150100-zy", **body_of("Penalty"))
    flush(clickhouse, "records", [answer, other])

    def found(*where: Any) -> list[tuple[str, str]]:
        return [(one["order_id"], one["action"]) for one in read_orders(clickhouse, *where)]

    assert found({"M06": False, "M02": True}) == [("o1", "LIFT"), ("o2", "ORDER"), ("o5", "ORDER")]
    assert found({"M06": True}, "X01", 1) == [("o1", "LIFT"), ("o4", "ORDER")]
    assert found({}) == []
    [first, *_] = read_orders(clickhouse, {"M06": False})
    assert (first["basis"], first["effective_on"].isoformat()) == (["FS2010-8"], "2024-10-04")
    assert read_answers(clickhouse, "150200-zwfw") == {"150200-zwfw-m1"}
