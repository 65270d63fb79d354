"""What the columns of a file are: where its header stands, which kind it is of, where each value is found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creditbus.catalogue.import_columns import ImportColumns, canonical_header
from creditbus.core.text import AmountUnit

KINDS = ("Permit", "Penalty", "CourtEnforcement", "ListDecision", "Rating", "Honor", "MeasureAcknowledgement")
LINE_COLUMN, ERRORS_COLUMN = "行号/line", "错误/errors"
HEADER_WITHIN_ROWS = 10
_FEWEST_KNOWN = 3
_BRACKETS = re.compile(r"[(\[{<〔【《].*?[)\]}>〕】》]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one file."""

    kind: str
    headers: tuple[str, ...]
    positions: Mapping[str, int]
    """Column → position in the row."""
    units: Mapping[str, AmountUnit]
    unknown: tuple[str, ...]
    """Headers that mean nothing to us: their values are not sent."""

    def header_of(self, column: str) -> str:
        """The header as it stands in the file, or the column's own name."""
        position = self.positions.get(column)
        return column if position is None else self.headers[position]


def find_header(rows: Sequence[Sequence[str]], table: ImportColumns) -> int | None:
    """Which of the first rows is the header: the one with the most known columns. Titles may stand above it."""
    counts = [sum(column_of(cell, table) is not None for cell in row) for row in rows[:HEADER_WITHIN_ROWS]]
    best = max(counts, default=0)
    return counts.index(best) if best >= _FEWEST_KNOWN else None


def lay_out(header: Sequence[str], table: ImportColumns, kind: str | None = None) -> Layout | str:
    """The layout of a header. kind: None lets the columns decide.

    Returns a column's header that stands there twice when so, since nobody can tell which of the two is meant.
    """
    positions: dict[str, int] = {}
    unknown = []
    for position, text in enumerate(header):
        column = column_of(text, table)
        if column is None:
            if text.strip() and not _is_ignored(text, table):
                unknown.append(text)
        elif column in positions:
            return text
        else:
            positions[column] = position
    return Layout(
        kind=kind or guess_kind(positions, table),
        headers=tuple(header),
        positions=positions,
        units={column: _unit_of(header[position]) for column, position in positions.items()},
        unknown=tuple(unknown),
    )


def guess_kind(columns: Mapping[str, int], table: ImportColumns) -> str:
    """The kind that has more of the columns for itself."""
    counts = [sum(kind in table.kinds.get(column, ()) for column in columns) for kind in KINDS]
    return KINDS[counts.index(max(counts))]


def column_of(header: str, table: ImportColumns) -> str | None:
    """The column that a header means, with or without what stands in brackets."""
    text = canonical_header(header)
    return table.by_header.get(text) or table.by_header.get(_BRACKETS.sub("", text))


def _is_ignored(header: str, table: ImportColumns) -> bool:
    text = canonical_header(header)
    return text in table.ignored or _BRACKETS.sub("", text) in table.ignored


def _unit_of(header: str) -> AmountUnit:
    """The unit in a header's brackets; the standard's own unit is 万元."""
    text = canonical_header(header)
    return AmountUnit.YUAN if re.search(r"\((?:人民币)?元\)", text) else AmountUnit.WAN_YUAN
