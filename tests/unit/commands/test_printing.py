"""What commands print can be read and copied whole, on a narrow terminal and through a pipe."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from creditbus.commands.printing import WholeTable, iso_time, print_json, terminal

KEY = "p:2:0123456789012345678901234567890123456789"
LONG = "an_id_without_any_place_to_break_it" * 2


@pytest.mark.parametrize("header", [("subject", "why"), ()], ids=["with columns", "without"])
def test_a_table_cuts_no_value_short(capsys: pytest.CaptureFixture[str], header: tuple[str, ...]) -> None:
    table = WholeTable(*header, show_header=bool(header))
    table.add_row(KEY, LONG)
    Console(width=40).print(table)
    told = capsys.readouterr().out
    assert "…" not in told
    rows = [line.split("│") for line in told.splitlines() if "│" in line]
    assert "".join(row[1].strip() for row in rows) == KEY
    assert "".join(row[2].strip() for row in rows) == LONG


def test_lines_are_wide_through_a_pipe_unless_somebody_says_how_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    terminal().print("word " * 30)
    assert capsys.readouterr().out.count("\n") == 1
    monkeypatch.setenv("COLUMNS", "50")
    terminal().print("word " * 30)
    assert capsys.readouterr().out.count("\n") == 3


def test_json_is_one_document_that_keeps_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": iso_time(1_795_449_600_000), "name": "虚构"})
    told = capsys.readouterr().out
    assert "虚构" in told
    assert json.loads(told) == {"at": "2026-11-24T00:00:00.000+08:00", "name": "虚构"}
