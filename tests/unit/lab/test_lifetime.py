"""Five years of a firm and a person: what is imposed is taken back, on its day, and the person is never scored."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from creditbus.catalogue.loader import load
from creditbus.cli import build
from creditbus.lab.sandbox import Emitted, RefusedEventError, Sandbox
from creditbus.lab.scenarios import lifetime
from creditbus.lab.scenarios.lifetime import FIRM_KEY, FIRST_DAY, Told, play


@pytest.fixture(scope="module")
def story() -> list[Told]:
    return list(play(load()))


def of_person(story: list[Told]) -> list[Told]:
    return [told for told in story if told.who.startswith("虚*")]


def test_each_line_names_its_day_and_the_rule_or_decision_behind_it(story: list[Told]) -> None:
    assert all(told.what and told.why for told in story)
    assert [told.day for told in story if told.is_act] == sorted(told.day for told in story if told.is_act)


def test_everything_that_was_ordered_is_lifted_in_the_end(story: list[Told]) -> None:
    for who in {told.who for told in story if told.who}:
        ordered = [told.what.partition("：")[2] for told in story if told.who == who and told.what.startswith("实施")]
        lifted = [told.what.partition("：")[2] for told in story if told.who == who and told.what.startswith("解除")]
        assert ordered == lifted
        assert ordered


@pytest.mark.parametrize(
    ("day", "what"),
    [
        (date(2027, 2, 9), "异议"),  # five working days after 1 February are over
        (date(2027, 9, 1), "自2028-01-11起可申请"),  # a year after the penalty
        (date(2028, 4, 20), "被列入重大税收违法失信主体"),  # served on the 19th, told on the 20th
        (date(2029, 7, 2), "被移出失信被执行人"),  # two years after the person was listed
        (date(2030, 1, 12), "公示期满"),  # three years after the penalty
        (date(2031, 4, 20), "被移出重大税收违法失信主体"),  # three years after service
    ],
)
def test_terms_end_on_their_day(story: list[Told], day: date, what: str) -> None:
    assert any(told.day == day and what in told.what for told in story), what


def test_a_decision_that_is_not_served_has_no_effect(story: list[Told]) -> None:
    between = [told for told in story if date(2028, 4, 10) <= told.day < date(2028, 4, 20)]
    assert not any("被列入" in told.what or told.what.startswith("实施") for told in between)


def test_the_person_is_never_scored_nor_named(story: list[Told]) -> None:
    assert of_person(story)
    assert not any("信用分" in told.what for told in of_person(story))
    assert not any("虚构甲" in told.what + told.why + told.who or lifetime.PERSON in told.what for told in story)


def test_a_lift_is_reminded_of_until_it_is_acknowledged_and_then_nothing_stays(story: list[Told]) -> None:
    reminded = [(told.day, told.what) for told in story if "仍未回执" in told.what]
    clear = [told.day for told in story if "下游不再留存任何措施" in told.what]
    assert len({day for day, _ in reminded}) == 3
    assert all(what.endswith("：包头市行政审批政务服务局") for _, what in reminded)
    assert clear == [date(2028, 1, 24), date(2031, 4, 21)]
    assert max(day for day, _ in reminded) < clear[0]


def test_played_again_it_is_the_same(story: list[Told]) -> None:
    assert list(play(load())) == story


def test_what_intake_refuses_is_told_with_its_reason() -> None:
    sandbox = Sandbox(load(), FIRST_DAY)
    event = {
        "kind": "Registration",
        "event_id": "no-uuid",
        "item": "C01-REGISTRATION",
        "authority": "11150100YY00000K52",
        "region": "150100",
        "reported_at": "2026-12-01T08:00:00+08:00",
        "fictitious": True,
        "subject": {
            "kind": "LEGAL_PERSON",
            "name": "青城虚构建材有限公司",
            "identifiers": [{"scheme": "USCC", "value": lifetime.FIRM}],
        },
        "document": {"number": "登记1", "decided_on": "2026-12-01"},
        "facts": {"status": "ACTIVE", "industry": "F51", "former_identifiers": []},
    }
    with pytest.raises(RefusedEventError, match="malformed-event-id: event_id"):
        sandbox.send("150100-scjg", event)
    assert sandbox.summary(FIRM_KEY).version == 0


def test_time_in_the_sandbox_passes_tick_by_tick() -> None:
    sandbox = Sandbox(load(), FIRST_DAY)
    emitted: list[Emitted] = list(sandbox.pass_to(date(2026, 12, 31)))
    assert emitted == []
    assert sandbox.today == date(2026, 12, 31)


def test_programs_are_told_the_same_story(story: list[Told]) -> None:
    told = CliRunner().invoke(build(), ["scenario", "lifetime", "--json"])
    assert told.exit_code == 0, told.output
    assert [(one["day"], one["what"]) for one in json.loads(told.stdout)] == [
        (one.day.isoformat(), one.what) for one in story
    ]
