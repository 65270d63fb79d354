"""docs/law.md is what the catalogue says, and its tests are there."""

from __future__ import annotations

from pathlib import Path

from creditbus.catalogue.law import SHOWN_BY, law_as_markdown
from creditbus.catalogue.loader import load

ROOT = Path(__file__).parents[3]


def test_the_document_is_generated() -> None:
    """Mend it: .venv/bin/creditbus catalogue law > docs/law.md"""
    assert (ROOT / "docs/law.md").read_text(encoding="utf-8") == law_as_markdown(load())


def test_every_rule_has_a_line_with_its_basis_and_mark() -> None:
    catalogue, text = load(), law_as_markdown(load())
    publicity = (catalogue.publicity.rows, catalogue.publicity.tiers, catalogue.publicity.transitions)
    for rows in (catalogue.lists, catalogue.measures, catalogue.terms, catalogue.required, *publicity):
        for row in rows:
            (line,) = [line for line in text.splitlines() if line.startswith(f"| {row.code} |")]
            assert line.endswith(f"| {row.mark} |")
            assert row.basis


def test_the_tests_that_it_names_are_there() -> None:
    for path in set(SHOWN_BY.values()):
        assert (ROOT / path).is_file(), path
