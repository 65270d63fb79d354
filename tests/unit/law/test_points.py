"""Each point rule: what it says of a legal person, and of nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from builders import DAY, make_record
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import PointRow
from creditbus.core.records import CreditRecord, day_of
from intake_harness import rules
from partition import Bus, a_bus

RULES = rules()
FINAL = {"is_final": True, "procedure": "GENERAL", "penalty_types": ["FINE"], "valid_until": None, "honor": "BRAND"}


def facts_of(row: PointRow) -> dict[str, Any]:
    return {**FINAL, "severity": "GENERAL", **{name: values[0] for name, values in row.match.items()}}


def after(record: CreditRecord, facts: dict[str, Any]) -> Bus:
    bus = a_bus((record, facts), rules=RULES)
    bus.send(record)
    return bus


@pytest.mark.parametrize("row", load().score.points, ids=lambda row: row.code)
def test_a_record_on_the_day_of_its_decision_counts_in_full(row: PointRow) -> None:
    record = make_record(row.kind, decided_on=day_of(DAY))
    summary = after(record, facts_of(row)).summary()
    assert summary.score == RULES.score.base + row.points
    assert [(entry.rule, entry.reason, entry.dimension) for entry in summary.entries] == [
        (row.code, row.reason, row.dimension)
    ]


@pytest.mark.parametrize("kind", ["NATURAL_PERSON", "SOLE_TRADER", "ORGAN"])
@pytest.mark.parametrize("row", load().score.points, ids=lambda row: row.code)
def test_nobody_but_a_legal_person_is_scored(row: PointRow, kind: str) -> None:
    record = make_record(row.kind, decided_on=day_of(DAY), subject_kind=kind)
    summary = after(record, facts_of(row)).summary()
    assert (summary.score, summary.grade, summary.entries) == (None, None, [])


@pytest.mark.parametrize("row", [row for row in load().score.points if row.match], ids=lambda row: row.code)
def test_a_fact_that_the_rule_does_not_name_does_not_count(row: PointRow) -> None:
    record = make_record(row.kind, decided_on=day_of(DAY))
    facts = {**facts_of(row), **dict.fromkeys(row.match, "SOMETHING_ELSE")}
    assert after(record, facts).summary().entries == []
