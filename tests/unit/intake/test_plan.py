"""Every kind, code, scheme, grade and honour that a row of the plan names is taken as an event and becomes a record."""

from __future__ import annotations

from typing import Any

import pytest

from creditbus.catalogue.loader import load
from creditbus.catalogue.plan import load_plan
from intake_harness import SENDERS, Intake, example, rules

CATALOGUE = load()
NAMED = sorted({reference for row in load_plan() for reference in row.by})
OF_FACTS = [one for one in NAMED if one.startswith(("kind:", "code:", "rating:", "honor:", "item:"))]


def event_of(reference: str) -> dict[str, Any]:
    """An event that uses what is named."""
    what, _, name = reference.partition(":")
    if what == "rating":
        scheme = next(row for row in CATALOGUE.ratings if row.code == name)
        return example("Rating", facts__scheme=name, facts__grade=scheme.grades[-1])
    if what == "honor":
        return example("Honor", facts__honor=name)
    if what == "code":
        field, _, value = name.partition(":")
        kind, _, fact = field.partition(".")
        return example(kind, **{f"facts__{fact}": value})
    return example(name) if what == "kind" else of_item(name)


def sender_of(reference: str) -> str:
    """A department that may send it; empty: the one of its kind."""
    what, _, name = reference.partition(":")
    schemes = {row.code: row.raters for row in CATALOGUE.ratings}
    items = {row.code: row.providers for row in CATALOGUE.items}
    domains = schemes[name] if what == "rating" else items[name] if what == "item" else ()
    return next((row.code for row in CATALOGUE.departments if row.domain in domains), "")


def of_item(code: str) -> dict[str, Any]:
    """An event of an item, about a subject that it takes."""
    item = next(row for row in CATALOGUE.items if row.code == code)
    event = example(item.kinds[0], item=code)
    if code == "C05-ABNORMAL":
        event = example("ListDecision", item=code, facts__list="L20", bases=[{"instrument": "QYXXGS", "article": "1"}])
    for name, values in item.takes.items():
        event["facts"][name] = values[0]
    if "LEGAL_PERSON" not in item.subjects:
        event["subject"] = example("Practitioner")["subject"]
    if item.needs_basis:
        event.setdefault("bases", [{"instrument": "NMGSHXY", "article": "第三十条"}])
    return event


@pytest.mark.parametrize("reference", OF_FACTS)
def test_what_the_plan_names_becomes_a_record(reference: str) -> None:
    result = Intake().send(event_of(reference), sender_of(reference))
    assert result.rejections == []
    assert len(result.records) == 1


def in_force(listed: Any) -> str:
    """An instrument of a list that was in force on the day of the examples."""
    spans = {row.code: (row.since, row.until) for row in CATALOGUE.instruments}
    return next(str(code) for code in listed.basis if spans[code][1] is None)


def test_every_grade_of_every_scheme_is_taken_and_no_other() -> None:
    for scheme in CATALOGUE.ratings:
        by = sender_of(f"rating:{scheme.code}")
        for grade in scheme.grades:
            assert Intake().send(example("Rating", facts__scheme=scheme.code, facts__grade=grade), by).records
        wrong = Intake().send(example("Rating", facts__scheme=scheme.code, facts__grade="ZZZ"), by)
        assert wrong.faults == [("unknown-code", "facts.grade")]


@pytest.mark.parametrize("listed", CATALOGUE.lists, ids=lambda row: row.code)
def test_every_list_takes_decisions_of_its_own_authorities_and_of_no_others(listed: Any) -> None:
    if "ListDecision" not in listed.entry_kinds:  # the courts' list is entered by the courts' own kind of event
        assert Intake().send(example(listed.entry_kinds[0])).rejections == []
        return
    event = example("ListDecision", facts__list=listed.code, bases=[{"instrument": in_force(listed), "article": "1"}])
    if "LEGAL_PERSON" not in listed.subjects:
        event["subject"] = example("Practitioner")["subject"]
    own = [row.code for row in CATALOGUE.departments if row.domain in listed.domains]
    foreign = [row.code for row in CATALOGUE.departments if row.domain not in listed.domains]
    assert Intake().send(event, own[0]).rejections == []
    assert ("item-not-allowed", "facts.list") in Intake().send(event, foreign[0]).faults


def test_traffic_violations_of_citizens_have_no_code_and_are_refused() -> None:
    """行动计划第132行：无法律依据不得归集 (domain.md 0.1-9)."""
    event = example("Finding", facts__category="TRAFFIC_VIOLATION")
    assert Intake().send(event).faults == [("unknown-code", "facts.category")]


def test_every_item_is_used_by_some_department() -> None:
    assert set(SENDERS.values()) <= rules().departments.keys()
    for item in CATALOGUE.items:
        result = Intake().send(of_item(item.code), SENDERS.get(item.kinds[0], "150000-scjg"))
        faults = [] if result.records else result.faults
        assert all(code != "unknown-item" for code, _ in faults), item.code
