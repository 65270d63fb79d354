"""Repair, as the law has it: each condition of each list and kind, and the notice that comes with a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from builders import DAY, make_record, target_of
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import RepairRow
from creditbus.core.calendar import add_months
from creditbus.core.receipt import receipt_of
from creditbus.core.records import Alert, CreditRecord, date_of, day_of
from creditbus.core.repair import lacks_notice, unmet_by
from intake_harness import rules
from partition import COURT_FACTS, PENALTY, Bus, a_bus

CATALOGUE = load()
RULES = replace(rules(), subscribers=())
CONDITIONS = [row for row in CATALOGUE.repair if row.condition != "NOTICE"]
GIVEN: dict[str, Any] = {"performed_on": DAY, "commitment": "诺1"}
Told = tuple[CreditRecord, Mapping[str, Any]]
LONG_AGO = date(2025, 1, 10)


def decision(kind: str, listed: str = "", decided_on: date = DAY, **more: Any) -> Told:
    """A decision that is in effect at once."""
    record = make_record("CourtEnforcement" if listed == "L01" else kind, decided_on=day_of(decided_on))
    facts: dict[str, Any] = {**PENALTY, "state": "BROKEN" if kind == "Commitment" else "MISSED", "category": "ACCIDENT"}
    if listed == "L01":
        facts = {**COURT_FACTS, "ground": "G2"}
    elif listed:
        steps = {"notice_on": decided_on, "heard_on": decided_on, "served_on": decided_on, "notice_number": "告1"}
        facts = {"list": listed, "action": "LIST", "effective_on": decided_on, "term_months": 60, **steps}
    if kind == "Commitment":
        facts["severity"] = "GENERAL"
    return record, {**facts, "repair_notice_on": decided_on, **more}


def repair(stage: str, about: CreditRecord, day: date = DAY, **facts: Any) -> Told:
    record = make_record("Repair", number=f"修{stage}", decided_on=day_of(day), **target_of(about))
    return record, {"stage": stage, **GIVEN, **facts}


def played(*told: Told) -> Bus:
    bus = a_bus(*told, rules=RULES)
    bus.send(*(record for record, _ in told))
    return bus


def alerts(bus: Bus, kind: str) -> list[Alert]:
    return [one for one in bus.emissions if isinstance(one, Alert) and one.kind == kind]


def case_of(row: RepairRow) -> tuple[Told, date, dict[str, Any]]:
    """A decision, and a repair that lacks just the condition of the row on a day of the row."""
    day = min(DAY, row.until or DAY)
    kind = row.kinds[0] if row.kinds else "ListDecision"
    listed = row.lists[0] if row.lists else ""
    decided = day - timedelta(days=20) if row.condition == "TIME" else add_months(day, -13)
    lacking = {"PERFORMANCE": {"performed_on": None}, "COMMITMENT": {"commitment": None}}.get(row.condition, {})
    return decision(kind, listed, decided), day, lacking


@pytest.mark.parametrize("row", CONDITIONS, ids=lambda row: row.code)
def test_an_application_is_answered_with_the_condition_that_it_lacks_and_is_decided_all_the_same(
    row: RepairRow,
) -> None:
    about, day, lacking = case_of(row)
    if row.until is not None and about[0].kind == "Penalty":
        about = decision("Penalty", "", date_of(about[0].decided_on), severity="SERIOUS")
    bus = played(about, repair("APPLIED", about[0], day, **lacking))
    (alert,) = alerts(bus, "REPAIR_UNMET")
    assert row.zh in alert.text_zh
    assert (row.en or row.zh) in alert.text_en
    summary = bus.summary()
    assert [state.term for state in summary.terms if state.term.startswith("REPAIR")] == [
        "REPAIR_ACCEPTANCE", "REPAIR_DECISION",
    ]  # fmt: skip
    told = unmet_by(summary, next(one for one in summary.terms if one.term == "REPAIR_DECISION"), RULES)
    assert told.conditions == [row.condition]
    if row.condition == "TIME":
        assert told.ask_from is not None
        assert date_of(told.ask_from).isoformat() in alert.text_zh


@pytest.mark.parametrize("row", CONDITIONS, ids=lambda row: row.code)
def test_a_repair_granted_without_a_condition_takes_effect_and_the_supervising_office_is_told(row: RepairRow) -> None:
    about, day, lacking = case_of(row)
    bus = played(about, repair("GRANTED", about[0], day, **lacking))
    (alert,) = alerts(bus, "REPAIR_IRREGULAR")
    assert row.zh in alert.text_zh
    assert alert.record_id == repair("GRANTED", about[0], day)[0].record_id
    summary = bus.summary()
    assert (summary.entries, summary.listings) == ([], [])


@pytest.mark.parametrize("row", CONDITIONS, ids=lambda row: row.code)
def test_a_repair_that_meets_its_conditions_is_remarked_on_by_nobody(row: RepairRow) -> None:
    day = min(DAY, row.until or DAY)
    about = decision(
        row.kinds[0] if row.kinds else "ListDecision", row.lists[0] if row.lists else "", add_months(day, -13)
    )
    bus = played(about, repair("APPLIED", about[0], day), repair("GRANTED", about[0], day))
    assert alerts(bus, "REPAIR_UNMET") + alerts(bus, "REPAIR_IRREGULAR") == []


@pytest.mark.parametrize(
    ("severity", "decided", "told"),
    [
        ("GENERAL", add_months(DAY, -3), ""),  # 国家发改委令第36号: general, from three months on
        ("GENERAL", add_months(DAY, -3) + timedelta(days=1), f"自{DAY + timedelta(days=1)}起可申请"),
        ("SERIOUS", date(2026, 5, 6), "自2027-05-06起可申请"),  # serious, from a year on
        ("SERIOUS", date(2026, 3, 31), ""),  # under 第58号: from three months on
    ],
)
def test_the_shortest_time_is_that_of_the_rule_in_force_on_the_day_of_the_penalty(
    severity: str, decided: date, told: str
) -> None:
    about = decision("Penalty", decided_on=decided, severity=severity)
    found = [one.text_zh for one in alerts(played(about, repair("APPLIED", about[0])), "REPAIR_UNMET")]
    assert [told in text for text in found] == ([True] if told else [])


def test_what_an_application_gave_counts_for_the_grant_too() -> None:
    about = decision("Penalty", decided_on=LONG_AGO)
    granted = repair("GRANTED", about[0], performed_on=None, commitment=None)
    bus = played(about, repair("APPLIED", about[0]), granted)
    assert alerts(bus, "REPAIR_IRREGULAR") == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_an_application_lacks_follows_from_the_records_and_not_from_their_order(order: tuple[int, ...]) -> None:
    """A correction makes the penalty general, so that its repair may be asked for after three months."""
    about = decision("Penalty", decided_on=add_months(DAY, -6))
    corrected = make_record(revision=2, decided_on=about[0].decided_on), {**about[1], "severity": "GENERAL"}
    told = (about, corrected, repair("APPLIED", about[0]))
    bus = a_bus(*told, rules=RULES)
    for place in order:
        bus.send(told[place][0])
    summary = bus.summary()
    assert [unmet_by(summary, state, RULES).conditions for state in summary.terms] == [[], []]


def test_the_grade_is_told_of_whatever_the_repair_lacks() -> None:
    about = decision("Penalty")
    bus = a_bus(about, granted := repair("GRANTED", about[0]), rules=RULES)
    bus.send(about[0])
    bus.send(granted[0])
    assert bus.alerts()[-2:] == ["REPAIR_IRREGULAR", "GRADE_CHANGED"]


@pytest.mark.parametrize(
    ("kind", "decided", "notice", "lacks"),
    [
        ("Penalty", date(2025, 6, 26), None, False),  # 国办发〔2025〕22号 is of the day after
        ("Penalty", date(2025, 6, 27), None, True),
        ("Penalty", date(2026, 11, 1), date(2026, 11, 1), False),
        ("ListDecision", date(2026, 11, 1), None, True),
        ("CourtEnforcement", date(2026, 11, 1), None, False),
    ],
)
def test_the_notice_how_to_repair_comes_with_the_decision(
    kind: str, decided: date, notice: date | None, lacks: bool
) -> None:
    record = make_record(kind, decided_on=day_of(decided))
    assert lacks_notice(record, {"repair_notice_on": notice, "action": "LIST"}, RULES) is lacks
    assert not lacks_notice(record, {"repair_notice_on": None, "action": "DELIST"}, RULES)


def test_a_notice_that_did_not_come_is_owed_until_a_correction_tells_of_it() -> None:
    about = decision("Penalty", repair_notice_on=None)
    mended = make_record(revision=2), {**about[1], "repair_notice_on": DAY}
    bus = a_bus(about, mended, rules=RULES)
    bus.send(about[0])
    receipt = receipt_of(bus.summary(), RULES, day_of(DAY))
    assert receipt is not None
    assert receipt.notices_owed == (about[0].document_number,)
    bus.send(mended[0])
    receipt = receipt_of(bus.summary(), RULES, day_of(DAY))
    assert receipt is not None
    assert receipt.notices_owed == ()
