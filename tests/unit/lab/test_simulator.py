"""The simulator: reproducible, realistic, fictitious, and right about what each event must become."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.events import Event, Head, Target
from creditbus.core.forms import compile_reader
from creditbus.core.identifiers import SYNTHETIC_PREFIX
from creditbus.core.outcome import Ok
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.steps import Body, Privacy, decide
from creditbus.lab.sandbox import RefusedEventError, Sandbox
from creditbus.lab.simulator.story import Sent, Story

DAY = date(2026, 11, 22)
COUNT = 4_000


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return list(Story(seed=7, subjects=500, day=DAY).events(COUNT))


def test_the_same_seed_gives_the_same_events(sent: list[Sent]) -> None:
    assert list(Story(seed=7, subjects=500, day=DAY).events(COUNT)) == sent
    assert next(Story(seed=8, subjects=500, day=DAY).events(1)) != sent[0]


@pytest.mark.parametrize(
    "other", [{"day": DAY + timedelta(days=1)}, {"days": 30}, {"subjects": 400}], ids=["day", "days", "subjects"]
)
def test_other_days_and_other_firms_give_other_events(sent: list[Sent], other: dict[str, Any]) -> None:
    """Their facts differ: under the same ids they would be different contents of one event."""
    told = {one.event["event_id"]: one.event for one in sent}
    again = Story(**{"seed": 7, "subjects": 500, "day": DAY, **other}).events(1_000)
    assert [one.event for one in again if told.get(one.event["event_id"], one.event) != one.event] == []


def test_kinds_come_in_their_proportions(sent: list[Sent]) -> None:
    kinds = Counter(one.event["kind"] for one in sent)
    assert 0.35 < kinds["Permit"] / COUNT < 0.6
    assert 0 < kinds["CourtEnforcement"] / COUNT < 0.03
    assert 0 < kinds["Repair"] / COUNT < 0.05


def test_every_kind_that_a_department_sends_comes_and_every_way_to_spoil_one() -> None:
    kinds = Counter(one.event["kind"] for one in Story(seed=7, subjects=500, day=DAY).events(20_000))
    assert set(kinds) == set(SchemaSet.load().events) - {"MeasureAcknowledgement"}
    assert 0 < kinds["IdentitySplit"] < kinds["IdentityLink"] < 20
    steps = [one for one in Story(seed=7, subjects=500, day=DAY).events(20_000) if one.event["kind"] == "ListStep"]
    assert {one.event["facts"]["step"] for one in steps} == {"NOTICE", "STATEMENT", "SERVICE"}


def test_links_lead_to_a_new_code_or_another_firm_and_a_split_names_one_that_was_told() -> None:
    sent = [one.event for one in Story(seed=7, subjects=500, day=DAY).events(20_000)]
    links = [one for one in sent if one["kind"] == "IdentityLink"]
    assert {one["facts"]["reason"] for one in links} == {"MERGER", "CODE_CHANGE", "CODE_CORRECTION"}
    for one in links:
        assert one["facts"]["successor"] != one["subject"]["identifiers"][0]
    told = {(one["document"]["number"], repr(one["subject"])) for one in links}
    splits = [one for one in sent if one["kind"] == "IdentitySplit"]
    assert {(one["facts"]["target"]["document_number"], repr(one["subject"])) for one in splits} <= told


def test_a_year_is_spread_over_its_days() -> None:
    days = [one.event["reported_at"][:10] for one in Story(seed=7, subjects=500, day=DAY, days=365).events(2_000)]
    assert (days[0], max(days)) == ((DAY - timedelta(days=364)).isoformat(), DAY.isoformat())
    assert len(set(days)) == 365


def test_a_year_gives_scores_like_those_of_a_province() -> None:
    """Domain.md 6: of 2.3 million enterprises of Zhejiang 2.3 / 76.4 / 20.0 / 1.3 %, from 406 to 960 points."""
    start = DAY - timedelta(days=364)
    sandbox = Sandbox(load(), start)
    for one in Story(seed=1, subjects=400, day=DAY, days=365).events(3_200):
        day = date.fromisoformat(one.event["reported_at"][:10])
        if day > sandbox.today:
            assert list(sandbox.pass_to(day)) is not None
        with suppress(RefusedEventError):
            sandbox.send(one.department, one.event)
    firms = [one for one in sandbox.summaries() if one.kind == "LEGAL_PERSON"]
    shares = {grade: sum(one.grade == grade for one in firms) / len(firms) for grade in "ABCD"}
    assert 0.01 <= shares["A"] <= 0.07, shares
    assert 0.68 <= shares["B"] <= 0.88, shares
    assert 0.10 <= shares["C"] <= 0.28, shares
    assert 0.003 <= shares["D"] <= 0.05, shares
    assert all(one.score is not None and 300 <= one.score <= 1000 for one in firms)


def test_everything_is_fictitious_and_every_firm_synthetic(sent: list[Sent]) -> None:
    for one in sent:
        assert one.event["fictitious"] is True
        identifier = one.event["subject"]["identifiers"][0]
        assert identifier["scheme"] == "CITIZEN" or identifier["value"][8:10] == SYNTHETIC_PREFIX


def test_intake_takes_exactly_the_events_that_are_good(sent: list[Sent]) -> None:
    rules = compile_rules(edition_of(load()))
    now_ms = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
    checking = Checking(rules=rules, code_lists=code_lists_by_kind(rules), now_ms=now_ms)
    schemas = SchemaSet.load()
    readers = {kind: compile_reader(schema.definition) for kind, schema in schemas.events.items()}
    privacy = Privacy(tokenise=lambda number: f"p:{number}", seal=lambda *_: b"")
    for one in sent:
        fields = {name: value for name, value in one.event.items() if name != "kind"}
        value = readers[one.event["kind"]](fields, "", [])
        assert isinstance(value, dict)
        facts = value.pop("facts")
        target = msgspec.convert(facts["target"], Target) if facts.get("target") else None
        event = Event(
            sender=one.department, kind=one.event["kind"], head=msgspec.convert(value, Head), facts=facts, target=target
        )
        outcome = decide(event, Body(data=b"", schema=""), privacy, checking)
        assert isinstance(outcome, Ok) == (one.expected != "REJECTED"), (one, outcome)
