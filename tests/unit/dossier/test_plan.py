"""Every list and measure of the catalogue: a listing gives the orders that name it, and its end takes them back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from builders import COURT, DAY, make_record, target_of
from creditbus.catalogue.loader import load
from creditbus.core.records import MeasureOrder
from intake_harness import rules
from partition import Bus, a_bus

CATALOGUE = load()
LISTS = {row.code: row for row in CATALOGUE.lists}


def listed(code: str, subject_kind: str) -> tuple[Bus, Any]:
    """A subject on a list, by the catalogue as it is."""
    row = LISTS[code]
    kind = row.entry_kinds[0]
    procedure = {"notice_number": "告〔2026〕1号", "notice_on": DAY, "heard_on": DAY, "served_on": DAY}
    decided: dict[str, Any] = {
        "effective_on": DAY,
        "published_on": DAY,
        "list": code,
        "action": "LIST",
        "ground": "G2",
        "stage": "ISSUED",
    }
    facts = {**decided, **procedure}
    record = make_record(kind, subject_kind=subject_kind, sender="150000-gy")
    bus = a_bus((record, facts), rules=rules())
    bus.send(record)
    return bus, record


def delisted(bus: Bus, record: Any) -> None:
    """The authority takes the subject off."""
    removal = make_record(
        "Revocation", number="〔2026〕撤1号", authority=COURT, target_key=record.natural_key,
        subject_kind=record.subject_kind,
    )  # fmt: skip
    bus._facts[removal.record_id] = {"target": target_of(record), "reason": "x", "revoked_on": DAY}  # type: ignore[index]
    bus.send(removal)


def orders(bus: Bus, action: str) -> set[tuple[str, str]]:
    """(measure, binding) of every order of an action so far."""
    found = [one for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == action]
    return {(one.measure, one.binding) for one in found}


@pytest.mark.parametrize("code", sorted(LISTS))
def test_a_listing_gives_exactly_the_published_measures_that_name_it_and_its_end_lifts_them(code: str) -> None:
    for kind in LISTS[code].subjects:
        bus, record = listed(code, kind)
        assert [one.list_code for one in bus.summary().listings] == [code]
        due = {(row.code, row.binding) for row in CATALOGUE.measures if code in row.lists and kind in row.subjects}
        assert orders(bus, "ORDER") == due
        delisted(bus, record)
        assert bus.summary().listings == []
        assert orders(bus, "LIFT") == due


@pytest.mark.parametrize("row", CATALOGUE.measures, ids=lambda row: row.code)
def test_every_measure_is_ordered_by_some_list_and_rests_on_a_basis(row: Any) -> None:
    assert row.basis
    assert all(LISTS[code] for code in row.lists)
    kinds = {kind for code in row.lists for kind in LISTS[code].subjects}
    assert set(row.subjects) & kinds, "no list of the measure has such a subject"


@pytest.mark.parametrize("code", sorted(LISTS))
def test_a_person_is_listed_only_where_the_list_takes_persons_and_is_never_scored(code: str) -> None:
    bus, _ = listed(code, "NATURAL_PERSON")
    takes = "NATURAL_PERSON" in LISTS[code].subjects
    assert [one.list_code for one in bus.summary().listings] == ([code] if takes else [])
    assert bus.summary().score is None
    assert bus.summary().entries == []


def test_a_measure_that_was_not_published_when_the_conduct_was_decided_is_not_ordered() -> None:
    row = LISTS["L01"]
    record = make_record(row.entry_kinds[0], decided_on=(date(2021, 12, 1) - date(1970, 1, 1)).days)
    bus = a_bus((record, {"published_on": DAY, "ground": "G2"}), rules=rules())
    bus.send(record)
    assert orders(bus, "ORDER") == set()
