"""The court's feed, lists, ratings and honours as departments keep them: each sound row becomes a record of intake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditbus.catalogue.import_columns import load_import_columns
from creditbus.client.importing.columns import KINDS, Layout, find_header, lay_out
from creditbus.client.importing.files import TableFile
from creditbus.client.importing.rows import Context, to_event
from creditbus.commands.produce import Wish, context_for
from creditbus.core.outcome import Fault, Ok
from intake_harness import Intake, rules

DATA = Path(__file__).parents[2] / "data"
TABLE = load_import_columns()
FEEDS = [
    ("court-gb18030.csv", "CourtEnforcement", "150100-zy", "C02-ENFORCEMENT"),
    ("lists-utf8.csv", "ListDecision", "150000-rst", "C06-LISTS"),
    ("ratings-utf8.csv", "Rating", "150000-swj", "C09-RATING"),
    ("honours-utf8.csv", "Honor", "150100-scjg", "C11-HONOR"),
]


def context(kind: str, department: str, item: str) -> Context:
    wish = Wish(
        file=DATA, kind="auto", department=department, item=item, dry_run=True, fictitious=True, gateway="", lookup="",
        key_file=DATA, wait=False,
    )  # fmt: skip
    return context_for(kind, wish, rules().departments[department], rules(), "2026-11-23T09:30:00+08:00")


def read(file: str, department: str, item: str) -> tuple[str, list[dict[str, Any] | tuple[Fault, ...]]]:
    lines = [line.cells for line in TableFile(DATA / file).lines()]
    header = find_header(lines, TABLE)
    assert header is not None
    layout = lay_out(lines[header], TABLE)
    assert isinstance(layout, Layout)
    assert layout.unknown == ()
    outcomes = [to_event(cells, layout, TABLE, context(layout.kind, department, item)) for cells in lines[header + 1 :]]
    return layout.kind, [dict(one.value.body) if isinstance(one, Ok) else one.faults for one in outcomes]


@pytest.mark.parametrize(("file", "kind", "department", "item"), FEEDS)
def test_the_columns_tell_the_kind_and_intake_takes_every_sound_row(
    file: str, kind: str, department: str, item: str
) -> None:
    found, rows = read(file, department, item)
    assert found == kind
    events = [row for row in rows if isinstance(row, dict)]
    assert events
    for event in events:
        result = Intake().send(event, department)
        known = [("unknown-code", "facts.grade")] if event["facts"].get("grade") == "Z" else []
        assert [fault for one in result.rejections for fault in zip(one["codes"], one["fields"], strict=True)] == known
        assert len(result.records) == 1 - len(known)


def test_the_court_s_feed_in_its_own_words() -> None:
    _, rows = read("court-gb18030.csv", "150100-zy", "C02-ENFORCEMENT")
    firm, person, wrong = rows
    assert isinstance(firm, dict)
    assert firm["facts"]["ground"] == "G1"
    assert firm["facts"]["performance"] == "NONE"
    assert firm["document"]["decided_on"] == "2026-11-02", "the feed is dated by its publication"
    assert firm["bases"] == [{"instrument": "FS2017-7", "article": ""}]
    assert isinstance(person, dict)
    assert (person["facts"]["ground"], person["facts"]["performance"]) == ("G4", "PARTIAL")
    assert person["subject"]["kind"] == "NATURAL_PERSON"
    assert "sex" not in person["facts"], "what is not needed is not sent"
    assert not isinstance(wrong, dict)
    assert [(fault.code.value, fault.field) for fault in wrong] == [("unknown-code", "失信被执行人行为具体情形")]


def test_a_list_file_carries_the_steps_of_its_procedure() -> None:
    _, [row] = read("lists-utf8.csv", "150000-rst", "C06-LISTS")
    assert isinstance(row, dict)
    facts = row["facts"]
    assert (facts["list"], facts["term_months"], facts["statement_outcome"]) == ("L03", 36, "REJECTED")
    assert (facts["notice_on"], facts["heard_on"], facts["served_on"]) == ("2026-09-01", "2026-09-20", "2026-10-22")
    assert row["bases"] == [{"instrument": "RSB-45", "article": "第五条"}]


def test_a_rating_without_a_document_is_numbered_by_scheme_and_period() -> None:
    _, [good, _] = read("ratings-utf8.csv", "150000-swj", "C09-RATING")
    assert isinstance(good, dict)
    assert good["document"]["number"] == "TAX-2025"
    assert (good["facts"]["scheme"], good["facts"]["grade"], good["facts"]["score"]) == ("TAX", "A", 95)


def test_an_honour_without_end_is_one() -> None:
    _, [row] = read("honours-utf8.csv", "150100-scjg", "C11-HONOR")
    assert isinstance(row, dict)
    assert (row["facts"]["honor"], row["facts"]["valid_until"]) == ("CONTRACT_KEEPING", "2099-12-31")


def test_every_kind_that_can_be_imported_has_a_feed_or_is_exported_too() -> None:
    exported = {"Permit", "Penalty", "MeasureAcknowledgement"}
    assert set(KINDS) == exported | {kind for _, kind, _, _ in FEEDS}
