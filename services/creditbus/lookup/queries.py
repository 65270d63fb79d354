"""What the look-up asks of ClickHouse. Every value is bound by the server, every read collapses by id (FINAL)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.core.state import ENDED_AS
from creditbus.lookup.steps import Wanted, plain, shown

_AT_ONCE = 6
Row = dict[str, Any]
ReadBody = Callable[[str, bytes], dict[str, Any]]
_ROW_TABLES = ("records", "rejections", "changes", "dossiers", "listings", "orders", "alerts", "access")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which records belong to a view. An empty list takes all."""

    subjects: Sequence[str] = ()
    kinds: Sequence[str] = ()
    senders: Sequence[str] = ()
    items: Sequence[str] = ()

    @property
    def where(self) -> str:
        """Condition on the table of records; values are bound by the server."""
        columns = {"subjects": "subject_kind", "kinds": "kind", "senders": "sender", "items": "item"}
        chosen = [(name, column) for name, column in columns.items() if getattr(self, name)]
        return "".join(f" AND {column} IN {{{name}:Array(String)}}" for name, column in chosen)

    @property
    def parameters(self) -> dict[str, object]:
        """The values."""
        chosen = {"subjects": self.subjects, "kinds": self.kinds, "senders": self.senders, "items": self.items}
        return {name: list(values) for name, values in chosen.items()}


ALL = Cut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What is not shown any more, whoever asks (保存期限、查询披露期限): the catalogue's rows for retention."""

    adverse_items: Sequence[str]
    years: int
    """So many years after the end of an adverse fact nobody is shown it."""
    listing_kinds: Sequence[str]
    """Kinds whose facts last until the subject leaves the list, however long ago they were decided."""
    casework_kinds: Sequence[str]
    """Kinds that tell what became of another fact; of no use but to whoever handles the case."""
    orders: Sequence[str]
    """Codes of what is no list but an order of a court (限制消费令)."""


@dataclass(frozen=True, slots=True)
class File:
    """A subject's dossier, and the rows that are still being read while the caller audits the access."""

    key: str
    dossier: Row
    records: Future[list[Row]]
    listings: Future[list[Row]]
    orders: Future[list[Row]]


class Queries:
    """Questions to the warehouse. The parts of a subject's file are read at the same time: each is short, and most of
    its time is spent on planning.
    """

    def __init__(self, clickhouse: ClickHouse, read_body: ReadBody, disclosure: Disclosure) -> None:
        self._clickhouse = clickhouse
        self._disclosure = disclosure
        self._read_body = read_body
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="query")

    def file_of(
        self, wanted: Wanted, after: list[str] | None, limit: int, cut: Cut = ALL, *, history: bool = False
    ) -> File | None:
        """Everything about a subject, or its records of a view; None when there is no dossier.

        history: also what has ended.
        """
        parts = self._parts(wanted.key, after, limit, cut, history) if wanted.key else None
        dossier = self.dossier(wanted)
        if dossier is None:
            return None
        key = str(dossier["subject_key"])
        return File(key, dossier, *(parts or self._parts(key, after, limit, cut, history)))

    def _parts(
        self, key: str, after: list[str] | None, limit: int, cut: Cut, history: bool
    ) -> tuple[Future[list[Row]], Future[list[Row]], Future[list[Row]]]:
        submit = self._pool.submit
        return (
            submit(partial(self.records, key, after, limit, cut, history=history)),
            submit(self.of_subject, "listings", key),
            submit(self.of_subject, "orders", key),
        )

    def dossier(self, wanted: Wanted) -> Row | None:
        """The dossier with its detail."""
        where = "subject_key = {key:String}" if wanted.key else "has(aliases, {alias:String})"
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.dossiers FINAL WHERE {where} LIMIT 1",  # noqa: S608 - no value stands in the text
            {"key": wanted.key or "", "alias": wanted.alias or ""},
            binary=True,
        )
        return self._decoded(rows[0], "") if rows else None

    def records(
        self, key: str, after: list[str] | None, limit: int, cut: Cut = ALL, *, history: bool = False
    ) -> list[Row]:
        """Records of a subject with their facts, newest decision first; what has ended only with its history."""
        place = " AND (decided_on, record_id) < ({day:Date32}, {record:String})" if after else ""
        shown_still = _shown_still("subject_key = {key:String}", history)
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.records FINAL WHERE subject_key = {{key:String}}{cut.where}{place}"  # noqa: S608
            f"{shown_still} ORDER BY decided_on DESC, record_id DESC LIMIT {{limit:UInt32}}",
            {
                "key": key,
                "limit": limit,
                "day": after[0] if after else "",
                "record": after[1] if after else "",
                **cut.parameters,
                **self._disclosed(),
            },  # fmt: skip
            binary=True,
        )
        return [self._decoded(row, "facts") for row in rows]

    def subjects_of(self, cut: Cut, after: str, limit: int) -> list[Row]:
        """Organisations with records in a cut, by key: how many records, and the day of the newest decision."""
        rows = self._ask(
            "SELECT subject_key, any(subject_name) AS name, any(subject_kind) AS kind, "  # noqa: S608
            f"count() AS records, max(decided_on) AS newest FROM {DATABASE}.records FINAL "
            f"WHERE op = 'RECORD' AND subject_kind IN ('LEGAL_PERSON', 'ORGAN') AND subject_key > {{after:String}}"
            f"{cut.where}{_shown_still('1', history=False)} "
            "GROUP BY subject_key ORDER BY subject_key LIMIT {limit:UInt32} "
            "SETTINGS prefer_column_name_to_alias = 1",  # the cut's kind is the column, not the alias
            {"after": after, "limit": limit, **cut.parameters, **self._disclosed()},
        )
        return [shown(row) for row in rows]

    def _disclosed(self) -> dict[str, object]:
        """Values of the conditions of ``_shown_still``."""
        return {
            "adverse": list(self._disclosure.adverse_items),
            "years": self._disclosure.years,
            "ended": list(ENDED_AS),
            "on_lists": list(self._disclosure.listing_kinds),
            "about_others": list(self._disclosure.casework_kinds),
        }

    def of_subject(self, table: str, key: str) -> list[Row]:
        """Listing changes or orders of a subject, newest first."""
        assert table in ("listings", "orders")
        # several messages of one tick have the same time: their order is that of the log
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.{table} FINAL WHERE subject_key = {{key:String}} "  # noqa: S608
            "ORDER BY at DESC, koff DESC LIMIT 500",
            {"key": key},
        )
        return [shown(row) for row in rows]

    def accesses(self, key: str, after: list[str] | None, limit: int) -> list[Row]:
        """Who looked a subject up, newest first."""
        place = (
            " AND (at, access_id) < (parseDateTime64BestEffort({at:String}, 3, 'UTC'), {id:String})" if after else ""
        )
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.access FINAL WHERE subject_key = {{key:String}}{place} "  # noqa: S608
            "ORDER BY at DESC, access_id DESC LIMIT {limit:UInt32}",
            {"key": key, "limit": limit, "at": after[0] if after else "", "id": after[1] if after else ""},
        )
        return [shown(row) for row in rows]

    def listings(
        self, filters: dict[str, str], after: list[str] | None, limit: int, *, by_order: bool = False
    ) -> list[Row]:
        """Current listings of legal persons: listed and not removed; by_order: orders of courts instead."""
        where = "".join(f" AND {name} = {{{name}:String}}" for name in ("list", "region") if name in filters)
        place = " AND (effective_on, listing_id) < ({day:Date32}, {id:String})" if after else ""
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.listings FINAL WHERE state = 'LISTED' "  # noqa: S608
            f"AND subject_kind = 'LEGAL_PERSON' AND list {'IN' if by_order else 'NOT IN'} "
            f"{{orders:Array(String)}}{where}{place} "
            f"AND listing_id NOT IN (SELECT listing_id FROM {DATABASE}.listings WHERE state = 'REMOVED') "
            "ORDER BY effective_on DESC, listing_id DESC LIMIT {limit:UInt32}",
            {
                **filters,
                "limit": limit,
                "day": after[0] if after else "",
                "id": after[1] if after else "",
                "orders": list(self._disclosure.orders),
            },
        )
        return [shown(row) for row in rows]

    def is_order(self, row: Row) -> bool:
        """Whether a listing is no list but an order of a court."""
        return row["list"] in self._disclosure.orders

    def alerts(self, limit: int, after_alert: str | None = None) -> list[Row]:
        """The latest alerts about organisations, newest first; with after_alert those since that one."""
        since = (
            f" AND at >= (SELECT max(at) FROM {DATABASE}.alerts WHERE alert_id = {{alert:String}})"  # noqa: S608
            " AND alert_id != {alert:String}"
            if after_alert
            else ""
        )
        rows = self._ask(
            f"SELECT * FROM {DATABASE}.alerts FINAL WHERE subject_kind IN ('LEGAL_PERSON', 'ORGAN'){since} "  # noqa: S608
            "ORDER BY at DESC, koff DESC LIMIT {limit:UInt32}",
            {"limit": limit, "alert": after_alert or ""},
        )
        return [shown(row) for row in rows]

    def event(self, event_id: str, sender: str | None) -> dict[str, list[Row]]:
        """Everything known of an event; sender None looks at all senders."""
        mine = " AND sender = {sender:String}" if sender else ""
        found = {}
        for table in ("rejections", "records", "changes"):
            rows = self._ask(
                f"SELECT * FROM {DATABASE}.{table} FINAL WHERE event_id = {{event:String}}{mine} LIMIT 100",  # noqa: S608
                {"event": event_id, "sender": sender or ""},
                binary=table != "changes",
            )
            found[table] = [self._decoded(row, "detail") if "body" in row else shown(row) for row in rows]
        return found

    def counts(self) -> dict[str, int]:
        """Rows of every table, as readers see them."""
        parts = [f"SELECT '{table}' AS name, count() AS rows FROM {DATABASE}.{table} FINAL" for table in _ROW_TABLES]  # noqa: S608
        return {row["name"]: int(row["rows"]) for row in self._ask(" UNION ALL ".join(parts), {})}

    def is_up(self) -> bool:
        """Whether ClickHouse answers."""
        return bool(self._ask("SELECT 1 AS up", {}))

    def _ask(self, sql: str, parameters: dict[str, object], *, binary: bool = False) -> list[Row]:
        return self._clickhouse.query(sql, parameters, binary=("body",) if binary else ())

    def _decoded(self, row: Row, name: str) -> Row:
        """The row with its body decoded: under ``name``, or among its own columns when that is empty."""
        body = bytes(row["body"])
        detail = plain(self._read_body(str(row["body_schema"]), body)) if body else {}
        return {**shown(row), **({name: detail} if name else detail)}


def _shown_still(of: str, history: bool) -> str:
    """Conditions on records: not ended, or not ended too long ago, and not too old to be shown at all.

    of: condition that finds their subjects' changes quickly.
    """
    ended = f"SELECT record_id FROM {DATABASE}.changes WHERE {of} AND outcome IN {{ended:Array(String)}}"  # noqa: S608
    oldest = "subtractYears(toDate32(now('Asia/Shanghai')), {years:UInt8})"
    old = f" AND toDate32(as_of) < {oldest}" if history else ""
    about = "" if history else " AND kind NOT IN {about_others:Array(String)}"
    return (
        f" AND record_id NOT IN ({ended}{old}){about}"
        " AND (item NOT IN {adverse:Array(String)} OR kind IN {on_lists:Array(String)}"
        f" OR decided_on >= {oldest})"
    )
