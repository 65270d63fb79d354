"""Orders of courts that limit consumption (限制消费令): no list, with measures, a term and an end of their own."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.loader import load
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.core.records import day_of
from creditbus.lab.sandbox import Emitted, RefusedEventError, Sandbox

CATALOGUE = load()
TODAY = date(2026, 12, 1)
DECIDED = TODAY - timedelta(days=1)
COURT = next(one for one in CATALOGUE.departments if one.code == "150100-zy")
(ORDER,) = (row for row in CATALOGUE.lists if row.nature == "ORDER")
SUBJECTS = {
    "LEGAL_PERSON": ("USCC", synthetic_uscc("91", "150102", 9_101)),
    "SOLE_TRADER": ("USCC", synthetic_uscc("92", "150102", 9_102)),
    "NATURAL_PERSON": ("CITIZEN", synthetic_citizen("150102", date(1980, 2, 29))),
}


def event(kind: str = "LEGAL_PERSON", number: str = "限1号", decided: date = DECIDED, **facts: Any) -> dict[str, Any]:
    scheme, value = SUBJECTS[kind]
    return {
        "kind": "RestrictionOrder",
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {number}")),
        "item": "C02-RESTRICTION",
        "authority": authority_code(COURT.region, COURT.sequence),
        "region": COURT.region,
        "reported_at": f"{TODAY}T08:00:00+08:00",
        "fictitious": True,
        "subject": {"kind": kind, "name": "虚构主体甲", "identifiers": [{"scheme": scheme, "value": value}]},
        "document": {"number": number, "decided_on": str(decided)},
        "bases": [{"instrument": "FS2010-8", "article": "第一条"}],
        "facts": {"stage": "ISSUED", "case_number": "x", "court": "x", **facts},
    }


def about(order: dict[str, Any]) -> dict[str, str]:
    return {
        "kind": "RestrictionOrder",
        "authority": order["authority"],
        "document_number": order["document"]["number"],
    }


def of_type(emitted: list[Emitted], record: str) -> list[dict[str, Any]]:
    return [dict(one.value) for one in emitted if one.record == record]


@pytest.mark.parametrize("kind", ORDER.subjects)
def test_an_order_stands_by_itself_with_its_own_measures_and_is_no_list(kind: str) -> None:
    sandbox = Sandbox(CATALOGUE, TODAY)
    emitted = sandbox.send(COURT.code, event(kind))
    (change,) = of_type(emitted, "ListingChange")
    assert (change["list"], change["state"], change["until"]) == (ORDER.code, "LISTED", None)
    assert "限制消费令" in change["text_zh"]
    assert "列入" not in change["text_zh"]
    due = sorted(one.code for one in CATALOGUE.measures if ORDER.code in one.lists and kind in one.subjects)
    assert sorted(one["measure"] for one in of_type(emitted, "MeasureOrder")) == due
    assert due
    assert of_type(emitted, "Alert") == [], "nobody is called dishonest because of it"
    (dossier,) = of_type(emitted, "Dossier")
    assert (dossier["listed"], dossier["lists"], dossier["court_orders"]) == (False, [], [ORDER.code])
    (summary,) = sandbox.summaries()
    assert summary.score == (800 if kind == "LEGAL_PERSON" else None), "and it takes no points off"


@pytest.mark.parametrize("row", CATALOGUE.consumption, ids=lambda row: row.code)
def test_each_kind_of_consumption_may_be_named_and_goes_to_who_carries_it_out(row: Any) -> None:
    emitted = Sandbox(CATALOGUE, TODAY).send(COURT.code, event(consumptions=[row.code]))
    assert [one["scope"] for one in of_type(emitted, "MeasureOrder")] == [[row.code]]


def test_the_court_lifts_it_and_its_measures_end() -> None:
    sandbox = Sandbox(CATALOGUE, TODAY)
    order = event()
    ordered = of_type(sandbox.send(COURT.code, order), "MeasureOrder")
    lifted = event(number="解1号", stage="LIFTED", target=about(order), reason="已履行")
    emitted = sandbox.send(COURT.code, lifted)
    (change,) = of_type(emitted, "ListingChange")
    assert (change["state"], change["cause"]) == ("REMOVED", "LIFTED")
    assert [(one["action"], one["order_id"]) for one in of_type(emitted, "MeasureOrder")] == [
        ("LIFT", one["order_id"]) for one in ordered
    ]


def test_a_term_that_the_order_sets_ends_it_by_itself() -> None:
    sandbox = Sandbox(CATALOGUE, TODAY)
    (change,) = of_type(sandbox.send(COURT.code, event(term_months=1)), "ListingChange")
    assert change["until"] == day_of(date(2026, 12, 30))
    later = list(sandbox.pass_to(date(2027, 1, 2)))
    assert [(one["state"], one["cause"]) for one in of_type(later, "ListingChange")] == [("REMOVED", "EXPIRED")]
    assert [one["action"] for one in of_type(later, "MeasureOrder")] == ["LIFT"]


def test_an_exemption_for_living_or_business_needs_is_on_file_and_lifts_nothing() -> None:
    """法释〔2010〕8号 Art. 8."""
    sandbox = Sandbox(CATALOGUE, TODAY)
    order = event()
    sandbox.send(COURT.code, order)
    exempted = event(
        number="准1号", stage="EXEMPTED", target=about(order), consumptions=["TRANSPORT"], valid_from=str(TODAY),
        valid_until=str(TODAY + timedelta(days=3)), reason="奔丧（虚构）",
    )  # fmt: skip
    emitted = sandbox.send(COURT.code, exempted)
    assert of_type(emitted, "MeasureOrder") + of_type(emitted, "ListingChange") == []
    (summary,) = sandbox.summaries()
    assert summary.counts["RestrictionOrder"] == 2


def test_order_and_listing_go_their_own_ways() -> None:
    """Being off the courts' list of dishonest debtors lifts what followed from that list only."""
    sandbox = Sandbox(CATALOGUE, TODAY)
    order = event()
    sandbox.send(COURT.code, order)
    entry = event(number="执1号")
    entry |= {"kind": "CourtEnforcement", "item": "C02-ENFORCEMENT", "bases": [{"instrument": "FS2017-7"}]}
    entry["facts"] = {
        "case_number": "x", "court": "x", "basis_number": "x", "basis_body": "x", "filed_on": str(DECIDED),
        "obligation": "x", "performance": "NONE", "ground": "G2", "published_on": str(DECIDED),
    }  # fmt: skip
    listed = of_type(sandbox.send(COURT.code, entry), "MeasureOrder")
    revoked = event(number="撤1号") | {"kind": "Revocation", "item": "P03-REVOCATION"}
    target = {"kind": "CourtEnforcement", "authority": entry["authority"], "document_number": "执1号"}
    revoked["facts"] = {"target": target, "reason": "x", "revoked_on": str(TODAY)}
    emitted = sandbox.send(COURT.code, revoked)
    assert {one["order_id"] for one in of_type(emitted, "MeasureOrder")} == {one["order_id"] for one in listed}
    (summary,) = sandbox.summaries()
    assert [(one.list_code, one.is_order) for one in summary.listings] == [(ORDER.code, True)]


def test_a_responsible_person_has_an_order_of_its_own_that_names_that_of_the_firm() -> None:
    sandbox = Sandbox(CATALOGUE, TODAY)
    firm = event()
    sandbox.send(COURT.code, firm)
    with pytest.raises(RefusedEventError, match="missing-condition: facts.related_decision"):
        sandbox.send(COURT.code, event("NATURAL_PERSON", "限2号", role="PRINCIPAL"))
    person = event("NATURAL_PERSON", "限2号", role="PRINCIPAL", related_decision=about(firm))
    (change,) = of_type(sandbox.send(COURT.code, person), "ListingChange")
    assert (change["subject_kind"], change["basis"]) == ("NATURAL_PERSON", list(ORDER.basis))
    lifted = event(number="解1号", stage="LIFTED", target=about(firm), reason="x")
    assert len(of_type(sandbox.send(COURT.code, lifted), "ListingChange")) == 1, "that of the person is the court's too"


CASE = {"case_number": "x", "court": "x"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bases": [{"instrument": "XZCFF"}]}, "list-basis: bases"),
        ({"facts": {"stage": "LIFTED", "reason": "x", **CASE}}, "missing-condition: facts.target"),
        ({"facts": {"stage": "ISSUED", "consumptions": ["FOOD"], **CASE}}, "unknown-code: facts.consumptions"),
        ({"facts": {"stage": "MADE", **CASE}}, "unknown-code: facts.stage"),
    ],
)
def test_what_is_incomplete_or_has_no_basis_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedEventError, match=told):
        Sandbox(CATALOGUE, TODAY).send(COURT.code, event() | changes)


def test_a_minor_gets_none_and_no_office_but_a_court_makes_one() -> None:
    minor = event("NATURAL_PERSON")
    minor["subject"]["identifiers"][0]["value"] = synthetic_citizen("150102", date(2012, 2, 1))
    with pytest.raises(RefusedEventError, match="minor"):
        Sandbox(CATALOGUE, TODAY).send(COURT.code, minor)
    with pytest.raises(RefusedEventError, match="item-not-allowed: item"):
        Sandbox(CATALOGUE, TODAY).send("150000-scjg", event())
