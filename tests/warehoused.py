"""Tables of the warehouse as intake and dossier would have filled them, for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec.structs

from builders import DAY, DAY_MS, FIRM_KEY
from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.clickhouse.client import ClickHouse
from creditbus.clickhouse.rows import ClickHouseRows
from creditbus.core.ports import PositionedRow
from creditbus.core.records import Change, CreditRecord, day_of
from creditbus.dossier.steps import Entry
from creditbus.lookup.queries import Disclosure, Queries
from creditbus.warehouse.tables import PLACEMENTS, table_specs
from intake_harness import Intake, example
from partition import DAY_LENGTH, Bus, a_bus

SCHEMAS = SchemaSet.load()
_RECORD_OF = {one.table: one.record for one in PLACEMENTS}


def flush(clickhouse: ClickHouse, table: str, values: Sequence[Any], first: int = 0) -> None:
    """Write structs, or what they hold, as rows of one log. first: offset of the first."""
    schema = SCHEMAS.records[_RECORD_OF[table]]
    told = [one if isinstance(one, dict) else msgspec.structs.asdict(one) for one in values]
    rows = [PositionedRow(table, 0, offset, encode(schema, value)) for offset, value in enumerate(told, first)]
    ClickHouseRows(clickhouse, table_specs(SCHEMAS)).flush(table, rows)


def body_of(kind: str, **changes: Any) -> dict[str, Any]:
    """Facts of the example of a kind, as a record has them."""
    (record,) = Intake().send(example(kind, **changes)).records
    return {"body": record["body"], "body_schema": record["body_schema"]}


def queries_of(clickhouse: ClickHouse, **hidden: Sequence[str]) -> Queries:
    """Look-ups of these tables. hidden: what is not shown or is no list, as Disclosure has it; nothing by default."""
    nothing = {"adverse_items": (), "listing_kinds": (), "casework_kinds": (), "orders": ()}
    disclosure = Disclosure(years=5, **{**nothing, **hidden})
    return Queries(clickhouse, body_reader(SCHEMAS), lambda: disclosure)


def decided(clickhouse: ClickHouse, entries: Sequence[Entry]) -> Bus:
    """Let a dossier decide about a partition of the log; write its records and what became of them."""
    read = body_reader(SCHEMAS)
    records = [one for one in entries if isinstance(one, CreditRecord)]
    bus = a_bus(*((one, read(one.body_schema, one.body)) for one in records if one.body))
    bus.send(*entries)
    flush(clickhouse, "records", records)
    flush(clickhouse, "changes", bus.changes)
    return bus


def taken(record: CreditRecord, outcome: str = "RECORDED", ordinal: str = "") -> Change:
    """What a dossier says of a record, by default that it took it. ordinal: tells one change from another."""
    return Change(
        f"change of {record.record_id}{ordinal}", record.record_id, record.event_key, record.sender, record.event_id,
        record.subject_key, record.kind, outcome, "RECORD", 1, None, None, None, None, False, record.recorded_at,
        "e", "",
    )  # fmt: skip


def dossier_row(key: str, redirect: str = "") -> dict[str, Any]:
    """The row of a firm's dossier, empty but for where it leads."""
    return {
        "subject_key": key, "subject_kind": "LEGAL_PERSON", "subject_name": "虚构", "identifier": "",
        "aliases": [f"alias of {key}"], "region": "150100", "version": 1, "as_of": 1_795_363_200_000, "score": None,
        "grade": None, "listed": False, "lists": [], "court_orders": [], "families": [], "record_count": 0,
        "adverse_count": 0, "edition": "e", "receipt_hash": "", "body": b"", "body_schema": "", "redirect": redirect,
        "linked": [],
    }  # fmt: skip


def listing_step(state: str, day: int, **changes: Any) -> dict[str, Any]:
    """A step of a listing of a firm, told so many days after DAY."""
    return {
        "change_id": state, "listing_id": "l", "subject_key": FIRM_KEY, "subject_kind": "LEGAL_PERSON",
        "subject_name": "虚构", "identifier": "", "list": "L01", "state": state, "cause": "c", "record_id": "r",
        "cause_id": "i", "authority": "a", "region": "150100", "document_number": "n", "basis": [],
        "effective_on": day_of(DAY) + day, "until": None, "fictitious": True, "at": DAY_MS + day * DAY_LENGTH,
        "text_zh": "", "text_en": "", "source": "150000-gy",
    } | changes  # fmt: skip


def order_message(action: str, day: int, **changes: Any) -> dict[str, Any]:
    """A message of an order against a firm, told so many days after DAY."""
    return {
        "order_id": "o", "message_id": action, "action": action, "family": "M01", "measure": "M01",
        "binding": "MANDATORY", "subject_key": FIRM_KEY, "subject_kind": "LEGAL_PERSON", "subject_name": "虚构",
        "identifier": "", "list": "L01", "listing_id": "l", "record_id": "r", "cause": "c", "cause_id": "i",
        "basis": [], "executor": "e", "region": "150100", "effective_on": day_of(DAY) + day, "until": None,
        "fictitious": True, "at": DAY_MS + day * DAY_LENGTH, "text_zh": "", "text_en": "", "scope": [],
    } | changes  # fmt: skip
