"""What of the warehouse is exported: records that are in force, and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.standing import ENDED, standing
from creditbus.client.exporting import Exported
from creditbus.core.events import ORGANISATION_KINDS, PERSON_KINDS
from creditbus.lookup.statements import CLOSED_LEFT_OUT

_PAGE = 5_000
_ORDER = "ORDER BY natural_key, record_id"
_RECORDS = (
    f"WITH page AS (SELECT * FROM {DATABASE}.records FINAL WHERE op = 'RECORD' AND kind = {{kind:String}} "  # noqa: S608
    "AND subject_kind IN {kinds:Array(String)} AND (natural_key, record_id) > ({fact:String}, {record:String})"
    f"{CLOSED_LEFT_OUT} {_ORDER} LIMIT {{limit:UInt32}}) "
    f"SELECT *, (subject_key, record_id) IN ({standing('subject_key IN (SELECT subject_key FROM page)')}) AS stands "
    f"FROM page {_ORDER}"
)
ReadBody = Callable[[str, bytes], dict[str, Any]]


def read_records(clickhouse: ClickHouse, read_body: ReadBody, kind: str, page: int = _PAGE) -> Iterator[Exported]:
    """Records of organisations of a kind that are in force. Raises BusError."""
    fact, record = "", ""
    while True:
        rows = clickhouse.query(
            _RECORDS,
            {**ENDED, "kind": kind, "kinds": sorted(ORGANISATION_KINDS), "fact": fact, "record": record, "limit": page},
            binary=("body",),
        )
        for row in rows:
            if row["stands"]:
                yield Exported(kind=kind, columns=row, facts=read_body(str(row["body_schema"]), bytes(row["body"])))
        if len(rows) < page:
            return
        fact, record = str(rows[-1]["natural_key"]), str(rows[-1]["record_id"])


def read_orders(
    clickhouse: ClickHouse, families: Mapping[str, bool], list_code: str = "", page: int = _PAGE
) -> Iterator[dict[str, Any]]:
    """The last message of each order of some families, of one list where one is named. Raises BusError.

    families: whether orders against natural persons and sole traders are meant too.
    """
    after = ""
    while True:
        rows = clickhouse.query(
            f"SELECT * FROM {DATABASE}.orders FINAL WHERE order_id > {{after:String}} "  # noqa: S608
            "AND (family IN {families:Array(String)} AND subject_kind NOT IN {persons:Array(String)} "
            "OR family IN {persons_too:Array(String)}) AND ({list:String} = '' OR list = {list:String}) "
            "ORDER BY order_id, koff DESC LIMIT 1 BY order_id LIMIT {limit:UInt32}",
            {
                "after": after,
                "families": sorted(families),
                "persons": sorted(PERSON_KINDS),
                "persons_too": sorted(family for family, persons in families.items() if persons),
                "list": list_code,
                "limit": page,
            },
        )
        yield from rows
        if len(rows) < page:
            return
        after = str(rows[-1]["order_id"])


def read_answers(clickhouse: ClickHouse, department: str) -> frozenset[str]:
    """Numbers of a department's acknowledgements. Raises BusError."""
    rows = clickhouse.query(
        f"SELECT DISTINCT document_number FROM {DATABASE}.records FINAL "  # noqa: S608
        "WHERE kind = 'MeasureAcknowledgement' AND op = 'RECORD' AND sender = {sender:String}",
        {"sender": department},
    )
    return frozenset(str(row["document_number"]) for row in rows)
