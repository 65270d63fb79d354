"""What the look-up asks of ClickHouse. Every value is bound by the server, every read collapses by id (FINAL)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import structlog

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.standing import ENDED
from creditbus.core.errors import RetryLaterError
from creditbus.lookup.statements import DOSSIER, IN_FORCE, IN_FORCE_OF_ALL, ON_FILE, newest, placed, records_of
from creditbus.lookup.steps import Wanted, plain, shown, state_of_record, with_states

log = structlog.get_logger()

_AT_ONCE = 6
_MOST_KEYS = 20
"""So many links of a subject's keys are followed."""
_MOST_LED = 10_000
"""So many closed keys are remembered with the key that the subject has now."""
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
    """A subject's dossier, listings and orders, and its records, which are being read while the caller audits."""

    key: str
    dossier: Row
    records: Callable[[], list[Row]]
    listings: list[Row]
    orders: list[Row]

    def is_led_to_by(self, key: str) -> bool:
        """Whether the dossier says that this key was closed in its favour."""
        return key in (self.dossier.get("linked") or ())


def _once_more(been: int) -> int:
    """Another key to follow. Raises RetryLaterError when there are so many that they lead in a circle: the dossiers
    of one subject are written one after the other, so for a moment each of two may lead to the other.
    """
    if been >= _MOST_KEYS:
        log.warning("keys lead in a circle", followed=been, remedy="asked again; if it stays, creditbus verify tells")
        raise RetryLaterError(f"a subject's keys lead on {been} times: a link is being carried out; ask again")
    return been + 1


class Queries:
    """Questions to the warehouse. A subject's file is two of them, asked at the same time: planning takes far longer
    than reading the few rows of a subject, so they are few and read few columns (``shown``, clickhouse/ddl.py).
    """

    def __init__(self, clickhouse: ClickHouse, read_body: ReadBody, disclosure: Callable[[], Disclosure]) -> None:
        """disclosure: by the edition in force."""
        self._clickhouse = clickhouse
        self._disclosure = disclosure
        self._read_body = read_body
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="query")
        self._led: dict[str, str] = {}
        """Where closed keys led to when they were asked for; a guess, which the dossier there has to confirm."""

    def file_of(
        self, wanted: Wanted, after: list[str] | None, limit: int, cut: Cut = ALL, *, history: bool = False
    ) -> File | None:
        """Everything about a subject, or its records of a view; None when there is no dossier.

        A key that the subject had before leads to the one that it has now.
        Listing changes and orders come newest first.
        history: also what has ended.
        """
        start = self._key_of(wanted)
        if start is None:
            return None
        if (guess := self._led.get(start)) is not None:
            found = self._file_at(guess, after, limit, cut, history=history)
            if isinstance(found, File) and found.is_led_to_by(start):
                return found
            self._led.pop(start, None)
        key, been = start, 0
        while isinstance(found := self._file_at(key, after, limit, cut, history=history), str):
            key, been = found, _once_more(been)
        if found is not None and found.is_led_to_by(start):
            self._remember(start, key)
        return found

    def _remember(self, closed: str, key: str) -> None:
        if len(self._led) >= _MOST_LED:
            self._led.clear()
        self._led[closed] = key

    def _file_at(
        self, key: str, after: list[str] | None, limit: int, cut: Cut, *, history: bool
    ) -> File | str | None:  # fmt: skip
        """What stands under one key, or the key that it leads to."""
        asked = self._pool.submit(self._records, key, after, limit, cut, history=history)
        rows = self.ask(
            f"({DOSSIER}) UNION ALL {newest('listings')} UNION ALL {newest('orders')}", {"key": key}, binary=True
        )
        parts: dict[str, list[Row]] = {"dossiers": [], "listings": [], "orders": []}
        # several messages of one tick have the same time: their order is that of the log
        for row in sorted(rows, key=lambda row: int(row["koff"]), reverse=True):
            parts[row["part"]].append(self._shown(row))
        if not parts["dossiers"]:
            return None
        dossier = parts["dossiers"][0]
        if dossier.get("redirect"):
            return str(dossier["redirect"])
        records = partial(_standing, asked, dossier.get("linked") or (), limit)
        for name in ("listings", "orders"):
            parts[name].sort(key=lambda row: str(row["at"]), reverse=True)
        return File(key, dossier, records, parts["listings"], parts["orders"])

    def _records(self, key: str, after: list[str] | None, limit: int, cut: Cut, *, history: bool) -> list[Row]:
        """Records of a subject with their facts, newest decision first; what has ended only with its history.

        So many of each origin: which copies are shown is known when the dossier is.
        """
        where = f"{cut.where}{ON_FILE if history else IN_FORCE}"
        values = {"key": key, **cut.parameters, **self.disclosed, **placed(after, limit)}
        return self.read(records_of(where, after, with_outcomes=history), values)

    def dossier(
        self, wanted: Wanted, leads_on: Callable[[Row], bool] = lambda row: bool(row.get("redirect"))
    ) -> Row | None:
        """The dossier with its detail. leads_on: whether it is left for that of the key that it leads to."""
        key, been = self._key_of(wanted), 0
        while key is not None:
            found = next(iter(self.read(DOSSIER, {"key": key})), None)
            if found is None or not leads_on(found):
                return found
            key, been = str(found["redirect"]), _once_more(been)
        return None

    def _key_of(self, wanted: Wanted) -> str | None:
        """Key of a subject, which may be known by another number; None when nobody is."""
        if wanted.key is not None:
            return wanted.key
        sql = f"SELECT subject_key FROM {DATABASE}.dossiers FINAL WHERE has(aliases, {{alias:String}}) LIMIT 1"  # noqa: S608
        rows = self.ask(sql, {"alias": wanted.alias or ""})
        return str(rows[0]["subject_key"]) if rows else None

    def subjects_of(self, cut: Cut, after: str, limit: int) -> list[Row]:
        """Organisations with records in a cut, by key: how many records, and the day of the newest decision."""
        rows = self.ask(
            "SELECT subject_key, any(subject_name) AS name, any(subject_kind) AS kind, "  # noqa: S608
            f"count() AS records, max(decided_on) AS newest FROM {DATABASE}.records FINAL "
            f"WHERE op = 'RECORD' AND subject_kind IN ('LEGAL_PERSON', 'ORGAN') AND subject_key > {{after:String}}"
            f"{cut.where}{IN_FORCE_OF_ALL} "
            "GROUP BY subject_key ORDER BY subject_key LIMIT {limit:UInt32} "
            "SETTINGS prefer_column_name_to_alias = 1",  # the cut's kind is the column, not the alias
            {"after": after, "limit": limit, **cut.parameters, **self.disclosed},
        )
        return [shown(row) for row in rows]

    @property
    def disclosed(self) -> dict[str, object]:
        """Values of the conditions on records."""
        return {
            **ENDED,
            "adverse": list(self._disclosure().adverse_items),
            "years": self._disclosure().years,
            "on_lists": list(self._disclosure().listing_kinds),
            "about_others": list(self._disclosure().casework_kinds),
        }

    def accesses(self, key: str, after: list[str] | None, limit: int) -> list[Row]:
        """Who looked a subject up, newest first."""
        place = (
            " AND (at, access_id) < (parseDateTime64BestEffort({at:String}, 3, 'UTC'), {id:String})" if after else ""
        )
        rows = self.ask(
            f"SELECT * FROM {DATABASE}.access FINAL WHERE subject_key = {{key:String}}{place} "  # noqa: S608
            "ORDER BY at DESC, access_id DESC LIMIT {limit:UInt32}",
            {"key": key, "limit": limit, "at": after[0] if after else "", "id": after[1] if after else ""},
        )
        return [shown(row) for row in rows]

    def listings(
        self,
        list_code: str,
        regions: Sequence[str],
        after: list[str] | None,
        limit: int,
        *,
        by_order: bool = False,
    ) -> list[Row]:
        """Current listings of legal persons: listed and not removed; by_order: orders of courts instead.

        An empty code or list takes all.
        """
        where = " AND list = {list:String}" if list_code else ""
        where += " AND region IN {regions:Array(String)}" if regions else ""
        place = " AND (effective_on, listing_id) < ({day:Date32}, {id:String})" if after else ""
        rows = self.ask(
            f"SELECT * FROM {DATABASE}.listings FINAL WHERE state = 'LISTED' "  # noqa: S608
            f"AND subject_kind = 'LEGAL_PERSON' AND list {'IN' if by_order else 'NOT IN'} "
            f"{{orders:Array(String)}}{where}{place} "
            f"AND listing_id NOT IN (SELECT listing_id FROM {DATABASE}.listings WHERE state = 'REMOVED') "
            "ORDER BY effective_on DESC, listing_id DESC LIMIT {limit:UInt32}",
            {
                "list": list_code,
                "regions": list(regions),
                "limit": limit,
                "day": after[0] if after else "",
                "id": after[1] if after else "",
                "orders": list(self._disclosure().orders),
            },
        )
        return with_states(map(shown, rows), self._details_of({str(row["subject_key"]) for row in rows}))

    def _details_of(self, keys: Collection[str]) -> dict[str, Row]:
        """What the dossiers of some subjects hold, by key."""
        if not keys:
            return {}
        rows = self.ask(
            f"SELECT subject_key, body, body_schema FROM {DATABASE}.dossiers FINAL "  # noqa: S608
            "WHERE subject_key IN {keys:Array(String)}",
            {"keys": sorted(keys)},
            binary=True,
        )
        return {str(row["subject_key"]): self._decoded(row, "") for row in rows if row["body"]}

    def is_order(self, row: Row) -> bool:
        """Whether a listing is no list but an order of a court."""
        return row["list"] in self._disclosure().orders

    def alerts(self, kinds: Sequence[str], regions: Sequence[str], after: list[str] | None, limit: int) -> list[Row]:
        """The latest alerts about organisations, newest first, with their places in the log. Empty lists take all."""
        where = "".join(
            f" AND {column} IN {{{name}:Array(String)}}"
            for column, name, values in (("kind", "kinds", kinds), ("region", "regions", regions))
            if values
        )
        if after:
            where += (
                " AND (at, koff, kpart) < "
                "(parseDateTime64BestEffort({at:String}, 3, 'UTC'), {offset:UInt64}, {partition:UInt16})"
            )
        at, offset, partition = after or ("", "0", "0")
        return self.ask(
            f"SELECT * FROM {DATABASE}.alerts FINAL WHERE subject_kind IN ('LEGAL_PERSON', 'ORGAN'){where} "  # noqa: S608
            "ORDER BY at DESC, koff DESC, kpart DESC LIMIT {limit:UInt32}",
            {
                "kinds": list(kinds),
                "regions": list(regions),
                "at": at,
                "offset": offset,
                "partition": partition,
                "limit": limit,
            },
        )

    def position_of_alerts(self, source: str) -> dict[int, int]:
        """How far a log of alerts has been read into the warehouse: next offset by partition."""
        sql = f"SELECT kpart, max(koff) + 1 AS next FROM {DATABASE}.alerts WHERE src = {{src:String}} GROUP BY kpart"  # noqa: S608
        return {int(row["kpart"]): int(row["next"]) for row in self.ask(sql, {"src": source})}

    def event(self, event_id: str, sender: str | None) -> dict[str, list[Row]]:
        """Everything known of an event; sender None looks at all senders."""
        mine = " AND sender = {sender:String}" if sender else ""
        found = {}
        for table in ("rejections", "records", "changes"):
            rows = self.ask(
                f"SELECT * FROM {DATABASE}.{table} FINAL WHERE event_id = {{event:String}}{mine} LIMIT 100",  # noqa: S608
                {"event": event_id, "sender": sender or ""},
                binary=table != "changes",
            )
            found[table] = [self._decoded(row, "detail") if "body" in row else shown(row) for row in rows]
        return found

    def counts(self) -> dict[str, int]:
        """Rows of every table, as readers see them."""
        parts = [f"SELECT '{table}' AS name, count() AS rows FROM {DATABASE}.{table} FINAL" for table in _ROW_TABLES]  # noqa: S608
        return {row["name"]: int(row["rows"]) for row in self.ask(" UNION ALL ".join(parts), {})}

    def is_up(self) -> bool:
        """Whether ClickHouse answers."""
        return bool(self.ask("SELECT 1 AS up", {}))

    def read(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        """Rows of a file as JSON."""
        return [self._shown(row) for row in self.ask(sql, parameters, binary=True)]

    def ask(self, sql: str, parameters: dict[str, object], *, binary: bool = False) -> list[Row]:
        """Rows of any statement. binary: whether they have a body. Raises BusError."""
        return self._clickhouse.query(sql, parameters, binary=("body",) if binary else ())

    def _shown(self, row: Row) -> Row:
        """A row of a file as JSON: its columns, and what its body holds (a record's facts under a name)."""
        columns: Row = msgspec.json.decode(row["shown"])
        body = plain(self._read_body(str(row["body_schema"]), bytes(row["body"]))) if row["body"] else {}
        if row["part"] != "records":
            return {**columns, **body}
        state = {"state": state_of_record(row["outcomes"])} if "outcomes" in row else {}
        return {**columns, **state, "facts": body}

    def _decoded(self, row: Row, name: str) -> Row:
        """The row with its body decoded: under ``name``, or among its own columns when that is empty."""
        body = bytes(row["body"])
        detail = plain(self._read_body(str(row["body_schema"]), body)) if body else {}
        return {**shown(row), **({name: detail} if name else detail)}


def _standing(asked: Future[list[Row]], linked: Sequence[str], limit: int) -> list[Row]:
    """Records of all origins, but for copies from keys that lead here no longer.

    linked: the keys that lead here; copies of their records are shown as long as they do.
    """
    leading = frozenset(linked)
    return [row for row in asked.result() if leading.issuperset(row["rekeyed_from"])][:limit]
