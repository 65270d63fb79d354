"""From one row of a two-publicity file to an event, or every fault of the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from creditbus.catalogue.import_columns import ImportColumns
from creditbus.client.importing import texts
from creditbus.client.importing.columns import Layout
from creditbus.client.producer import event_id_for
from creditbus.core.events import LEGAL_PERSON, NATURAL_PERSON, SOLE_TRADER
from creditbus.core.identifiers import is_sole_trader, normalise_identifier
from creditbus.core.outcome import Fault, Ok, Reason, Reject
from creditbus.core.text import AmountUnit, normalise_document_number, normalise_text, parse_amount_fen, parse_date

_LONG_TERM = date(2099, 12, 31)
_LISTED = re.compile(r"[;；,，、/|\n]+")
_TITLE = re.compile(r"《([^《》]+)》")
_NUMERAL = "[〇零一二三四五六七八九十百千0-9]+"
_ARTICLE = re.compile(f"第{_NUMERAL}条(?:之{_NUMERAL})?(?:第{_NUMERAL}款)?(?:第[(（]?{_NUMERAL}[)）]?项)?")
_STATE_PREFIX = "中华人民共和国"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every event of an import has in common."""

    sender: str
    item: str
    """Catalogue item, unless the row names one."""
    authority: str
    """Unified code of the authority, unless the row names one; empty when the department has several."""
    region: str
    instruments: Mapping[str, str]
    """Code of each instrument of the catalogue, by its name and by its code."""
    reported_at: str
    """RFC 3339."""
    fictitious: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An event as the gateway takes it, and its id."""

    event_id: str
    body: Mapping[str, object]


@dataclass(slots=True)
class _Row:
    """One row being read: values by column, faults as they are found."""

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


def to_event(cells: Sequence[str], layout: Layout, table: ImportColumns, context: Context) -> Ok[Imported] | Reject:
    """The event of a row, or every fault that can be seen without the catalogue's rules."""
    row = _Row(cells, layout, table)
    if any(cell.strip() for cell in cells[len(layout.headers) :]):
        # an unquoted separator has moved the values: nothing in this row can be trusted
        return Reject((texts.too_many_cells(),))
    facts = _FACTS[layout.kind](row)
    subject = _subject(row)
    document = _document(row)
    bases = _bases(row, context)
    authority = normalise_identifier(row.text("authority")) or context.authority
    if not authority:
        row.add(Reason.MISSING_FIELD, "authority")
    revision = _revision(row)
    fictitious = row.code("fictitious", "true" if context.fictitious else "false", "yes_no") == "true"
    if row.faults:
        return Reject(tuple(row.faults))
    identifiers = subject["identifiers"]
    assert isinstance(identifiers, list)
    number = normalise_document_number(str(document["number"]))
    item_number = str(document["item_number"])
    event_id = event_id_for(context.sender, layout.kind, number, item_number, str(identifiers[0]["value"]))
    body = {
        "kind": layout.kind,
        "event_id": event_id,
        "revision": revision,
        "item": row.text("item") or context.item,
        "authority": authority,
        "region": row.text("region") or context.region,
        "reported_at": context.reported_at,
        "fictitious": fictitious,
        "subject": subject,
        "document": document,
        "bases": bases,
        "facts": facts,
    }
    return Ok(Imported(event_id=event_id, body=body))


def code_of(value: str, codes: Mapping[str, str]) -> str | None:
    """The code that a cell means: written exactly, as the code itself, or as a text that holds one of the words."""
    if value in codes:
        return codes[value]
    if value.upper() in codes.values():
        return value.upper()
    return next((code for word, code in codes.items() if not word.isascii() and word in value), None)


def _subject(row: _Row) -> dict[str, object]:
    identifiers = _identifiers(row)
    kind = _subject_kind(row, identifiers)
    if kind == NATURAL_PERSON:
        number = normalise_identifier(row.text("person_document_number"))
        if number and row.code("person_document_type", "CITIZEN") == "CITIZEN":
            identifiers = [{"scheme": "CITIZEN", "value": number}]
        elif not number:
            row.add(Reason.MISSING_IDENTIFIER, "person_document_number")
    elif not identifiers:
        row.add(Reason.MISSING_IDENTIFIER, "uscc")
    return {"kind": kind, "name": row.required("subject_name"), "identifiers": identifiers}


def _identifiers(row: _Row) -> list[dict[str, str]]:
    found = ((scheme, normalise_identifier(row.text(column))) for scheme, column in _SCHEMES)
    return [{"scheme": scheme, "value": value} for scheme, value in found if value]


_SCHEMES = (
    ("USCC", "uscc"),
    ("ORGANISATION", "organisation_code"),
    ("REGISTRATION", "registration_number"),
    ("TAX", "tax_number"),
)


def _subject_kind(row: _Row, identifiers: Sequence[Mapping[str, str]]) -> str:
    """As stated; where nothing is stated, as the numbers tell."""
    if row.text("subject_kind"):
        return row.code("subject_kind")
    if not identifiers:
        return NATURAL_PERSON if row.text("person_document_number") else LEGAL_PERSON
    return SOLE_TRADER if is_sole_trader(identifiers[0]["value"]) else LEGAL_PERSON


def _document(row: _Row) -> dict[str, object]:
    decided_on = row.day("decided_on")
    if decided_on is None and not row.text("decided_on"):
        row.add(Reason.MISSING_FIELD, "decided_on")
    return {
        "number": row.required("document_number", Reason.MISSING_DOCUMENT_NUMBER),
        "title": row.text("document_title"),
        "item_number": row.text("item_number"),
        "decided_on": decided_on,
        "served_on": row.day("served_on"),
        "url": row.text("document_url") or None,
    }


def _revision(row: _Row) -> int:
    value = row.text("revision")
    if not value:
        return 1
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= 10_000 and len(value) <= 5):
        row.add(Reason.BAD_REVISION, "revision")
        return 1
    return int(value)


def _bases(row: _Row, context: Context) -> list[dict[str, str]]:
    """Instruments that the text names in 《》, or by code, with the article that follows each."""
    text = row.text("bases")
    if text in context.instruments:
        return [{"instrument": context.instruments[text], "article": ""}]
    titles = list(_TITLE.finditer(text))
    ends = [*(title.start() for title in titles), len(text)][1:]
    found = []
    for title, end in zip(titles, ends, strict=True):
        code = _instrument_of(title[1], context.instruments)
        article = _ARTICLE.search(text, title.end(), end)
        if code is not None:
            found.append({"instrument": code, "article": article[0] if article else ""})
    if text and not found:
        row.add(Reason.UNKNOWN_BASIS, "bases")
    return found


def _instrument_of(title: str, instruments: Mapping[str, str]) -> str | None:
    plain = normalise_text(title).replace(" ", "")
    for name in (plain, _STATE_PREFIX + plain, plain.removeprefix(_STATE_PREFIX)):
        if name in instruments:
            return instruments[name]
    return None


def _permit_facts(row: _Row) -> dict[str, object]:
    return {
        "category": row.code("category"),
        "certificate_name": row.text("certificate_name"),
        "certificate_number": row.text("certificate_number"),
        "content": row.required("permit_content"),
        "valid_from": row.day("valid_from"),
        "valid_until": row.day("valid_until"),
        "state": row.code("state", "VALID"),
    }


def _penalty_facts(row: _Row) -> dict[str, object]:
    """Severity and finality stand in newer files only. Nothing stated: general, and not final, which scores nothing."""
    final_on = row.day("final_on")
    return {
        "procedure": row.code("procedure", "GENERAL"),
        "violation": row.required("violation"),
        "facts": row.required("violation_facts"),
        "penalty_types": _penalty_types(row),
        "content": row.required("penalty_content"),
        "fine_fen": row.amount_fen("fine"),
        "confiscated_fen": row.amount_fen("confiscated"),
        "licence": row.text("licence") or None,
        "severity": row.code("severity", "GENERAL"),
        "is_final": row.code("is_final", "false" if final_on is None else "true", "yes_no") == "true",
        "final_on": final_on,
        "publish_until": row.day("publish_until"),
    }


def _penalty_types(row: _Row) -> list[str]:
    parts = [part for part in _LISTED.split(row.required("penalty_types")) if part]
    codes = row.table.values["penalty_types"]
    found = [code_of(part, codes) for part in parts]
    if None in found:
        row.add(Reason.UNKNOWN_CODE, "penalty_types", codes)
    return list(dict.fromkeys(code for code in found if code is not None))


_FACTS: Mapping[str, Callable[[_Row], dict[str, object]]] = {"Permit": _permit_facts, "Penalty": _penalty_facts}
