"""What simulated subscribers answer: reproducible, in realistic proportions, and what intake takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from creditbus.client.subscriber import Order
from creditbus.core.hashing import digest
from creditbus.lab.simulator.answers import Answer, answers_to
from intake_harness import Intake, rules

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
ORDERED = Order(
    order_id="o" * 32, message_id="m" * 32, action="ORDER", family="M01", measure="M01-LICENCE", binding="MANDATORY",
    subject_key="MA0N12340", subject_kind="LEGAL_PERSON", subject_name="青城虚构商贸有限公司",
    identifier="91150102MA0N123408", effective_on=date(2026, 11, 20), until=None, fictitious=True, text_zh="x",
    text_en="x",
)  # fmt: skip


def orders(count: int, **changes: Any) -> list[Order]:
    return [replace(ORDERED, order_id=digest("o", str(n)), message_id=digest("m", str(n)), **changes)
            for n in range(count)]  # fmt: skip


def answered(given: list[Order], seed: int = 1) -> list[Answer]:
    return [answer for order in given for answer in answers_to(order, rules(), seed, AT)]


def test_the_same_seed_answers_the_same_orders_in_the_same_way_and_another_seed_does_not() -> None:
    given = orders(300)
    assert answered(given) == answered(given)
    assert answered(given) != answered(given, seed=2)


def test_most_answer_in_time_some_late_some_decline_and_a_few_never_do() -> None:
    given = orders(2_000)
    subscribers = [row for row in rules().subscribers if "M01" in row.families]
    due = len(given) * len(subscribers)
    found = answered(given)
    states = Counter(answer.sent.event["facts"]["state"] for answer in found)
    assert 0.03 < states["NOT_APPLICABLE"] / due < 0.07
    assert 0.05 < sum(answer.is_late for answer in found) / due < 0.10
    assert 0.01 < 1 - len(found) / due < 0.05
    assert {answer.sent.department for answer in found} == {row.department for row in subscribers}


def test_who_declined_an_order_answers_nothing_to_its_lift() -> None:
    given = orders(500)
    declined = {
        (answer.sent.department, answer.sent.event["facts"]["order_id"])
        for answer in answered(given)
        if answer.sent.event["facts"]["state"] == "NOT_APPLICABLE"
    }
    lifts = answered([replace(order, action="LIFT") for order in given])
    assert declined
    assert declined.isdisjoint((answer.sent.department, answer.sent.event["facts"]["order_id"]) for answer in lifts)
    assert {answer.sent.event["facts"]["state"] for answer in lifts} == {"LIFTED"}


def test_advice_and_suspensions_are_not_answered() -> None:
    assert answered(orders(50, binding="ADVISORY", family="M14")) == []
    assert answered(orders(50, action="SUSPEND")) == []


def test_intake_takes_every_answer() -> None:
    for answer in answered([*orders(20), *orders(20, action="LIFT"), *orders(5, family="M04")]):
        assert Intake().send(answer.sent.event, answer.sent.department).records
