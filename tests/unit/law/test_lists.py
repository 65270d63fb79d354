"""Each list of the catalogue, as the law has it: who may list, after which steps, with which measures, until when."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import GroundRow, ListRow
from creditbus.core.calendar import add_months
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.core.records import date_of, day_of
from creditbus.lab.sandbox import Emitted, RefusedEventError, Sandbox

CATALOGUE = load()
TODAY = date(2026, 12, 1)
DECIDED = TODAY - timedelta(days=1)
ADULT = synthetic_citizen("150102", date(1980, 2, 29))
CODES = {"LEGAL_PERSON": synthetic_uscc("91", "150102", 9_001), "SOLE_TRADER": synthetic_uscc("92", "150102", 9_002)}
LISTS = [row for row in CATALOGUE.lists if row.nature == "LIST"]
"""The orders of courts have a file of their own."""
CASES = [(row, kind) for row in LISTS for kind in row.subjects]
IDS = [f"{row.code}-{kind}" for row, kind in CASES]


def subject_of(kind: str) -> dict[str, Any]:
    scheme, value = ("CITIZEN", ADULT) if kind == "NATURAL_PERSON" else ("USCC", CODES[kind])
    return {"kind": kind, "name": "虚构主体甲", "identifiers": [{"scheme": scheme, "value": value}]}


def listing(row: ListRow, kind: str, decided: date = DECIDED, **facts: Any) -> tuple[str, dict[str, Any]]:
    """(sender, event) that puts a subject of a kind on the list: everything done that the law asks for."""
    sender = next(one for one in CATALOGUE.departments if one.domain in row.domains)
    by_court = "CourtEnforcement" in row.entry_kinds
    item = "C02-ENFORCEMENT" if by_court else "C06-LISTS" if row.severe else "C05-ABNORMAL"
    steps = {
        "notice_number": f"告{row.code}",
        "notice_on": str(decided - timedelta(days=40)),
        "heard_on": str(decided - timedelta(days=20)),
        "served_on": str(decided),
    }
    told: dict[str, Any] = {"list": row.code, "action": "LIST", "ground": "x", "effective_on": str(decided), **steps}
    if by_court:
        told = {
            "case_number": "x", "court": "x", "basis_number": "x", "basis_body": "x", "filed_on": str(decided),
            "obligation": "x", "performance": "NONE", "ground": "G2", "published_on": str(decided),
        }  # fmt: skip
    return sender.code, {
        "kind": "CourtEnforcement" if by_court else "ListDecision",
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.code} {kind}")),
        "item": item,
        "authority": authority_code(sender.region, sender.sequence),
        "region": sender.region,
        "reported_at": f"{TODAY}T08:00:00+08:00",
        "fictitious": True,
        "subject": subject_of(kind),
        "document": {"number": f"列{row.code}", "decided_on": str(decided)},
        "bases": [{"instrument": instrument_in_force(row, decided)}],
        "facts": {**told, **facts},
    }


def instrument_in_force(listed: ListRow, day: date) -> str:
    spans = {row.code: (row.since, row.until or date.max) for row in CATALOGUE.instruments}
    return next(code for code in listed.basis if spans[code][0] <= day <= spans[code][1])


def of_type(emitted: list[Emitted], record: str) -> list[dict[str, Any]]:
    return [dict(one.value) for one in emitted if one.record == record]


@pytest.mark.parametrize(("row", "kind"), CASES, ids=IDS)
def test_a_complete_decision_lists_with_exactly_the_catalogued_measures(row: ListRow, kind: str) -> None:
    emitted = Sandbox(CATALOGUE, TODAY).send(*listing(row, kind))
    (change,) = of_type(emitted, "ListingChange")
    assert (change["list"], change["state"], change["effective_on"]) == (row.code, "LISTED", day_of(DECIDED))
    assert change["basis"] == list(row.basis)
    measures = [
        one for one in CATALOGUE.measures if row.code in one.lists and kind in one.subjects and one.since <= DECIDED
    ]
    orders = of_type(emitted, "MeasureOrder")
    assert sorted(one["measure"] for one in orders) == sorted(one.code for one in measures)
    bindings = {one.code: one.binding for one in measures}
    assert all(one["binding"] == bindings[one["measure"]] and one["basis"] for one in orders)
    assert [one["kind"] for one in of_type(emitted, "Alert")] == (["DISHONEST_SUBJECT"] if row.severe else [])


@pytest.mark.parametrize(("row", "kind"), CASES, ids=IDS)
def test_it_ends_by_itself_on_its_day_and_every_measure_with_it(row: ListRow, kind: str) -> None:
    """A decision of so long ago that its last day is tomorrow; one without a term stays."""
    if row.term_months is None:
        sandbox = Sandbox(CATALOGUE, TODAY)
        sandbox.send(*listing(row, kind))
        later = list(sandbox.pass_to(TODAY + timedelta(days=40)))
        assert of_type(later, "ListingChange") + of_type(later, "MeasureOrder") == []
        return
    decided = add_months(TODAY + timedelta(days=1), -row.term_months)
    until = add_months(decided, row.term_months)
    sandbox = Sandbox(CATALOGUE, TODAY)
    listed = sandbox.send(*listing(row, kind, decided))
    assert of_type(listed, "ListingChange")[0]["until"] == day_of(until)
    assert [one for one in sandbox.pass_to(until) if one.record != "Change"] == []
    ended = list(sandbox.pass_to(until + timedelta(days=2)))
    (change,) = of_type(ended, "ListingChange")
    assert (change["state"], change["cause"]) == ("REMOVED", "EXPIRED")
    assert date_of((change["at"] + 8 * 3_600_000) // 86_400_000) == until + timedelta(days=1)
    ordered = {one["order_id"] for one in of_type(listed, "MeasureOrder")}
    assert {one["order_id"] for one in of_type(ended, "MeasureOrder")} == ordered


@pytest.mark.parametrize("row", [row for row in CATALOGUE.lists if row.steps], ids=lambda row: row.code)
@pytest.mark.parametrize("step", ["notice_on", "heard_on", "served_on"])
def test_without_one_of_its_steps_it_has_no_effect(row: ListRow, step: str) -> None:
    without: dict[str, Any] = {step: None}
    emitted = Sandbox(CATALOGUE, TODAY).send(*listing(row, row.subjects[0], DECIDED, **without))
    assert {one.record for one in emitted} <= {"Change", "Dossier"}


@pytest.mark.parametrize(
    "row", [row for row in CATALOGUE.lists if "ListDecision" in row.entry_kinds], ids=lambda row: row.code
)
def test_a_department_of_another_domain_may_not_decide_it(row: ListRow) -> None:
    sender, event = listing(row, row.subjects[0])
    other = next(one for one in CATALOGUE.departments if one.domain not in row.domains and one.code != sender)
    event = {**event, "authority": authority_code(other.region, other.sequence)}
    with pytest.raises(RefusedEventError, match="item-not-allowed"):
        Sandbox(CATALOGUE, TODAY).send(other.code, event)


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.code)
def test_a_kind_of_subject_that_the_list_does_not_name_is_never_on_it(row: ListRow) -> None:
    others = [kind for kind in ("LEGAL_PERSON", "SOLE_TRADER", "NATURAL_PERSON") if kind not in row.subjects]
    for kind in others:
        try:
            emitted = Sandbox(CATALOGUE, TODAY).send(*listing(row, kind))
        except RefusedEventError:
            continue
        assert of_type(emitted, "ListingChange") == []


def test_a_measure_that_was_published_after_the_decision_does_not_follow_from_it() -> None:
    row = next(one for one in CATALOGUE.lists if one.term_months is None)
    decided = min(one.since for one in CATALOGUE.measures if row.code in one.lists) - timedelta(days=1)
    emitted = Sandbox(CATALOGUE, TODAY).send(*listing(row, "LEGAL_PERSON", decided))
    assert of_type(emitted, "ListingChange")
    assert of_type(emitted, "MeasureOrder") == []


COURT = next(row for row in CATALOGUE.lists if row.code == "L01")
ABNORMAL = next(row for row in CATALOGUE.lists if row.code == "L20")


@pytest.mark.parametrize("ground", CATALOGUE.grounds, ids=lambda ground: ground.ground)
def test_each_ground_of_the_court_s_list_has_its_own_term(ground: GroundRow) -> None:
    """法释〔2017〕7号 Art. 2: two years for grounds 2 to 6; for the first until the duty is performed."""
    (change,) = of_type(
        Sandbox(CATALOGUE, TODAY).send(*listing(COURT, "LEGAL_PERSON", ground=ground.ground)), "ListingChange"
    )
    months = ground.term_months
    assert change["until"] == (day_of(add_months(DECIDED, months)) if months is not None else None)


def test_violence_or_several_acts_make_the_term_of_the_court_s_list_longer() -> None:
    facts: dict[str, Any] = {"extension_months": 12, "extension_ground": "VIOLENCE"}
    (change,) = of_type(Sandbox(CATALOGUE, TODAY).send(*listing(COURT, "LEGAL_PERSON", **facts)), "ListingChange")
    assert change["until"] == day_of(add_months(DECIDED, 36))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"extension_months": 48, "extension_ground": "VIOLENCE"}, "bad-term: facts.extension_months"),
        ({"extension_months": 12}, "missing-condition: facts.extension_ground"),
        ({"extension_ground": "SEVERAL_ACTS"}, "missing-condition: facts.extension_months"),
    ],
)
def test_an_extension_has_its_ground_and_its_measure(facts: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedEventError, match=told):
        Sandbox(CATALOGUE, TODAY).send(*listing(COURT, "LEGAL_PERSON", **facts))


def test_who_has_performed_in_full_is_not_put_on_the_court_s_list_and_a_correction_that_says_so_takes_it_off() -> None:
    assert of_type(Sandbox(CATALOGUE, TODAY).send(*listing(COURT, "LEGAL_PERSON", performance="FULL")), "Alert") == []
    sandbox = Sandbox(CATALOGUE, TODAY)
    sender, event = listing(COURT, "LEGAL_PERSON")
    ordered = of_type(sandbox.send(sender, event), "MeasureOrder")
    corrected = {**event, "revision": 2, "facts": {**event["facts"], "performance": "FULL"}}
    emitted = sandbox.send(sender, corrected)
    assert [one["state"] for one in of_type(emitted, "ListingChange")] == ["REMOVED"]
    assert {one["order_id"] for one in of_type(emitted, "MeasureOrder")} == {one["order_id"] for one in ordered}
    assert {one["action"] for one in of_type(emitted, "MeasureOrder")} == {"LIFT"}


def test_three_years_of_abnormal_operation_are_proposed_to_the_authority_and_list_nobody() -> None:
    decided = add_months(TODAY, -36)
    sandbox = Sandbox(CATALOGUE, TODAY)
    sandbox.send(*listing(ABNORMAL, "LEGAL_PERSON", decided))
    emitted = list(sandbox.pass_to(TODAY + timedelta(days=400)))
    proposals = [one for one in of_type(emitted, "Alert") if one["kind"] == "ESCALATION_PROPOSED"]
    assert [one["lists"] for one in proposals] == [["L20"]]
    assert "市场监督管理严重违法失信名单" in proposals[0]["text_zh"]
    assert of_type(emitted, "ListingChange") + of_type(emitted, "MeasureOrder") == []


def test_who_left_abnormal_operation_in_time_is_not_proposed() -> None:
    decided = add_months(TODAY + timedelta(days=30), -36)
    sandbox = Sandbox(CATALOGUE, TODAY)
    sender, event = listing(ABNORMAL, "LEGAL_PERSON", decided)
    sandbox.send(sender, event)
    target = {"kind": "ListDecision", "authority": event["authority"], "document_number": event["document"]["number"]}
    facts = {**event["facts"], "action": "DELIST", "target": target, "effective_on": str(DECIDED)}
    off = {**event, "event_id": str(uuid.uuid4()), "document": {"number": "移出1", "decided_on": str(DECIDED)}}
    assert of_type(sandbox.send(sender, {**off, "facts": facts}), "ListingChange")[0]["state"] == "REMOVED"
    assert not any(one["kind"] == "ESCALATION_PROPOSED" for one in of_type(
        list(sandbox.pass_to(TODAY + timedelta(days=400))), "Alert"))  # fmt: skip


def test_a_responsible_person_is_listed_by_a_decision_of_its_own_that_names_that_of_the_organisation() -> None:
    row = next(one for one in CATALOGUE.lists if one.code == "L05")
    role: dict[str, Any] = {"role": "LEGAL_REPRESENTATIVE"}
    with pytest.raises(RefusedEventError, match="missing-condition: facts.related_decision"):
        Sandbox(CATALOGUE, TODAY).send(*listing(row, "NATURAL_PERSON", **role))
    sandbox = Sandbox(CATALOGUE, TODAY)
    sender, firm = listing(row, "LEGAL_PERSON")
    sandbox.send(sender, firm)
    related = {"kind": "ListDecision", "authority": firm["authority"], "document_number": firm["document"]["number"]}
    _, person = listing(row, "NATURAL_PERSON", **role, related_decision=related)
    (change,) = of_type(sandbox.send(sender, person), "ListingChange")
    assert (change["state"], change["subject_kind"]) == ("LISTED", "NATURAL_PERSON")
    assert change["basis"], "on a basis of its own"
