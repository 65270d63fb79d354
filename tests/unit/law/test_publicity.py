"""Each publicity period: a fact counts from its decision to the last day of the longest time that the rule allows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from builders import make_record
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import PublicityRow
from creditbus.core.calendar import add_months
from creditbus.core.publication import published_until, window_of
from creditbus.core.records import date_of, day_of
from creditbus.core.score import entry_of, points_on
from creditbus.core.state import Entry
from intake_harness import rules

CATALOGUE = load()
RULES = rules()
FACTS: dict[str, dict[str, Any]] = {
    "Penalty": {"penalty_types": ["FINE"], "is_final": True, "procedure": "GENERAL"},
    "Finding": {"category": "ACCIDENT", "is_final": True},
    "Commitment": {"state": "BROKEN"},
    "Filing": {"category": "ANNUAL_REPORT", "state": "MISSED"},
}
SENDERS = {row.domain: row.code for row in CATALOGUE.departments}
COUNTED = [row for row in CATALOGUE.publicity.rows if row.severity != "MINOR"]


def counted(row: PublicityRow, decided: date, **facts: Any) -> Entry:
    """The entry of a fact of the row's kind, severity and sector."""
    record = make_record(row.kind, decided_on=day_of(decided), sender=SENDERS[(row.domains or ("market",))[0]])
    entry = entry_of(record, {**FACTS[row.kind], "severity": row.severity, **facts}, RULES)
    assert entry is not None
    return entry


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.code)
@pytest.mark.parametrize("edge", ["first", "last"])
def test_a_fact_counts_for_as_long_as_the_rule_of_its_day_says(row: PublicityRow, edge: str) -> None:
    decided = row.since if edge == "first" else row.until or date(2030, 2, 28)
    entry = counted(row, decided)
    last, by = add_months(decided, row.maximum_months), row.code
    for milder in CATALOGUE.publicity.transitions:
        if milder.earlier == row.code:
            later = next(one for one in CATALOGUE.publicity.rows if one.code == milder.later)
            last, by = max(add_months(decided, later.maximum_months), later.since - timedelta(days=1)), milder.code
    assert entry.until is not None
    assert (date_of(entry.until), entry.ends_by) == (last, by)
    assert entry.repair_from == day_of(add_months(decided, row.minimum_months))
    assert points_on(entry, day_of(decided)) == entry.points
    assert points_on(entry, day_of(last + timedelta(days=1))) == 0


@pytest.mark.parametrize(
    ("decided", "severity", "types", "last", "by"),
    [
        # 令第36号: a year for general penalties, three for serious ones
        ("2026-06-01", "GENERAL", ["FINE"], "2027-06-01", "P36-GENERAL"),
        ("2026-06-01", "SERIOUS", ["FINE"], "2029-06-01", "P36-SERIOUS"),
        # several types in one decision: the longest
        ("2026-06-01", "GENERAL", ["FINE", "LICENCE_REVOCATION"], "2029-06-01", "P36-SERIOUS"),
        ("2026-06-01", "MINOR", ["FINE", "CONFISCATION"], "2027-06-01", "P36-GENERAL"),
        # not yet in 2019, when there was no such rule
        ("2023-04-30", "GENERAL", ["FINE", "LICENCE_REVOCATION"], "2024-04-30", "P2019-GENERAL"),
        # three years under 令第58号 become one under the milder 令第36号, though none ends before that took effect
        ("2025-06-01", "GENERAL", ["FINE"], "2026-06-01", "M58-36-GENERAL"),
        ("2023-06-01", "GENERAL", ["FINE"], "2026-03-31", "M58-36-GENERAL"),
        ("2025-06-01", "SERIOUS", ["FINE"], "2028-06-01", "P58-SERIOUS"),
    ],
)
def test_which_rule_ends_a_penalty_and_when(decided: str, severity: str, types: list[str], last: str, by: str) -> None:
    facts = {"severity": severity, "penalty_types": types}
    window = window_of("Penalty", facts, date.fromisoformat(decided), RULES, "market")
    assert window is not None
    assert (window.last.isoformat(), window.rule) == (last, by)


def test_a_minor_penalty_is_not_published() -> None:
    facts = {"severity": "MINOR", "penalty_types": ["FINE"]}
    assert window_of("Penalty", facts, date(2026, 6, 1), RULES, "market") is None
    assert published_until("Penalty", "LEGAL_PERSON", facts, date(2026, 6, 1), RULES) is None


def test_an_authority_may_publish_for_a_shorter_time_and_never_for_a_longer_one() -> None:
    facts = {"severity": "GENERAL", "penalty_types": ["FINE"], "publish_until": date(2026, 12, 31)}
    window = window_of("Penalty", facts, date(2026, 6, 1), RULES)
    assert window is not None
    assert (window.last, window.rule) == (date(2026, 12, 31), "AUTHORITY")
    longer = window_of("Penalty", {**facts, "publish_until": date(2030, 1, 1)}, date(2026, 6, 1), RULES)
    assert longer is not None
    assert longer.last == date(2027, 6, 1)


@pytest.mark.parametrize(
    ("domain", "earliest"), [("market", "2025-09-01"), ("safety", "2026-06-01"), ("", "2025-09-01")]
)
def test_some_sectors_have_a_longer_shortest_time(domain: str, earliest: str) -> None:
    window = window_of("Penalty", {"severity": "GENERAL", "penalty_types": ["FINE"]}, date(2025, 6, 1), RULES, domain)
    assert window is not None
    assert window.repair_from.isoformat() == earliest


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.code)
def test_points_only_ever_shrink_towards_the_end(row: PublicityRow) -> None:
    decided = max(row.since, date(2020, 1, 1))
    entry = counted(row, decided)
    assert entry.until is not None
    points = [abs(points_on(entry, day)) for day in range(entry.since, entry.until + 2)]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize("kind", ["Penalty", "Finding"])
def test_what_the_rules_call_minor_takes_no_points(kind: str) -> None:
    record = make_record(kind, decided_on=day_of(date(2026, 6, 1)))
    assert entry_of(record, {**FACTS[kind], "severity": "MINOR"}, RULES) is None


def test_every_day_since_the_first_rule_has_one_rule_for_each_kind_and_severity() -> None:
    general = [row for row in CATALOGUE.publicity.rows if not row.domains]
    for kind, severity in {(row.kind, row.severity) for row in general}:
        rows = sorted(
            (row for row in general if (row.kind, row.severity) == (kind, severity)),
            key=lambda row: row.since,
        )
        for before, after in zip(rows, rows[1:], strict=False):
            assert before.until is not None
            assert after.since == before.until + timedelta(days=1)
        assert rows[-1].until is None
