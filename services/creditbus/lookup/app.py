"""Wiring of the look-up: from a request to an audited answer.

Annotations are evaluated here, not postponed: FastAPI reads dependencies that are made inside a function.
"""

import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse

from creditbus.bus.api_page import api_page
from creditbus.bus.audit import Ledger
from creditbus.bus.catalogue_route import add_catalogue
from creditbus.bus.keyring import Keyring
from creditbus.bus.measured import Measured
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import registry_of
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.serving import Server
from creditbus.bus.topics import load_topics
from creditbus.bus.vaults import keys_in, open_vault
from creditbus.bus.wire import Types, body_reader
from creditbus.catalogue.loader import load
from creditbus.catalogue.purposes import load_purposes
from creditbus.catalogue.views import load_views
from creditbus.clickhouse.client import ClickHouse, QueryError
from creditbus.core.errors import BusError, ReconnectError, RetryLaterError
from creditbus.core.problems import Problem, malformed_request
from creditbus.core.topics import EVENTS_START, RECORDS
from creditbus.lookup import problems
from creditbus.lookup.access import (
    Asked,
    Caller,
    Ports,
    RefusedError,
    When,
    accesses_answer,
    asked_of,
    page,
    place,
    region_codes,
    subject_answer,
    when_of,
)
from creditbus.lookup.alerts import add_alerts
from creditbus.lookup.feed import AlertFeed
from creditbus.lookup.flow import Flow
from creditbus.lookup.law import LawInForce
from creditbus.lookup.loads import add_loads
from creditbus.lookup.match import add_match
from creditbus.lookup.persons import Persons
from creditbus.lookup.queries import Queries
from creditbus.lookup.reconciliation import add_reconciliation
from creditbus.lookup.settings import LookupSettings
from creditbus.lookup.steps import state_of_event
from creditbus.lookup.views import add_views

log = structlog.get_logger()

_TITLE = "公共信用信息查询 Credit record look-up"
_RETRY_SECONDS = 1.0
_DRAIN_SECONDS = 3
_LISTING_ORDER = ("effective_on", "listing_id")


def main() -> int:
    """Serve until told to stop; waits for Kafka, registry and ClickHouse."""
    settings = LookupSettings()
    ports = _built(settings)
    ports.law.follow()
    Server(build_app(ports), settings, _DRAIN_SECONDS).serve_to_the_end()
    ports.feed.close()
    ports.persons.close()
    ports.ledger.close()
    ports.law.close()
    log.info("stopped")
    return 0


def _built(settings: LookupSettings) -> Ports:
    """The ports, as soon as everything they need answers."""
    while True:
        try:
            return build(settings)
        except (RetryLaterError, ReconnectError) as error:
            log.warning("waiting", problem=str(error))
            threading.Event().wait(_RETRY_SECONDS)


def build(settings: LookupSettings) -> Ports:
    """Open everything. Raises RetryLaterError while something is away."""
    schemas, views = SchemaSet.load(), load_views(load())
    registry = registry_of(settings)
    law = LawInForce(settings.brokers, views)
    queries = Queries(ClickHouse(settings.clickhouse_url), body_reader(schemas), law.disclosure)
    queries.is_up()
    feed = AlertFeed(settings.brokers, Types(registry))
    topics = tuple(topic for topic in load_topics() if topic.name.startswith((EVENTS_START, RECORDS)))
    more = tuple(topic for topic in load_topics() if "warehouse" in topic.read_by and topic not in topics)
    return Ports(
        queries=queries,
        keyring=Keyring(settings.secrets),
        ledger=Ledger(settings.brokers, registry, schemas),
        feed=feed,
        flow=Flow(settings.brokers, topics + more, queries.counts),
        purposes=load_purposes(),
        views=views,
        law=law,
        metrics=Metrics("lookup"),
        page_size=settings.lookup_page_size,
        persons=Persons(lambda: open_vault(settings.vault, keys_in(settings.secrets))),
        now=lambda: datetime.now(UTC),
    )


def build_app(ports: Ports) -> FastAPI:
    """The application with all its routes."""
    app = FastAPI(title=_TITLE, version="1", docs_url=None, redoc_url=None, description="公共信用信息查询接口。")
    caller = _caller_of(ports)
    _add_subjects(app, ports, caller)
    _add_lists(app, ports, caller)
    add_alerts(app, ports, caller)
    _add_events(app, ports, caller)
    add_views(app, ports, caller)
    add_match(app, ports, caller)
    add_reconciliation(app, ports, caller)
    add_loads(app, ports, caller)
    add_catalogue(app, lambda: ports.law.now.edition)
    _add_pages(app, ports)
    _add_errors(app, ports)
    return app


def _caller_of(ports: Ports) -> Callable[..., Awaitable[Caller]]:
    async def caller(authorization: Annotated[str, Header()] = "") -> Caller:  # no thread for what is done at once
        kind, _, key = authorization.partition(" ")
        holder = ports.keyring.holder_of(key.strip()) if kind.lower() == "bearer" and key else None
        if holder is None:
            raise RefusedError(problems.NO_KEY)
        return Caller(holder.department, holder.roles)

    return caller


def _add_subjects(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    @app.get(
        "/v1/subjects/{identifier}",
        summary="查询一个主体 One subject, by any of its identifiers",
        response_model=dict[str, Any],
    )
    def get_subject(
        caller: Annotated[Caller, Depends(caller_of)],
        asked: Annotated[Asked, Depends(asked_of)],
        when: Annotated[When, Depends(when_of)],
    ) -> Response:
        # encoded here: FastAPI would check and copy every value of what is JSON already
        return Response(msgspec.json.encode(subject_answer(ports, caller, asked, when)), media_type="application/json")

    @app.get("/v1/subjects/{identifier}/accesses", summary="查询记录 Who looked a subject up, and why")
    def get_accesses(
        caller: Annotated[Caller, Depends(caller_of)], asked: Annotated[Asked, Depends(asked_of)]
    ) -> dict[str, Any]:
        return accesses_answer(ports, caller, asked)

    @app.get("/v1/purposes", summary="查询目的 Purposes that may be stated")
    def get_purposes(caller: Annotated[Caller, Depends(caller_of)]) -> list[dict[str, Any]]:
        mine = [one for one in ports.purposes.values() if one.roles & caller.roles]
        return [{"code": one.code, "zh": one.zh, "en": one.en, "shows": sorted(one.shows)} for one in mine]


def _add_lists(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    @app.get("/v1/listings", summary="当前名单 Current listings of legal persons")
    def get_listings(
        caller: Annotated[Caller, Depends(caller_of)],
        list_code: Annotated[str, Query(alias="list")] = "",
        region: str = "",
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        rows = ports.queries.listings(list_code, region_codes(ports, region), place(cursor), limit)
        return page(rows, limit, _LISTING_ORDER)

    @app.get("/v1/restrictions", summary="当前限制消费令 Orders that limit consumption, of legal persons; no lists")
    def get_restrictions(
        caller: Annotated[Caller, Depends(caller_of)],
        region: str = "",
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        rows = ports.queries.listings("", region_codes(ports, region), place(cursor), limit, by_order=True)
        return page(rows, limit, _LISTING_ORDER)


def _add_events(app: FastAPI, ports: Ports, caller_of: Callable[..., Awaitable[Caller]]) -> None:
    @app.get("/v1/events/{event_id}", summary="事件去向 What became of an event")
    def get_event(event_id: str, caller: Annotated[Caller, Depends(caller_of)]) -> dict[str, Any]:
        sees_all = caller.roles & {"officer", "operator"}
        found = ports.queries.event(event_id[:64], None if sees_all else caller.department)
        outcomes = [str(row["outcome"]) for row in found["changes"]]
        state = state_of_event(found["rejections"], len(found["records"]), outcomes)
        if state is None:
            raise RefusedError(problems.UNKNOWN_EVENT)
        faults = [fault for row in found["rejections"] for fault in row["detail"].get("faults", [])]
        return {
            "event_id": event_id,
            "state": state,
            "senders": sorted({str(row["sender"]) for rows in found.values() for row in rows}),
            "records": [
                {name: row[name] for name in ("record_id", "revision", "kind", "subject_key", "recorded_at")}
                for row in found["records"]
            ],
            "rejections": len(found["rejections"]),
            "faults": faults if state == "REJECTED" else [],
            "outcomes": sorted(set(outcomes)),
        }

    @app.get("/v1/flow", summary="数据流 Counts and lag of each stage")
    def get_flow(caller: Annotated[Caller, Depends(caller_of)]) -> dict[str, Any]:
        return ports.flow.now()


def _add_pages(app: FastAPI, ports: Ports) -> None:
    @app.get("/health/live", include_in_schema=False)
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    def ready() -> dict[str, str]:
        ports.queries.is_up()
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        try:
            ports.queries.is_up()
            is_ready = True
        except BusError:
            is_ready = False
        ports.metrics.set("creditbus_ready", 1 if is_ready else 0)
        return Response(ports.metrics.exposition(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(api_page(_TITLE))


def _add_errors(app: FastAPI, ports: Ports) -> None:
    def answer(problem: Problem) -> Response:
        return JSONResponse(
            problem.to_json(), problem.status, dict(problem.headers), media_type="application/problem+json"
        )

    @app.exception_handler(RefusedError)
    def refused(_: Request, error: RefusedError) -> Response:
        return answer(error.problem)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> Response:
        return answer(malformed_request(error.errors()))

    @app.exception_handler(BusError)
    def away(_: Request, error: BusError) -> Response:
        if isinstance(error, QueryError):
            log.error("a query was refused", problem=str(error))
        return answer(problems.WAREHOUSE_AWAY)

    app.add_middleware(Measured, metrics=ports.metrics)
