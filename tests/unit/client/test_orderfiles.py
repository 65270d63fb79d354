"""Orders as a file: filled in, it is imported as the acknowledgements that Kafka would have carried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from creditbus.catalogue.import_columns import load_import_columns
from creditbus.client.exporting import write_csv, write_xlsx
from creditbus.client.importing.columns import Layout, find_header, lay_out
from creditbus.client.importing.files import TableFile
from creditbus.client.importing.rows import to_event
from creditbus.client.orderfiles import HEADERS, TO_FILL_IN, order_row, unanswered
from creditbus.client.subscriber import Executor, Order, acknowledgement_of
from creditbus.commands.produce import Wish, context_for
from creditbus.core.outcome import Ok, Reject
from creditbus.core.rules import IncentiveRule, MeasureRule
from creditbus.core.subscribers import families_of
from intake_harness import Intake, rules

TABLE = load_import_columns()
DEPARTMENT = "150000-gy"
AT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
PERSON_KEY = "p:1:" + "0a" * 20
Write = Callable[[Path, Sequence[str], list[Sequence[str]]], int]


def an_order(**changes: Any) -> dict[str, Any]:
    """A message as the warehouse has it."""
    return {
        "order_id": "0f" * 16, "message_id": "1e" * 16, "action": "ORDER", "family": "M04",
        "measure": "M04-RESTRICTION",
        "binding": "MANDATORY", "subject_key": "MA0N12340", "subject_kind": "LEGAL_PERSON",
        "subject_name": "青城虚构商贸有限公司", "identifier": "91150102MA0N123408", "list": "X01", "scope": ["HOTEL"],
        "basis": ["FS2010-8 第三条"], "effective_on": date(2026, 11, 20), "until": None, "fictitious": True,
        "text_zh": "限制消费", "text_en": "limited",
    } | changes  # fmt: skip


def filled_in(order: dict[str, Any], **answers: str) -> Sequence[str]:
    row = list(order_row(order, DEPARTMENT, rules(), TABLE))
    for header, value in answers.items():
        row[HEADERS.index(header)] = value
    return row


def imported(path: Path) -> list[Ok[Any] | Reject]:
    lines = [line.cells for line in TableFile(path).lines()]
    header = find_header(lines, TABLE)
    assert header is not None
    layout = lay_out(lines[header], TABLE)
    assert isinstance(layout, Layout)
    assert (layout.kind, layout.unknown) == ("MeasureAcknowledgement", ())
    wish = Wish(
        file=path, kind="auto", department=DEPARTMENT, item="", dry_run=True, fictitious=False, gateway="", lookup="",
        key_file=path, wait=False,
    )  # fmt: skip
    context = context_for(layout.kind, wish, rules().departments[DEPARTMENT], rules(), AT.isoformat())
    return [to_event(cells, layout, TABLE, context) for cells in lines[header + 1 :]]


@pytest.mark.parametrize(("suffix", "write"), [("csv", write_csv), ("xlsx", write_xlsx)])
@pytest.mark.parametrize(
    ("action", "word", "state"),
    [
        ("ORDER", "已落实", "APPLIED"),
        ("ORDER", "不适用", "NOT_APPLICABLE"),
        ("RESUME", "已落实", "APPLIED"),
        ("SUSPEND", "已解除", "LIFTED"),
        ("LIFT", "已解除", "LIFTED"),
    ],
)
@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"subject_key": PERSON_KEY, "subject_kind": "NATURAL_PERSON", "subject_name": "虚*", "identifier": "1501****"},
    ],
    ids=["firm", "person"],
)
def test_a_row_that_is_filled_in_is_the_answer_that_kafka_would_have_carried(
    subject: dict[str, str], action: str, word: str, state: str, suffix: str, write: Write, tmp_path: Path
) -> None:
    order = an_order(action=action, **subject)
    path = tmp_path / f"orders.{suffix}"
    write(path, HEADERS, [filled_in(order, 落实情况=word, 落实日期="2026-11-23", 执行内容="已限制乘坐飞机")])
    [outcome] = imported(path)
    assert isinstance(outcome, Ok), outcome
    event: Any = outcome.value.body
    department = rules().departments[DEPARTMENT]
    executor = Executor(
        sender=DEPARTMENT, authority=min(department.authorities), region=department.region, item="P04-FEEDBACK"
    )
    by_kafka: Any = acknowledgement_of(Order.from_value(order), executor, at=AT, state=state)
    assert event["facts"]["content"] == "已限制乘坐飞机"
    told = {name: event["facts"][name] for name in by_kafka["facts"]}
    assert told == by_kafka["facts"]
    for name in ("kind", "item", "authority", "region", "fictitious", "subject"):
        assert event[name] == by_kafka[name], name
    [ours] = Intake().send(event, DEPARTMENT).records
    [theirs] = Intake().send(by_kafka, DEPARTMENT).records
    assert ours["natural_key"] == theirs["natural_key"], "an order answered both ways is answered once"


def test_a_row_that_nobody_filled_in_is_refused_and_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    write_csv(path, HEADERS, [order_row(an_order(), DEPARTMENT, rules(), TABLE)])
    [outcome] = imported(path)
    assert isinstance(outcome, Reject)
    assert {"落实情况", "落实日期"} <= {one.field for one in outcome.faults}


def test_a_row_tells_the_executor_everything_in_words() -> None:
    row = dict(zip(HEADERS, order_row(an_order(), DEPARTMENT, rules(), TABLE), strict=True))
    assert row["指令动作"] == "实施"
    assert row["依据名单"] == rules().lists["X01"].name.zh
    assert row["措施依据"].endswith("》第三条")
    assert (row["限制范围"], row["措施约束力"], row["措施开始日期"]) == ("HOTEL", "强制", "2026-11-20")
    assert {row[name] for name in TO_FILL_IN} == {""}


@pytest.mark.parametrize("rule", [*rules().measures, *rules().incentives], ids=lambda rule: rule.code)
def test_every_measure_and_incentive_of_the_catalogue_can_be_told(rule: MeasureRule | IncentiveRule) -> None:
    order = an_order(measure=rule.code, family=rule.family, binding=rule.binding, basis=list(rule.basis))
    row = dict(zip(HEADERS, order_row(order, DEPARTMENT, rules(), TABLE), strict=True))
    assert (row["措施名称"], row["措施类别"]) == (rule.name.zh, rule.family)


def test_what_was_answered_is_not_told_again() -> None:
    open_one, answered = an_order(), an_order(message_id="2d" * 16)
    numbers = frozenset({f"{DEPARTMENT}-{'2d' * 16}"})
    assert list(unanswered([open_one, answered], DEPARTMENT, numbers)) == [open_one]


def test_only_families_of_the_register_are_told_and_persons_only_to_who_acts_against_them() -> None:
    found = families_of(DEPARTMENT, date(2026, 11, 25), rules())
    mine = [row for row in rules().subscribers if row.department == DEPARTMENT]
    assert set(found) == {family for row in mine for family in row.families}
    assert families_of("nobody", date(2026, 11, 25), rules()) == {}
