"""Assessment of departments: what is late, how shares become a score, and who is added up with whom."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from builders import make_rules
from creditbus.core.assessment import Duty, Indicator, Reported, Tally, assess, is_late, level_of, score_of
from creditbus.core.calendar import CalendarYear, WorkingCalendar

RULES = make_rules()
INDICATORS = [
    Indicator(code="T", kind="SCORED", weight=25, metric="timely"),
    Indicator(code="C", kind="SCORED", weight=75, metric="compliant"),
    Indicator(code="X", kind="SCORED", weight=50, metric=""),
    Indicator(code="P", kind="PENALTY", weight=20, metric="corrected"),
]


def reported(**changes: Any) -> Reported:
    values: dict[str, Any] = {
        "sender": "150100-scjg", "item": "C03-PENALTY", "region": "150102", "decided_on": date(2026, 11, 2),
        "reported_on": date(2026, 11, 3), "records": 10, "corrected": 0,
    }  # fmt: skip
    return Reported(**{**values, **changes})


@pytest.mark.parametrize(("day", "late"), [(11, False), (12, True)])
def test_late_is_after_the_items_working_days_not_days(day: int, late: bool) -> None:
    """2026-11-02 is a Monday: seven working days end on Wednesday the 11th."""
    assert is_late(reported(reported_on=date(2026, 11, day)), RULES) == late


def test_what_came_with_an_initial_load_is_not_late() -> None:
    row = reported(reported_on=date(2026, 11, 30), loaded=4)
    assert assess([row], {}, {}, RULES).departments["150100-scjg"].late == 6


def test_a_holiday_does_not_make_late() -> None:
    year = CalendarYear(holidays=frozenset({date(2026, 11, 9)}), workdays=frozenset())
    rules = make_rules(calendar=WorkingCalendar(years={2026: year}, fixed_holidays=frozenset()))
    assert not is_late(reported(reported_on=date(2026, 11, 12)), rules)


def test_records_are_added_up_by_department_league_and_level() -> None:
    rows = [reported(), reported(region="150100", records=5), reported(sender="150000-gy", region="150000", records=1)]
    found = assess(rows, {"150100-scjg": 5}, {"150100-scjg": ["C03-PENALTY", "C03-PERMIT"], "silent": ["x"]}, RULES)
    assert {name: one.accepted for name, one in found.leagues.items()} == {"150100": 15, "150000": 1}
    assert {name: one.accepted for name, one in found.levels.items()} == {"COUNTY": 10, "LEAGUE": 5, "REGION": 1}
    assert found.departments["150100-scjg"].shares() == {
        "timely": 1.0, "corrected": 0.0, "compliant": 0.75, "coverage": 0.5,
    }  # fmt: skip
    assert found.departments["silent"].shares() == {"coverage": 0.0}


def test_a_score_is_made_of_what_could_be_measured_alone() -> None:
    tally = Tally(accepted=60, rejected=20, late=30, corrected=6)
    assert score_of(tally, INDICATORS) == pytest.approx(25 * 0.5 + 75 * 0.75 - 20 * 0.1, abs=0.05)
    assert score_of(Tally(), INDICATORS) is None


def test_duties_are_counted_by_department_league_and_level() -> None:
    duties = [
        Duty(sender="150100-scjg", region="150102", metric="noticed", is_done=done) for done in (True, True, False)
    ]
    found = assess([], {}, {}, RULES, duties=duties)
    assert found.departments["150100-scjg"].shares() == {"noticed": pytest.approx(2 / 3)}
    assert found.leagues["150100"].duties == found.levels["COUNTY"].duties == {"noticed": (2, 3)}


def test_volume_does_not_offset_rights() -> None:
    rights = Indicator(code="R", kind="RIGHTS", weight=1, metric="timely", floor=0.9, cap=60)
    assert score_of(Tally(accepted=100, late=20), [*INDICATORS[1:2], rights]) == 60
    assert (score_of(Tally(accepted=100, late=5), [*INDICATORS[1:2], rights]) or 0) > 99


def test_the_level_is_that_of_the_region_of_the_decision() -> None:
    assert [level_of(code) for code in ("150000", "150100", "150102")] == ["REGION", "LEAGUE", "COUNTY"]
