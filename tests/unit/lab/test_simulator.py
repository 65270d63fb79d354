"""The simulator: reproducible, realistic, fictitious, and right about what each event must become."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import msgspec
import pytest

from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.events import Event, Head, Target
from creditbus.core.identifiers import SYNTHETIC_PREFIX
from creditbus.core.outcome import Ok
from creditbus.gateway.reading import compile_reader
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.steps import Body, Privacy, decide
from creditbus.lab.simulator.story import Sent, Story

DAY = date(2026, 11, 22)
COUNT = 4_000


@pytest.fixture(scope="module")
def sent() -> list[Sent]:
    return list(Story(seed=7, subjects=500, day=DAY).events(COUNT))


def test_the_same_seed_gives_the_same_events(sent: list[Sent]) -> None:
    assert list(Story(seed=7, subjects=500, day=DAY).events(COUNT)) == sent
    assert next(Story(seed=8, subjects=500, day=DAY).events(1)) != sent[0]


def test_kinds_come_in_their_proportions(sent: list[Sent]) -> None:
    kinds = Counter(one.event["kind"] for one in sent)
    assert 0.5 < kinds["Permit"] / COUNT < 0.7
    assert 0 < kinds["CourtEnforcement"] / COUNT < 0.03
    assert 0 < kinds["Repair"] / COUNT < 0.05


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
