"""The report of an initial load: what came with it, what became of it, and what its release would bring."""

from __future__ import annotations

import pytest

from builders import make_record, make_rules
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.breaker import HOLD, RELEASE, SourceOrder
from creditbus.core.loading import load_source
from creditbus.core.records import ListingChange
from creditbus.lookup.loads import report_of
from partition import Bus
from warehoused import body_of, decided, flush, queries_of

pytestmark = pytest.mark.integration
PERSON = f"p:1:{'0' * 40}"
LISTS = body_of("CourtEnforcement")
COURT = make_record("CourtEnforcement", load_id="first", **LISTS)
AGAIN = make_record("CourtEnforcement", event_id="the same under another id", load_id="first", **LISTS)
OF_PERSON = make_record(
    "CourtEnforcement", number="执9", load_id="first", subject_key=PERSON, subject_kind="NATURAL_PERSON",
    subject_name="", identifier="", **LISTS,
)  # fmt: skip
FINE = make_record(load_id="first")
OTHERS = [make_record(number="罚2", load_id="second"), make_record(number="罚3")]
SOURCE = load_source(COURT.sender, "first")
OPENED, RELEASED = SourceOrder("a" * 32, HOLD, SOURCE), SourceOrder("b" * 32, RELEASE, SOURCE)


def tell(clickhouse: ClickHouse, bus: Bus) -> None:
    flush(clickhouse, "listings", [one for one in bus.emissions if isinstance(one, ListingChange)])


def test_a_report_has_what_came_with_the_load_and_examples_of_organisations_only(clickhouse: ClickHouse) -> None:
    queries = queries_of(clickhouse)
    tell(clickhouse, decided(clickhouse, [OPENED, FINE, COURT, AGAIN, OF_PERSON, *OTHERS]))
    report = report_of(queries, make_rules(), COURT.sender, "first")
    assert (report["events"], report["subjects"], report["records"]) == (4, 2, 4)
    assert report["kinds"] == {"CourtEnforcement": 3, "Penalty": 1}
    assert report["outcomes"] == {"DUPLICATE": 1, "RECORDED": 3}
    waiting = report["waiting"]
    assert (waiting["listings"], waiting["subjects"], waiting["lists"]) == (2, 2, {"L01": 2})
    assert waiting["orders_at_most"]
    assert [one["subject_key"] for one in waiting["examples"]] == [COURT.subject_key]
    assert report_of(queries, make_rules(), COURT.sender, "third")["events"] == 0


def test_nothing_waits_once_it_is_released(clickhouse: ClickHouse) -> None:
    queries = queries_of(clickhouse)
    tell(clickhouse, decided(clickhouse, [OPENED, COURT, RELEASED]))
    report = report_of(queries, make_rules(), COURT.sender, "first")
    assert (report["events"], report["waiting"]["listings"], report["waiting"]["examples"]) == (1, 0, [])
