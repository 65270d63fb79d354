"""A look-up shows each fact once, and only while it is in force; whoever handles the case sees what became of all."""

from __future__ import annotations

from typing import Any

import pytest

from builders import FIRM_KEY, make_record, target_of
from creditbus.clickhouse.client import ClickHouse
from creditbus.core.records import CreditRecord
from creditbus.lookup.queries import ALL, Queries
from creditbus.lookup.steps import Wanted
from warehoused import body_of, decided, dossier_row, flush, queries_of, taken

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return body_of("Penalty")


def look_up(clickhouse: ClickHouse, records: list[CreditRecord], *, history: bool) -> set[tuple[str, int, str]]:
    """Event and revision of each record that is shown, with what is said of it."""
    decided(clickhouse, records)
    flush(clickhouse, "dossiers", [dossier_row(FIRM_KEY)])
    file = queries(clickhouse).file_of(Wanted(FIRM_KEY), None, 50, history=history)
    assert file is not None
    rows = file.records()
    found = {(str(row["event_id"]), int(row["revision"]), str(row.get("state", ""))) for row in rows}
    assert len(found) == len(rows)
    return found


def queries(clickhouse: ClickHouse) -> Queries:
    return queries_of(clickhouse, casework_kinds=["Repair", "Revocation"])


def story(facts: dict[str, Any]) -> list[CreditRecord]:
    """Penalties that came twice, too late, under a number that was wrong, or were taken back; and one that stands."""

    def penalty(event: str, number: str, **changes: Any) -> CreditRecord:
        return make_record(number=number, event_id=event, **{**facts, **changes})

    repaired = penalty("repaired", "2")
    return [
        penalty("stands", "1"),
        penalty("stands, sent by another system", "1"),
        repaired,
        make_record("Repair", "r1", event_id="repair", **target_of(repaired), **body_of("Repair")),
        penalty("repaired, sent by another system", "2"),
        penalty("corrected", "3", revision=3),
        penalty("corrected", "3", revision=2, decided_on=20_000),
        penalty("moved away", "4"),
        penalty("moved away", "4", revision=2, op="WITHDRAW"),
        make_record(
            "Revocation",
            "r2",
            event_id="too early",
            **target_of(make_record(number="not yet told")),
            **body_of("Revocation"),
        ),
    ]


def test_what_is_in_force_is_shown_once(clickhouse: ClickHouse, facts: dict[str, Any]) -> None:
    assert look_up(clickhouse, story(facts), history=False) == {("stands", 1, ""), ("corrected", 3, "")}


def test_the_history_says_what_became_of_each(clickhouse: ClickHouse, facts: dict[str, Any]) -> None:
    assert look_up(clickhouse, story(facts), history=True) == {
        ("stands", 1, "RECORDED"),
        ("stands, sent by another system", 1, "DUPLICATE"),
        ("repaired", 1, "REPAIRED"),
        ("repair", 1, "RECORDED"),
        ("repaired, sent by another system", 1, "DUPLICATE"),
        ("corrected", 3, "RECORDED"),
        ("corrected", 2, "SUPERSEDED"),
        ("moved away", 1, "WITHDRAWN"),
        ("moved away", 2, "RECORDED"),
        ("too early", 1, "HELD"),
    }


def test_what_tells_its_fact_again_is_in_force_again(clickhouse: ClickHouse, facts: dict[str, Any]) -> None:
    """As when a key that a record of the same decision came from leads to the subject no more."""
    record = make_record(number="1", event_id="stands", **facts)
    flush(clickhouse, "records", [record])
    told = [taken(record), *(taken(record, outcome, f" {outcome}") for outcome in ("CORRECTED", "DUPLICATE"))]
    flush(clickhouse, "changes", told)
    assert look_up(clickhouse, [], history=False) == set()
    assert look_up(clickhouse, [], history=True) == {("stands", 1, "CORRECTED")}
    flush(clickhouse, "changes", [taken(record, "RECORDED", " again")], first=10)
    assert look_up(clickhouse, [], history=False) == {("stands", 1, "")}
    assert look_up(clickhouse, [], history=True) == {("stands", 1, "RECORDED")}


def test_a_record_that_its_dossier_has_not_told_of_is_not_shown_yet(
    clickhouse: ClickHouse, facts: dict[str, Any]
) -> None:
    flush(clickhouse, "records", [make_record(number="9", event_id="new", **facts)], first=100)
    assert look_up(clickhouse, [], history=False) == set()
    assert look_up(clickhouse, [], history=True) == {("new", 1, "RECEIVED")}


def test_a_view_counts_what_is_in_force(clickhouse: ClickHouse, facts: dict[str, Any]) -> None:
    decided(clickhouse, story(facts))
    [row] = queries(clickhouse).subjects_of(ALL, "", 10)
    assert (row["subject_key"], row["records"]) == (FIRM_KEY, 2)
