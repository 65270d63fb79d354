"""Export in the two-publicity formats: what is public today and nothing else, and imports read it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from creditbus.bus.wire import body_reader
from creditbus.catalogue.import_columns import load_import_columns
from creditbus.client.exporting import COLUMNS, Exported, headers_of, row_of, write_csv, write_xlsx
from creditbus.client.importing.columns import Layout, find_header, lay_out
from creditbus.client.importing.files import TableFile
from creditbus.client.importing.rows import to_event
from creditbus.commands.produce import Wish, context_for
from creditbus.core.outcome import Ok
from creditbus.core.records import date_of
from intake_harness import Intake, example, rules, schemas

TABLE = load_import_columns()
DAY = date(2026, 11, 25)
Write = Callable[[Path, Sequence[str], list[list[str]]], int]
KINDS = ("Permit", "Penalty")
FIRM = {
    "kind": "LEGAL_PERSON",
    "name": "青城虚构商贸有限公司",
    "identifiers": [{"scheme": "USCC", "value": "91150102MA0N123408"}],
}


def exported(kind: str, **changes: Any) -> Exported:
    """A record as the warehouse has it, from an event that went through intake."""
    event = example(kind, **{"subject": FIRM, "corrects": None, "revision": 1, **changes})
    (record,) = Intake().send(event).records
    record = {**record, "decided_on": as_date(record["decided_on"])}
    facts = body_reader(schemas())(record["body_schema"], record["body"])
    return Exported(kind=kind, columns=record, facts=facts)


def as_date(value: Any) -> date:
    return date_of(value) if isinstance(value, int) else value


def imported(path: Path, kind: str) -> dict[str, Any]:
    """The only event of a file."""
    lines = [line.cells for line in TableFile(path).lines()]
    header = find_header(lines, TABLE)
    assert header is not None
    layout = lay_out(lines[header], TABLE)
    assert isinstance(layout, Layout)
    assert (layout.kind, layout.unknown) == (kind, ())
    wish = Wish(
        file=path, kind="auto", department="150000-scjg", item=f"C03-{kind.upper()}", dry_run=True, fictitious=True,
        gateway="", lookup="", key_file=path, wait=False,
    )  # fmt: skip
    context = context_for(kind, wish, rules().departments["150000-scjg"], rules(), "2026-11-23T09:30:00+08:00")
    (outcome,) = [to_event(cells, layout, TABLE, context) for cells in lines[header + 1 :]]
    assert isinstance(outcome, Ok), outcome
    return dict(outcome.value.body)


@pytest.mark.parametrize(("suffix", "write"), [("csv", write_csv), ("xlsx", write_xlsx)])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exported_is_imported_with_the_same_facts(kind: str, suffix: str, write: Write, tmp_path: Path) -> None:
    record = exported(kind)
    row = row_of(record, DAY, rules(), TABLE)
    assert row is not None
    path = tmp_path / f"open.{suffix}"
    assert write(path, headers_of(kind, TABLE), [row]) == 1
    event = imported(path, kind)
    (again,) = Intake().send(event).records
    facts = body_reader(schemas())(again["body_schema"], again["body"])
    until = {"publish_until"}  # the bus's own day stands in the file
    assert {name: one for name, one in facts.items() if name not in until} == {
        name: one for name, one in record.facts.items() if name not in until
    }
    same = ["natural_key", "subject_key", "subject_name", "authority", "document_number"]
    if kind == "Penalty":  # the format of permits has no column for the legal basis
        same.append("bases")
    assert {name: again[name] for name in same} == {name: record.columns[name] for name in same}
    assert as_date(again["decided_on"]) == record.columns["decided_on"]


def test_persons_and_sole_traders_are_never_exported() -> None:
    trader = {**FIRM, "kind": "SOLE_TRADER", "identifiers": [{"scheme": "USCC", "value": "92150602MA0P56783H"}]}
    assert row_of(exported("Penalty", subject=trader), DAY, rules(), TABLE) is None


def test_a_penalty_is_exported_until_its_last_day_and_not_after() -> None:
    record = exported("Penalty", facts__severity="GENERAL", facts__publish_until=None)
    row = row_of(record, DAY, rules(), TABLE)
    assert row is not None
    last = date.fromisoformat(row[COLUMNS["Penalty"].index("publish_until")])
    assert last == record.columns["decided_on"].replace(year=2027)
    assert row_of(record, last, rules(), TABLE) is not None
    assert row_of(record, last + timedelta(days=1), rules(), TABLE) is None


def test_minor_penalties_and_warnings_alone_are_not_exported() -> None:
    assert row_of(exported("Penalty", facts__severity="MINOR"), DAY, rules(), TABLE) is None
    warned = exported("Penalty", facts__severity="GENERAL", facts__penalty_types=["WARNING"], facts__fine_fen=None)
    assert row_of(warned, DAY, rules(), TABLE) is None


def test_a_permit_that_is_over_or_not_valid_is_not_exported() -> None:
    assert row_of(exported("Permit", facts__state="INVALID"), DAY, rules(), TABLE) is None
    over = exported("Permit", facts__valid_from="2020-01-01", facts__valid_until="2026-11-24")
    assert row_of(over, DAY, rules(), TABLE) is None


def test_a_text_that_looks_like_a_formula_is_text_in_both_formats(tmp_path: Path) -> None:
    for suffix, write in (("csv", write_csv), ("xlsx", write_xlsx)):
        path = tmp_path / f"open.{suffix}"
        write(path, ["a", "b"], [["=1+1", "x"]])
        assert [line.cells[0].strip() for line in TableFile(path).lines()] == ["a", "=1+1"]
    assert (tmp_path / "open.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("\t=")
