"""Each publicity period: a fact counts from its decision to the last day of the longest time that the rule allows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from builders import make_record
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import PublicityRow
from creditbus.core.records import date_of, day_of
from creditbus.core.score import add_months, entry_of, points_on
from intake_harness import rules

CATALOGUE = load()
RULES = rules()
FACTS: dict[str, dict[str, Any]] = {
    "Penalty": {"penalty_types": ["FINE"], "is_final": True, "procedure": "GENERAL"},
    "Finding": {"category": "ACCIDENT", "is_final": True},
    "Commitment": {"state": "BROKEN"},
    "Filing": {"category": "ANNUAL_REPORT", "state": "MISSED"},
}
COUNTED = [row for row in CATALOGUE.publicity.rows if row.severity != "MINOR"]


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.code)
@pytest.mark.parametrize("edge", ["first", "last"])
def test_a_fact_counts_for_as_long_as_the_rule_of_its_day_says(row: PublicityRow, edge: str) -> None:
    decided = row.since if edge == "first" else row.until or date(2030, 2, 28)
    record = make_record(row.kind, decided_on=day_of(decided))
    entry = entry_of(record, {**FACTS[row.kind], "severity": row.severity}, RULES)
    assert entry is not None
    last = add_months(decided, row.maximum_months)
    assert entry.until is not None
    assert date_of(entry.until) == last
    assert points_on(entry, day_of(decided)) == entry.points
    assert points_on(entry, day_of(last + timedelta(days=1))) == 0


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.code)
def test_points_only_ever_shrink_towards_the_end(row: PublicityRow) -> None:
    decided = max(row.since, date(2020, 1, 1))
    record = make_record(row.kind, decided_on=day_of(decided))
    entry = entry_of(record, {**FACTS[row.kind], "severity": row.severity}, RULES)
    assert entry is not None
    assert entry.until is not None
    points = [abs(points_on(entry, day)) for day in range(entry.since, entry.until + 2)]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize("kind", ["Penalty", "Finding"])
def test_what_the_rules_call_minor_takes_no_points(kind: str) -> None:
    record = make_record(kind, decided_on=day_of(date(2026, 6, 1)))
    assert entry_of(record, {**FACTS[kind], "severity": "MINOR"}, RULES) is None


def test_every_day_since_the_first_rule_has_one_rule_for_each_kind_and_severity() -> None:
    for kind, severity in {(row.kind, row.severity) for row in CATALOGUE.publicity.rows}:
        rows = sorted(
            (row for row in CATALOGUE.publicity.rows if (row.kind, row.severity) == (kind, severity)),
            key=lambda row: row.since,
        )
        for before, after in zip(rows, rows[1:], strict=False):
            assert before.until is not None
            assert after.since == before.until + timedelta(days=1)
        assert rows[-1].until is None
