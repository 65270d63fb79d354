"""What a rule set changes: grades by region, lists, the receipts that move furthest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import DAY, DAY_MS, make_record, make_rules
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers
from creditbus.core.receipt import Receipt, receipt_of
from creditbus.core.records import day_of
from creditbus.lab.backtest import ReadOnce, Standing, compare, size_of, trade_of
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry
from partition import PENALTY, a_bus

ORDER = ["A", "B", "C", "D"]
RULES = make_rules()
BETTER, AS_IT_WAS, WORSE = 0, -40, -300


def receipt(key: str, points: int) -> Receipt:
    """The receipt of a firm with one penalty, under a rule of so many points."""
    record = make_record(subject_key=key)
    bus = a_bus((record, PENALTY))
    bus.send(record)
    summary = bus.summary(key)
    for entry in summary.entries:
        entry.points = points
    found = receipt_of(summary, RULES, day_of(DAY))
    assert found is not None
    return found


def standing(key: str, region: str, points: int | None, *lists: str) -> Standing:
    made = receipt(key, points) if points is not None else None
    return Standing(subject_key=key, groups=(("region", region), ("trade", "C")), lists=lists, receipt=made)


def test_grades_are_counted_before_and_after_and_by_region() -> None:
    before = {
        key: standing(key, region, AS_IT_WAS) for key, region in (("1", "150100"), ("2", "150100"), ("3", "150200"))
    }
    after = {
        "1": standing("1", "150100", WORSE), "2": standing("2", "150100", AS_IT_WAS),
        "3": standing("3", "150200", AS_IT_WAS),
    }  # fmt: skip
    report = compare(before, after, ORDER)
    assert (report.subjects, report.all.better, report.all.worse) == (3, 0, 1)
    assert report.grades == {("B", "D"): 1, ("B", "B"): 2}
    hohhot, baotou = report.groups["region"]["150100"], report.groups["region"]["150200"]
    assert hohhot.worse_share == 0.5
    assert report.disparity(hohhot) == pytest.approx(1.5)
    assert report.disparity(baotou) == 0
    assert report.disparity(report.groups["trade"]["C"]) == pytest.approx(1)


def test_the_same_rules_change_nothing() -> None:
    same = {"1": standing("1", "150100", AS_IT_WAS, "L01")}
    report = compare(same, same, ORDER)
    assert (report.all.better, report.all.worse, report.moved) == (0, 0, [])
    assert (dict(report.listed), dict(report.delisted)) == ({}, {})
    assert report.disparity(report.groups["region"]["150100"]) is None


def test_the_receipts_that_move_furthest_come_first() -> None:
    before = {str(number): standing(str(number), "150100", 0) for number in range(9)}
    after = {str(number): standing(str(number), "150100", -10 * number) for number in range(9)}
    report = compare(before, after, ORDER)
    assert [new.subject_key for _, new in report.moved] == ["8", "7", "6", "5", "4"]


def test_persons_count_by_their_lists_alone() -> None:
    before = {"p:1:x": standing("p:1:x", "150100", None, "L01")}
    after = {"p:1:x": replace(before["p:1:x"], lists=("L14",))}
    report = compare(before, after, ORDER)
    assert (dict(report.listed), dict(report.delisted), report.groups) == ({"L14": 1}, {"L01": 1}, {})


@pytest.mark.parametrize(
    ("capital_fen", "size"),
    [(None, "–"), (0, "< 1 M yuan"), (99_999_999, "< 1 M yuan"), (100_000_000, "1–10 M yuan"),
     (1_000_000_000, "10–100 M yuan"), (10_000_000_000, "≥ 100 M yuan")],
)  # fmt: skip
def test_size_is_a_band_of_registered_capital(capital_fen: int | None, size: str) -> None:
    assert size_of(capital_fen) == size


def test_a_trade_is_the_section_of_its_industry() -> None:
    assert [trade_of(code) for code in ("C14", "F51", "", None)] == ["C", "F", "–", "–"]


def test_a_message_is_decoded_once_for_everybody_who_reads_the_same_batch() -> None:
    registry = MemoryRegistry()
    value = Writers(registry, SchemaSet.load())("credit.records", "ClockTick")({"at": DAY_MS, "previous": None})
    first, other = (MemoryMessage(number, b"", value, [], DAY_MS) for number in (1, 2))
    read = ReadOnce(Types(registry))
    assert read(first) is read(first)
    assert read(other) is not read(first)
    known = read(first)
    read.forget()
    assert read(first) is not known
    assert read(first) == known
