"""Report of an initial load over HTTP: what came, what became of it, and what would follow from its release.

Annotations are evaluated here, not postponed: FastAPI reads dependencies that are made inside a function.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path

from creditbus.clickhouse.client import DATABASE
from creditbus.core.events import ORGANISATION_KINDS
from creditbus.core.loading import LOAD_ID
from creditbus.core.rules import Rules
from creditbus.lookup import problems
from creditbus.lookup.access import Caller, Ports, RefusedError
from creditbus.lookup.queries import Queries, Row

_APPROVES = "officer"
_SHOWN = 20
_OF_LOAD = "sender = {sender:String} AND load_id = {load:String} AND empty(rekeyed_from) AND op = 'RECORD'"
_RECORDS = f"SELECT record_id FROM {DATABASE}.records WHERE {_OF_LOAD}"  # noqa: S608


def add_loads(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    """Add the route."""

    @app.get("/v1/loads/{department}/{load_id}", summary="初始导入报告 What an initial load brings, before its release")
    def get_load(
        department: str,
        load_id: Annotated[str, Path(pattern=f"^{LOAD_ID}$")],
        caller: Annotated[Caller, Depends(caller_of)],
    ) -> dict[str, Any]:
        if _APPROVES not in caller.roles and caller.department != department:
            raise RefusedError(problems.not_allowed("loads", [_APPROVES]))
        return report_of(ports.queries, ports.law.now.rules, department, load_id)


def report_of(queries: Queries, rules: Rules, department: str, load_id: str) -> dict[str, Any]:
    """Records by kind and outcome, and the listings that wait with the orders that they would cause."""
    of_load: dict[str, object] = {"sender": department, "load": load_id}
    [total] = queries.ask(
        "SELECT uniqExact(event_id) AS events, uniqExact(subject_key) AS subjects, count() AS records "  # noqa: S608
        f"FROM {DATABASE}.records FINAL WHERE {_OF_LOAD}",
        of_load,
    )
    kinds = queries.ask(
        f"SELECT kind, count() AS records FROM {DATABASE}.records FINAL WHERE {_OF_LOAD} "  # noqa: S608
        "GROUP BY kind ORDER BY kind",
        of_load,
    )
    outcomes = queries.ask(
        f"SELECT outcome, uniqExact(record_id) AS records FROM {DATABASE}.changes "  # noqa: S608
        f"WHERE cause = 'RECORD' AND record_id IN ({_RECORDS}) GROUP BY outcome ORDER BY outcome",
        of_load,
    )
    waiting = queries.ask(
        "SELECT listing_id, argMax(state, koff) AS state, any(list) AS list, any(region) AS region, "  # noqa: S608
        "any(subject_kind) AS subject_kind, any(subject_key) AS subject_key, any(subject_name) AS subject_name, "
        "any(document_number) AS document_number, toString(any(effective_on)) AS effective_on "
        f"FROM {DATABASE}.listings WHERE record_id IN ({_RECORDS}) GROUP BY listing_id HAVING state = 'WAITING' "
        "ORDER BY effective_on, listing_id",
        of_load,
    )
    return {
        "department": department,
        "load_id": load_id,
        **total,
        "kinds": {str(row["kind"]): row["records"] for row in kinds},
        "outcomes": {str(row["outcome"]): row["records"] for row in outcomes},
        "waiting": _waiting(waiting, rules),
    }


def _waiting(rows: Sequence[Row], rules: Rules) -> dict[str, Any]:
    """What a release would bring; examples of organisations only."""
    orders = Counter(
        measure.family
        for row in rows
        for measure in rules.measures_after(str(row["list"]), str(row["subject_kind"]), str(row["region"]))
    )
    shown = [row for row in rows if row["subject_kind"] in ORGANISATION_KINDS][:_SHOWN]
    told = ("subject_key", "subject_name", "list", "document_number", "effective_on")
    return {
        "listings": len(rows),
        "subjects": len({row["subject_key"] for row in rows}),
        "lists": dict(sorted(Counter(str(row["list"]) for row in rows).items())),
        "regions": dict(sorted(Counter(str(row["region"]) for row in rows).items())),
        "orders_at_most": dict(sorted(orders.items())),
        "examples": [{name: row[name] for name in told} for row in shown],
    }
