"""保障性住房个人信用“黑名单” (row 111 of the plan): held by the supplement of whoever has a local regulation for it."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import COURT, DAY, make_record, target_of
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.errors import CatalogueError
from creditbus.catalogue.loader import DATA, load
from creditbus.catalogue.supplements import supplemented
from creditbus.core.records import Alert, MeasureOrder, day_of
from creditbus.core.rules import Rules
from intake_harness import Intake, example
from partition import Bus, a_bus, ticks

SUPPLEMENT = Path(__file__).parents[3] / "deploy" / "examples" / "supplements" / "150000.yaml"
LIST, MEASURE, HOUSING = "150000-L01", "150000-M10-HOUSING", "150000-zjt"
BASES = [{"instrument": "150000-BZZF", "article": "第二十条"}]
PROCEDURE = {"notice_number": "告〔2026〕1号", "notice_on": DAY, "heard_on": DAY, "served_on": DAY}
DECIDED = {"list": LIST, "action": "LIST", "effective_on": DAY, "published_on": DAY, **PROCEDURE}


@lru_cache
def rules() -> Rules:
    return compile_rules(edition_of(supplemented(load(DATA), [SUPPLEMENT])))


def listed(**facts: Any) -> tuple[Bus, Any]:
    """A person for whom the housing department decided a listing."""
    record = make_record(
        "ListDecision", subject_kind="NATURAL_PERSON", sender=HOUSING, region="150000", authority=COURT
    )
    bus = a_bus((record, {**DECIDED, **facts}), rules=rules())
    bus.send(record)
    return bus, record


def orders(bus: Bus, action: str) -> list[str]:
    return [one.measure for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == action]


def test_intake_takes_decisions_of_the_housing_authority_about_persons_and_of_nobody_else() -> None:
    person = example("Practitioner")["subject"]
    event = example("ListDecision", region="150000", facts__list=LIST, facts__term_months=None, bases=BASES)
    event["subject"] = person
    intake = Intake(catalogue=rules())
    assert intake.send(event, HOUSING).records
    assert intake.send(event, "150000-sthj").faults == [("item-not-allowed", "facts.list")]
    assert ("unknown-code", "facts.list") in Intake().send(event, HOUSING).faults, (
        "without the supplement there is none"
    )


def test_a_person_is_listed_with_a_measure_until_the_term_ends_and_is_never_scored() -> None:
    bus, _ = listed()
    [listing] = bus.summary().listings
    assert (listing.list_code, orders(bus, "ORDER")) == (LIST, [MEASURE])
    assert listing.until is not None
    assert day_of(DAY + timedelta(days=3 * 365)) <= listing.until <= day_of(DAY + timedelta(days=3 * 366))
    assert bus.summary().score is None
    bus.send(*ticks(3 * 366))
    assert bus.summary().listings == []
    assert orders(bus, "LIFT") == [MEASURE], "the measure ends with the listing, by itself"


@pytest.mark.parametrize("missing", ["notice_on", "heard_on", "served_on"])
def test_nobody_is_listed_without_notice_hearing_and_service(missing: str) -> None:
    bus, _ = listed(**{missing: None})
    assert bus.summary().listings == []
    assert orders(bus, "ORDER") == []


def test_a_granted_repair_takes_the_person_off_and_lifts_the_measure() -> None:
    bus, record = listed()
    repair = make_record(
        "Repair", number="修1号", subject_kind="NATURAL_PERSON", target_key=record.natural_key, authority=COURT
    )
    granted = {"stage": "GRANTED", "target": target_of(record)}
    bus._facts = {**bus._facts, repair.record_id: granted}
    bus.send(repair)
    assert bus.summary().listings == []
    assert orders(bus, "LIFT") == [MEASURE]
    told = [one.kind for one in bus.emissions if isinstance(one, Alert)]
    assert told == ["REPAIR_IRREGULAR"], (
        "it came before six months and without the home given back: its office hears of it"
    )


@pytest.mark.parametrize(
    ("theme", "values", "told"),
    [
        ("measures", {"effect": "RIGHTS"}, "what takes rights needs a law or an administrative regulation"),
        ("lists", {"basis": ["XZCFF"]}, "basis"),
        ("instruments", {"level": "DEPARTMENT_RULE"}, "a supplement rests on a local regulation"),
    ],
)
def test_what_a_regulation_of_a_region_cannot_carry_is_refused(
    theme: str, values: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplement = yaml.safe_load(SUPPLEMENT.read_text(encoding="utf-8"))
    supplement[theme][0].update(values)
    (tmp_path / "150000.yaml").write_text(yaml.safe_dump(supplement, allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv("CREDITBUS_SUPPLEMENTS", str(tmp_path))
    with pytest.raises(CatalogueError, match=told):
        load()
