"""From one row of a file to an event, or every fault of the row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creditbus.catalogue.import_columns import NO_DEFAULTS, ImportColumns
from creditbus.client.importing import texts
from creditbus.client.importing.columns import Layout
from creditbus.client.importing.facts import FACTS
from creditbus.client.importing.row import Row, code_of
from creditbus.client.producer import event_id_for
from creditbus.core.events import LEGAL_PERSON, NATURAL_PERSON, SOLE_TRADER
from creditbus.core.identifiers import is_sole_trader, normalise_identifier
from creditbus.core.outcome import Ok, Reason, Reject
from creditbus.core.text import normalise_document_number, normalise_text

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
    load_id: str | None = None
    """Initial load that the rows belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An event as the gateway takes it, and its id."""

    event_id: str
    body: Mapping[str, object]


def to_event(cells: Sequence[str], layout: Layout, table: ImportColumns, context: Context) -> Ok[Imported] | Reject:
    """The event of a row, or every fault that can be seen without the catalogue's rules."""
    row = Row(cells, layout, table)
    if any(cell.strip() for cell in cells[len(layout.headers) :]):
        # an unquoted separator has moved the values: nothing in this row can be trusted
        return Reject((texts.too_many_cells(),))
    facts = FACTS[layout.kind](row)
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
    body: dict[str, object] = {
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
    if context.load_id is not None:
        body["load_id"] = context.load_id
    return Ok(Imported(event_id=event_id, body=body))


def _subject(row: Row) -> dict[str, object]:
    if key := row.text("subject_key"):
        identifiers = [{"scheme": "SUBJECT_KEY", "value": key}]
        return {"kind": row.code("subject_kind"), "name": row.required("subject_name"), "identifiers": identifiers}
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


def _identifiers(row: Row) -> list[dict[str, str]]:
    found = ((scheme, normalise_identifier(row.text(column))) for scheme, column in _SCHEMES)
    return [{"scheme": scheme, "value": value} for scheme, value in found if value]


_SCHEMES = (
    ("USCC", "uscc"),
    ("ORGANISATION", "organisation_code"),
    ("REGISTRATION", "registration_number"),
    ("TAX", "tax_number"),
)


def _subject_kind(row: Row, identifiers: Sequence[Mapping[str, str]]) -> str:
    """As stated; where nothing is stated, as the numbers tell."""
    if row.text("subject_kind"):
        return row.code("subject_kind")
    if not identifiers:
        return NATURAL_PERSON if row.text("person_document_number") else LEGAL_PERSON
    return SOLE_TRADER if is_sole_trader(identifiers[0]["value"]) else LEGAL_PERSON


def _document(row: Row) -> dict[str, object]:
    """Feeds without a column for a day or number of the decision have another that stands for it."""
    rules = row.table.defaults.get(row.layout.kind, NO_DEFAULTS)
    day = "decided_on" if row.text("decided_on") or not rules.decided_on else rules.decided_on
    decided_on = row.day(day)
    if decided_on is None and not row.text(day):
        row.add(Reason.MISSING_FIELD, "decided_on")
    parts = [_coded(row, column) for column in rules.document_number]
    number = row.text("document_number") or "-".join(part for part in parts if part)
    if not number:
        row.add(Reason.MISSING_DOCUMENT_NUMBER, "document_number")
    return {
        "number": number,
        "title": row.text("document_title"),
        "item_number": row.text("item_number"),
        "decided_on": decided_on,
        "served_on": row.day("served_on"),
        "url": row.text("document_url") or None,
    }


def _coded(row: Row, column: str) -> str:
    """The code that a cell means, so that the number does not depend on how it is written."""
    value = row.text(column)
    return code_of(value, row.table.values.get(column, {})) or value


def _revision(row: Row) -> int:
    value = row.text("revision")
    if not value:
        return 1
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= 10_000 and len(value) <= 5):
        row.add(Reason.BAD_REVISION, "revision")
        return 1
    return int(value)


def _bases(row: Row, context: Context) -> list[dict[str, str]]:
    """Instruments that the text names in 《》, or by code, with the article that follows each."""
    text = row.text("bases") or row.table.defaults.get(row.layout.kind, NO_DEFAULTS).basis
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
