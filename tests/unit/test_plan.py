"""No row of the plan claims what does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import load_topics
from creditbus.catalogue.loader import code_lists_of, load
from creditbus.catalogue.plan import ROWS, SHOWN_BY, PlanRow, load_plan, plan_as_markdown
from creditbus.catalogue.views import load_views
from creditbus.cli import build
from creditbus.lab.stack import MERGE, SERVICES

ROOT = Path(__file__).parents[2]
PLAN = load_plan()


def known() -> dict[str, set[str]]:
    """Everything that a row may name, by type."""
    catalogue = load()
    codes = code_lists_of(catalogue)
    sources = (ROOT / "services" / "creditbus").glob("*/*.py")
    commands = get_command(build())
    return {
        "item": {row.code for row in catalogue.items},
        "kind": set(SchemaSet.load().events),
        "code": {f"{name}:{value}" for name, values in codes.items() for value in values},
        "rating": {row.code for row in catalogue.ratings},
        "honor": set(codes["Honor.honor"]),
        "list": {row.code for row in catalogue.lists},
        "measure": {row.code for row in catalogue.measures},
        "view": set(load_views(catalogue)),
        "endpoint": {
            path for source in sources for path in re.findall(r'"(/v1/[^"]*)"', source.read_text(encoding="utf-8"))
        },
        "topic": {topic.name for topic in load_topics()},
        "service": {*SERVICES, MERGE},
        "command": set(commands.list_commands(typer.Context(commands))),  # type: ignore[attr-defined]
        "assess": {"bulletin", "departments", "leagues", "levels", "supervision"},
        "law": {row.code for row in catalogue.instruments},
        "file": {
            str(path.relative_to(ROOT))
            for folder in ("services", "schemas", "docs", "deploy", ".")
            for path in (ROOT.glob("*.md") if folder == "." else (ROOT / folder).rglob("*.*"))
        },
    }


def test_all_rows_are_there_once_and_in_order() -> None:
    assert [row.row for row in PLAN] == list(range(1, ROWS + 1))


def test_everything_that_a_row_names_exists() -> None:
    exists = known()
    assert set(exists) == set(SHOWN_BY)
    missing = [
        f"row {row.row}: {reference}"
        for row in PLAN
        for reference in row.by
        if reference.partition(":")[2] not in exists[reference.partition(":")[0]]
    ]
    assert missing == []


@pytest.mark.parametrize("row", PLAN, ids=lambda row: str(row.row))
def test_a_row_says_what_serves_it_or_why_nothing_does(row: PlanRow) -> None:
    if row.state == "works":
        assert row.by
        assert all((ROOT / test).exists() for test in row.tests)
    else:
        assert row.note_zh
        assert row.note_en


def test_the_views_name_the_rows_that_name_them() -> None:
    named = {reference.partition(":")[2] for row in PLAN for reference in row.by if reference.startswith("view:")}
    assert named == set(load_views(load()))


def test_the_document_is_what_the_data_says() -> None:
    document = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    assert document == plan_as_markdown(PLAN), "write it anew: creditbus plan --markdown > docs/plan.md"
