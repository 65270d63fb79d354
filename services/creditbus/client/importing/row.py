"""One row of an imported file while it is read: values by column, faults as they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from creditbus.catalogue.import_columns import ImportColumns
from creditbus.client.importing import texts
from creditbus.client.importing.columns import Layout
from creditbus.core.outcome import Fault, Reason
from creditbus.core.text import AmountUnit, normalise_text, parse_amount_fen, parse_date

_LONG_TERM = date(2099, 12, 31)


@dataclass(slots=True)
class Row:
    """One row being read."""

    cells: Sequence[str]
    layout: Layout
    table: ImportColumns
    faults: list[Fault] = field(default_factory=list)

    def text(self, column: str) -> str:
        """The value, "" when absent or empty."""
        position = self.layout.positions.get(column)
        return normalise_text(self.cells[position]) if position is not None and position < len(self.cells) else ""

    def required(self, column: str, reason: Reason = Reason.MISSING_FIELD) -> str:
        """The value, with a fault when there is none."""
        value = self.text(column)
        if not value:
            self.add(reason, column)
        return value

    def day(self, column: str) -> str | None:
        """ISO date of the value; terms without end are 2099-12-31."""
        value = self.text(column)
        if not value:
            return None
        if value in self.table.endless:
            return _LONG_TERM.isoformat()
        day = parse_date(int(value) if value.isdecimal() and len(value) == 5 else value)
        if day is None:
            self.add(Reason.IMPOSSIBLE_DATE, column)
            return None
        return day.isoformat()

    def amount_fen(self, column: str) -> int | None:
        """Fen of the value."""
        value = self.text(column)
        if not value:
            return None
        amount = parse_amount_fen(value, self.layout.units.get(column, AmountUnit.WAN_YUAN))
        if amount is None:
            self.add(Reason.BAD_AMOUNT, column)
        return amount

    def code(self, column: str, default: str | None = None, values: str = "") -> str:
        """Code of the value; a fault when it is in no list, or when it is absent and there is no default."""
        value = self.text(column)
        if not value and default is not None:
            return default
        found = code_of(value, self.table.values[values or column])
        if found is None:
            self.add(
                Reason.UNKNOWN_CODE if value else Reason.MISSING_FIELD, column, self.table.values[values or column]
            )
            return ""
        return found

    def add(self, reason: Reason, column: str, allowed: Mapping[str, str] | Sequence[str] = ()) -> None:
        """Note a fault of this column."""
        self.faults.append(texts.fault(reason, self.layout.header_of(column), list(allowed)))

    def whole(self, column: str) -> int | None:
        """A whole number; None when absent."""
        value = self.text(column)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 6):
            self.add(Reason.BAD_REVISION, column)
            return None
        return int(value)

    def needed_day(self, column: str) -> str | None:
        """ISO date of the value, with a fault when there is none."""
        if not self.text(column):
            self.add(Reason.MISSING_FIELD, column)
        return self.day(column)


def code_of(value: str, codes: Mapping[str, str]) -> str | None:
    """The code that a cell means: written exactly, as the code itself, or as a text that holds one of the words."""
    if value in codes:
        return codes[value]
    if value.upper() in codes.values():
        return value.upper()
    return next((code for word, code in codes.items() if not word.isascii() and word in value), None)
