"""Supplements of regions: what they add holds in their region only, and they loosen nothing (domain.md 3.1 and 4.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import DAY, make_record, target_of
from creditbus.catalogue.editions import catalogue_from, compile_rules, edition_of
from creditbus.catalogue.errors import CatalogueError
from creditbus.catalogue.loader import DATA, load, problems_of
from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.supplements import supplemented
from creditbus.core.calendar import add_working_days
from creditbus.core.conditions import Proposal, decide_measures
from creditbus.core.records import day_of
from creditbus.core.rules import Rules
from intake_harness import Intake, example
from partition import PENALTY, a_bus

EXAMPLE = Path(__file__).parents[3] / "deploy" / "examples" / "supplements" / "150200.yaml"
BAOTOU, BUREAU, ITEM, LIST, MEASURE = (
    "150200", "150200-sthj", "150200-C03-EMISSION", "150200-L01", "150200-M10-EMISSION",
)  # fmt: skip


@lru_cache
def catalogue() -> Catalogue:
    return supplemented(load(DATA), [EXAMPLE])


@lru_cache
def rules() -> Rules:
    return compile_rules(edition_of(catalogue()))


def test_the_example_is_part_of_the_edition_and_nothing_of_the_catalogue_is_changed() -> None:
    assert list(problems_of(catalogue())) == []
    text = edition_of(catalogue()).text
    assert edition_of(catalogue_from(text)).hash == edition_of(catalogue()).hash != edition_of(load()).hash
    assert {row.code for row in catalogue().items} - {row.code for row in load().items} == {ITEM}
    for theme in ("items", "lists", "measures", "terms", "instruments"):
        before = getattr(load(), theme)
        assert getattr(catalogue(), theme)[: len(before)] == before


def test_the_settings_name_the_folder_and_a_catalogue_s_folder_has_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDITBUS_SUPPLEMENTS", str(EXAMPLE.parent))
    every = supplemented(load(DATA), sorted(EXAMPLE.parent.glob("*.yaml")))
    assert edition_of(load()).hash == edition_of(every).hash
    assert ITEM not in {row.code for row in load(DATA).items}
    monkeypatch.setenv("CREDITBUS_SUPPLEMENTS", str(tmp_path / "nowhere"))
    with pytest.raises(CatalogueError, match="nowhere is no folder; name that of the supplements"):
        load()


# -- what it may not do ------------------------------------------------------------------------------------


def changed(theme: str, **values: Any) -> dict[str, Any]:
    """The example with other values in the first row of a theme."""
    supplement: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    supplement[theme][0].update(values)
    return supplement


WRONG = [
    ("items", {"code": "C03-EMISSION"}, "items: C03-EMISSION: code: begins otherwise"),
    ("items", {"region": "150100"}, "region: 150100 lies outside 150200"),
    ("items", {"conduct": ""}, "conduct: is empty"),
    ("items", {"channel": ""}, "channel: is empty"),
    ("items", {"update": ""}, "update: is empty"),
    ("items", {"providers": []}, "providers: is empty"),
    ("items", {"basis": ["XZCFF"]}, "no local regulation among them"),
    ("items", {"nature": "ADVERSE"}, "what is adverse names its legal basis"),
    ("items", {"kinds": ["CourtEnforcement"]}, "environment may not send CourtEnforcement; leave it to judicial"),
    ("items", {"kinds": ["Divorce"]}, "the catalogue has no Divorce"),
    ("items", {"subjects": ["NATURAL_PERSON"]}, "Inspection is not collected about NATURAL_PERSON"),
    ("instruments", {"level": "LAW"}, "a supplement rests on a local regulation"),
    ("lists", {"scope": "NATIONAL"}, "scope: a list of a supplement is REGIONAL"),
    ("lists", {"entry_kinds": ["CourtEnforcement"]}, "courts' lists and orders are not a region's"),
    ("lists", {"term_months": None}, "a region's list ends by itself"),
    ("lists", {"steps": ["notice"]}, "notice, heard and served come before every listing"),
    ("lists", {"proposes": "L04", "proposes_after_months": 36}, "a region's list leads to no other one"),
    ("repair", {"lists": ["L01"]}, "L01 is no list of its own"),
    ("measures", {"basis": ["NMGGZ"]}, "a region adds measures by a local regulation only"),
    ("measures", {"effect": ""}, "effect: is empty"),
    ("terms", {"working_days": [6]}, "longer than DISPUTE-150000; a region may only shorten it"),
    ("terms", {"extended": 21}, "longer than DISPUTE-150000"),
    ("terms", {"suspends": False}, "DISPUTE-150000 suspends what is disputed"),
    ("terms", {"alert": "REPAIR_OVERDUE"}, "use the same"),
    ("terms", {"region": "150000"}, "region: 150000 lies outside 150200"),
]


@pytest.mark.parametrize(("theme", "values", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_what_would_loosen_or_go_beyond_the_law_is_refused(
    theme: str, values: dict[str, Any], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "150200.yaml"
    path.write_text(yaml.safe_dump(changed(theme, **values), allow_unicode=True), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        supplemented(load(), [path])
    assert told in str(refused.value)
    assert all(line.startswith("150200.yaml: ") for line in str(refused.value).splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("region: '150200'", "zh: Field required"),
        ("region: '150200'\nzh: 分\nen: row\nitems: [{code: 150200-X}]", "items: 150200-X: kinds: Field required"),
        ("- a list", "not readable as a supplement"),
        ("region: '150299'\nzh: 无\nen: none", "150299 is no region, league, city or county of today"),
        ("region: '150200'\nzh: 分\nen: score\nscore: {}", "score: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_no_supplement_is_told_of(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=told):
        supplemented(load(), [path])


def test_two_supplements_may_not_have_a_row_twice() -> None:
    assert any(f"{ITEM}: code: stands twice" in one for one in problems_of(supplemented(load(), [EXAMPLE, EXAMPLE])))


# -- where it holds ----------------------------------------------------------------------------------------


def inspected(**changes: Any) -> dict[str, Any]:
    values = {"item": ITEM, "region": BAOTOU, **changes}
    return example("Inspection", **values)


def test_an_item_of_a_region_is_taken_from_its_departments_about_its_decisions() -> None:
    intake = Intake(catalogue=rules())
    assert intake.send(inspected(), BUREAU).records
    assert intake.send(inspected(region="150203"), BUREAU).records, "a county of it"
    assert intake.send(inspected(region="150100"), BUREAU).faults == [("not-in-region", "item")]
    assert ("not-in-region", "item") in intake.send(inspected(), "150000-sthj").faults
    told = intake.send(inspected(region="150100"), BUREAU).rejections[0]
    assert "150200" in str(told), "it says where it holds"
    assert Intake().send(inspected(), BUREAU).faults == [("unknown-item", "item")]


def test_a_regulation_of_a_region_is_no_basis_elsewhere() -> None:
    bases = [{"instrument": "150200-XYTL", "article": "第九条"}]
    intake = Intake(catalogue=rules())
    assert intake.send(inspected(bases=bases), BUREAU).records
    elsewhere = example("Inspection", bases=bases)
    assert intake.send(elsewhere, "150100-scjg").faults == [("not-in-region", "bases[0].instrument")]


def listed(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "region": BAOTOU, "facts__list": LIST, "facts__term_months": None,
        "bases": [{"instrument": "150200-XYTL", "article": "第十条"}],
    }  # fmt: skip
    return example("ListDecision", **{**values, **changes})


def test_a_list_of_a_region_is_decided_there_only() -> None:
    intake = Intake(catalogue=rules())
    assert intake.send(listed(), BUREAU).records
    faults = intake.send(listed(region="150100"), BUREAU).faults
    assert faults == [("not-in-region", "facts.list"), ("not-in-region", "bases[0].instrument")]


def proposal(region: str, *named: str) -> Proposal:
    return Proposal(
        rule=rules().lists[LIST], subject_kind="LEGAL_PERSON", region=region, decided_on=DAY, conduct_on=DAY,
        named=named, noticed=frozenset(), is_exempt=False,
    )  # fmt: skip


@pytest.mark.parametrize(("region", "ordered"), [("150200", [MEASURE]), ("150203", [MEASURE]), ("150100", [])])
def test_a_measure_of_a_region_follows_from_its_decisions_only(region: str, ordered: list[str]) -> None:
    found, refused = decide_measures(proposal(region), rules())
    assert [one.code for one in found] == ordered
    assert refused == [], "what is of another region was never proposed"


def test_a_decision_of_another_region_that_names_it_is_told_why_it_does_not_follow() -> None:
    assert decide_measures(proposal("150100", MEASURE), rules()) == ([], [(MEASURE, "REGION")])


@pytest.mark.parametrize(("region", "days"), [("150203", 3), ("150100", 5)])
def test_a_region_s_shorter_term_holds_for_its_disputes(region: str, days: int) -> None:
    penalty = make_record(region=region)
    filed = make_record("Dispute", number="异", region=region, **target_of(penalty))
    told = {"stage": "FILED", "outcome": None}
    bus = a_bus((penalty, PENALTY), (filed, told), rules=replace(rules(), subscribers=()))
    bus.send(penalty, filed)
    [state] = bus.summary().terms
    assert state.until is not None
    assert state.until == day_of(add_working_days(rules().calendar, DAY, days).day)
