"""The public permits and penalties in the two-publicity formats (双公示): what `creditbus import` reads again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell

from creditbus.catalogue.import_columns import ImportColumns
from creditbus.core.publication import published_until
from creditbus.core.rules import Rules

_SHARED = ("subject_name", "subject_kind", "uscc", "document_number", "item_number", "decided_on", "authority_name",
           "authority")  # fmt: skip
COLUMNS: Mapping[str, Sequence[str]] = {
    "Permit": (*_SHARED, "document_title", "category", "certificate_name", "certificate_number", "permit_content",
               "valid_from", "valid_until", "state"),
    "Penalty": (*_SHARED, "violation", "violation_facts", "bases", "penalty_types", "penalty_content", "fine",
                "confiscated", "licence", "severity", "procedure", "is_final", "final_on", "publish_until",
                "repair_notice_on"),
}  # fmt: skip
_WORD_OF_KIND = {"Permit": "许可", "Penalty": "处罚"}
_FACT_OF_COLUMN = {
    "permit_content": "content",
    "penalty_content": "content",
    "violation_facts": "facts",
    "fine": "fine_fen",
    "confiscated": "confiscated_fen",
}
_FEN_OF_WAN_YUAN = 1_000_000
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A record of the warehouse with its facts."""

    kind: str
    columns: Mapping[str, Any]
    """Columns of the table of records."""
    facts: Mapping[str, Any]


def headers_of(kind: str, table: ImportColumns) -> list[str]:
    """The usual header of each column of a kind."""
    word = _WORD_OF_KIND[kind]
    return [next((one for one in table.headers[name] if word in one), table.headers[name][0]) for name in COLUMNS[kind]]


def row_of(record: Exported, day: date, rules: Rules, table: ImportColumns) -> list[str] | None:
    """The cells of a record that is published on a day; None when it is not."""
    decided_on = record.columns["decided_on"]
    until = published_until(record.kind, str(record.columns["subject_kind"]), record.facts, decided_on, rules)
    if until is None or until < day:
        return None
    special: Mapping[str, Callable[[], str]] = {
        "subject_kind": lambda: written(str(record.columns["subject_kind"]), "subject_kind", table),
        "uscc": lambda: str(record.columns["identifier"]),
        "authority_name": lambda: _authority(str(record.columns["authority"]), rules),
        "bases": lambda: "；".join(basis_in_words(one, rules) for one in record.columns["bases"]),
        "publish_until": until.isoformat,
    }
    return [special[name]() if name in special else _cell(name, record, table) for name in COLUMNS[record.kind]]


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write UTF-8 with a mark at the start, which spreadsheets ask for; how many rows."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for count, row in enumerate(rows, 1):  # noqa: B007 - counted
            writer.writerow([_harmless(cell) for cell in row])
    return count


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a spreadsheet whose cells are all texts; how many rows."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("数据")
    sheet.append(list(header))
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - counted
        sheet.append([_text_cell(sheet, cell) for cell in row])
    book.save(path)
    return count


def _cell(name: str, record: Exported, table: ImportColumns) -> str:
    if name in record.columns:
        return _plain(record.columns[name])
    value = record.facts.get(_FACT_OF_COLUMN.get(name, name))
    if name in ("fine", "confiscated"):
        return "" if value is None else f"{Decimal(value) / _FEN_OF_WAN_YUAN:f}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return ";".join(written(str(one), name, table) for one in value)
    return written(value, name, table) if isinstance(value, str) and name in table.values else _plain(value)


def _plain(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def written(code: str, column: str, table: ImportColumns) -> str:
    """How a code is written in files: the first word that means it."""
    return next((word for word, meant in table.values[column].items() if meant == code and word), code)


def _authority(code: str, rules: Rules) -> str:
    return next((one.name.zh for one in rules.departments.values() if code in one.authorities), "")


def basis_in_words(basis: str, rules: Rules) -> str:
    """《instrument》article."""
    code, _, article = basis.partition(" ")
    instrument = rules.instruments.get(code)
    return f"《{instrument.name.zh if instrument else code}》{article}"


def _harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula; imports drop the tab."""
    return f"\t{cell}" if cell.startswith(_FORMULA) else cell


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell
