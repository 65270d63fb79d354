"""What of a subject's file is asked of ClickHouse, as SQL; every value is bound by the server."""

from __future__ import annotations

from creditbus.clickhouse.client import DATABASE
from creditbus.clickhouse.ddl import SHOWN
from creditbus.clickhouse.standing import fallen, standing
from creditbus.core.state import DELETED

MINE = "subject_key = {key:String}"
# each table's part of a file: koff is the order of the log, and ``shown`` the row itself
DOSSIER = (
    f"SELECT 'dossiers' AS part, koff, {SHOWN}, body, body_schema FROM {DATABASE}.dossiers FINAL "  # noqa: S608
    f"WHERE {MINE} LIMIT 1"
)
_CLOSED = f"(SELECT groupArray(subject_key) FROM {DATABASE}.dossiers FINAL WHERE redirect != '')"  # noqa: S608
CLOSED_LEFT_OUT = f" AND NOT has({_CLOSED}, subject_key) AND hasAll({_CLOSED}, rekeyed_from)"
"""Closed dossiers are left out; copies stand as long as the dossiers that they come from are closed."""
_OLDEST = "subtractYears(toDate32(now('Asia/Shanghai')), {years:UInt8})"
NOT_TOO_OLD = (
    f" AND (item NOT IN {{adverse:Array(String)}} OR kind IN {{on_lists:Array(String)}} OR decided_on >= {_OLDEST})"
)
"""What is too old is shown to nobody."""
_GONE = (
    f"SELECT record_id FROM {DATABASE}.changes WHERE {MINE} AND outcome IN {{ended:Array(String)}}"  # noqa: S608
    f" AND (toDate32(as_of) < {_OLDEST} OR outcome = '{DELETED}')"
)
NOT_GONE = f" AND record_id NOT IN ({_GONE})"
"""Nor is what ended too long ago, or is deleted."""
_IN_USE = f" AND op = 'RECORD' AND kind NOT IN {{about_others:Array(String)}}{NOT_TOO_OLD}"
IN_FORCE = f"{_IN_USE} AND (subject_key, record_id) IN ({standing(MINE)})"
IN_FORCE_OF_ALL = f"{_IN_USE} AND (subject_key, record_id) NOT IN ({fallen()}){CLOSED_LEFT_OUT}"
ON_FILE = f" AND op != 'UNLINK'{NOT_TOO_OLD}{NOT_GONE}"
"""For whom the history is shown."""
_TOLD = (
    "SELECT arraySort(groupArray((koff, assumeNotNull(record_id), outcome))) "  # noqa: S608
    f"FROM {DATABASE}.changes WHERE {MINE} AND record_id IS NOT NULL AND NOT (outcome = 'HELD' AND cause = 'TIMER')"
)
_OUTCOMES = "arrayMap(one -> one.3, arrayFilter(one -> one.2 = record_id, told))"
_PLACE = " AND (decided_on, record_id) < ({day:Date32}, {record:String})"


def records_of(where: str, after: list[str] | None, *, with_outcomes: bool = False) -> str:
    """A page of a subject's records, newest decision first: so many of each origin.

    where: more conditions. after: the place (decided_on, record_id) behind which it begins, for ``placed``.
    with_outcomes: also all that was told of each record, in order.
    """
    order = "ORDER BY decided_on DESC, record_id DESC"
    more = ", record_id, decided_on" if with_outcomes else ""
    page = (
        f"SELECT 'records' AS part, koff, {SHOWN}, body, body_schema{more} FROM {DATABASE}.records FINAL "  # noqa: S608
        f"WHERE {MINE}{where}{_PLACE if after else ''} {order} LIMIT {{limit:UInt32}} BY rekeyed_from"
    )
    if not with_outcomes:
        return page
    return f"WITH ({_TOLD}) AS told SELECT *, {_OUTCOMES} AS outcomes FROM ({page}) {order}"  # noqa: S608


def placed(after: list[str] | None, limit: int) -> dict[str, object]:
    """Parameters of a page."""
    return {"limit": limit, **({"day": after[0], "record": after[1]} if after else {})}


def newest(table: str, where: str = "") -> str:
    """The newest steps of a subject's listings or orders. where: more conditions."""
    return (
        f"(SELECT '{table}' AS part, koff, {SHOWN}, '' AS body, '' AS body_schema FROM {DATABASE}.{table} FINAL "  # noqa: S608
        f"WHERE {MINE}{where} ORDER BY at DESC, koff DESC LIMIT 500)"
    )
