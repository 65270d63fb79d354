"""Wiring of the gateway: from an HTTP request to acknowledged events and an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Annotated

import orjson
import structlog
from fastapi import FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from creditbus.bus.catalogue_route import add_catalogue
from creditbus.bus.collector import tune_collector
from creditbus.bus.keyring import Holder, Keyring
from creditbus.bus.metrics import Metrics
from creditbus.bus.publisher import Publisher, PublishPolicy
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import EXIT_ERROR, EXIT_STOPPED
from creditbus.bus.serving import Server
from creditbus.bus.settings import read_key
from creditbus.bus.signing import ALGORITHM, KeyPair, sign
from creditbus.core.evidence import Accepted, accepted_batch
from creditbus.core.loading import LOAD_ID, load_source
from creditbus.core.problems import Problem, malformed_request
from creditbus.core.records import BEIJING
from creditbus.core.sending import Judged, Sender, judge
from creditbus.gateway import problems
from creditbus.gateway.approvals import (
    Answer,
    CompletionBody,
    EditionBody,
    JumpBody,
    LoadBody,
    ReleaseBody,
    approve_edition,
    approve_jump,
    approve_load,
    approve_release,
    complete_load,
)
from creditbus.gateway.pages import Instruments, add_pages
from creditbus.gateway.preparation import Ports, Preparation, looked_up
from creditbus.gateway.settings import GatewaySettings
from creditbus.gateway.steps import (
    Status,
    answer_status,
    events_of,
    message_of,
    results_of,
    statuses_of,
    with_evidence,
)

log = structlog.get_logger()

_TITLE = "信用信息报送网关 Credit record gateway"
_DRAIN_SECONDS = 4
EditionHash = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of an edition, as `creditbus rules list` tells it."""
LoadId = Annotated[str, Path(pattern=f"^{LOAD_ID}$")]
"""Id of an initial load, which its department gives it."""
_BREATHE_EVERY = 100
"""Events judged before other requests get a turn: about three milliseconds."""


class RefusedError(Exception):
    """A request that is not taken on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


async def accept(ports: Ports, request: Request) -> Response:
    """Take on the events of one request.

    1. authenticate   by the key: who sends is proven, not claimed
    2. admit          only when brokers and registry are there, and not too much is on its way
    3. read           the body, up to the limit
    4. judge          each event against its schema: framed bytes, or every fault
    5. publish        what is well-formed, and wait for the acknowledgement of all in-sync replicas
    6. answer         per event; RECEIVED only now, with evidence for the sender if it asks for it
    """
    sender = _authenticate(ports, request)
    with _admitted(ports, 1, int(request.headers.get("content-length", "0"))):
        body = await _read_body(request, ports.settings.gateway_max_body_bytes)
        events = _parse(body, ports.settings.gateway_max_events)
    with _admitted(ports, len(events), len(body)):
        judged = await _judge_all(ports, events, sender)
        messages = [message_of(one, sender, ports.stamp_key) for one in judged if not one.faults]
        acknowledged = await ports.publisher.publish(messages)
    statuses = statuses_of(judged, acknowledged)
    results = results_of(judged, statuses, ports.settings.lookup_url)
    if request.query_params.get("evidence") != "true" or Status.RECEIVED not in statuses:
        return _answer(ports, statuses, results)
    accepted = _accepted(sender, judged, statuses)
    evidence = {"batch": accepted.batch, "signature": sign(accepted.batch, ports.evidence_key)}
    return _answer(ports, statuses, with_evidence(results, statuses, accepted.entries), evidence=evidence)


def _accepted(sender: Sender, judged: list[Judged], statuses: list[Status]) -> Accepted:
    values = [one.value for one, status in zip(judged, statuses, strict=True) if status is Status.RECEIVED]
    return accepted_batch(sender.department, values, datetime.now(BEIJING).isoformat(timespec="milliseconds"))


def _holder(ports: Ports, request: Request) -> Holder:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusedError(problems.NO_KEY)
    holder = ports.keyring.holder_of(key.strip())
    if holder is None:
        raise RefusedError(problems.WRONG_KEY)
    return holder


def _authenticate(ports: Ports, request: Request) -> Sender:
    holder = _holder(ports, request)
    if ports.not_ready:
        raise RefusedError(problems.STARTING)
    domains = ports.in_force.domains if ports.in_force is not None else {}
    sender = Sender(department=holder.department, domain=domains.get(holder.department, ""), roles=holder.roles)
    if not sender.may_send_any or sender.topic not in ports.codecs:
        raise RefusedError(problems.not_a_sender(holder.department))
    return sender


async def take_approval(
    ports: Ports, request: Request, approve: Callable[[Holder, int], Awaitable[Answer]]
) -> Response:
    """Take on an officer's approval: RECEIVED, or why not."""
    try:
        if not ports.settings.gateway_takes_approvals:
            raise RefusedError(problems.AT_THE_HUB)
        answer = await approve(_holder(ports, request), int(time.time() * 1000))
    except RefusedError as refusal:
        return problem_response(refusal.problem)
    if isinstance(answer, Problem):
        return problem_response(answer)
    return Response(orjson.dumps(answer), 202, media_type="application/json")


@contextmanager
def _admitted(ports: Ports, events: int, size_bytes: int) -> Iterator[None]:
    with ports.publisher.admitted(events, size_bytes) as has_room:
        if not has_room:
            raise RefusedError(problems.BUSY)
        yield


async def _read_body(request: Request, limit_bytes: int) -> bytes:
    if int(request.headers.get("content-length", "0")) > limit_bytes:
        raise RefusedError(problems.body_too_large(limit_bytes))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise RefusedError(problems.body_too_large(limit_bytes))
    return bytes(body)


def _parse(body: bytes, most_events: int) -> list[object]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusedError(problems.NOT_JSON) from error
    events = events_of(parsed, most_events)
    if isinstance(events, Problem):
        raise RefusedError(events)
    return events


async def _judge_all(ports: Ports, events: list[object], sender: Sender) -> list[Judged]:
    codecs, limit = ports.codecs[sender.topic], ports.settings.gateway_max_event_bytes
    judged = []
    for number, event in enumerate(events, start=1):
        judged.append(judge(event, sender, codecs, limit))
        if number % _BREATHE_EVERY == 0:
            await asyncio.sleep(0)
    return judged


def _answer(ports: Ports, statuses: list[Status], results: Sequence[Mapping[str, object]], **more: object) -> Response:
    for status in set(statuses):
        ports.metrics.count("creditbus_gateway_events_total", statuses.count(status), status=status.lower())
    answer = answer_status(statuses)
    if isinstance(answer, Problem):
        return problem_response(answer, results=results)
    return Response(orjson.dumps({"results": results, **more}), answer, media_type="application/json")


def problem_response(problem: Problem, **more: object) -> Response:
    """A problem as application/problem+json."""
    content = orjson.dumps({**problem.to_json(), **more})
    return Response(content, problem.status, dict(problem.headers), "application/problem+json")


def build_app(ports: Ports) -> FastAPI:
    """The HTTP application over the ports; closes the publisher when it ends."""

    @asynccontextmanager
    async def life(_: FastAPI):  # type: ignore[no-untyped-def]
        ports.publisher.start()
        yield
        left = await asyncio.to_thread(ports.publisher.close, _DRAIN_SECONDS)
        log.info("stopped", unacknowledged=left)

    app = FastAPI(title=_TITLE, version="1", docs_url=None, redoc_url=None, lifespan=life)

    async def post_events(request: Request) -> Response:
        try:
            return await accept(ports, request)
        except RefusedError as refusal:
            return problem_response(refusal.problem)
        except ClientDisconnect:
            # nobody is there to read it
            return Response(status_code=400)

    def refresh() -> None:
        ports.metrics.set("creditbus_ready", 0 if ports.not_ready else 1)
        ports.metrics.set("creditbus_gateway_in_flight_messages", ports.publisher.in_flight_messages)

    @app.get("/v1/evidence-key", summary="受理凭证的公钥 Public key of the evidence of what was accepted")
    def evidence_key() -> dict[str, str]:
        pair = KeyPair.from_bytes(ports.evidence_key)
        return {"algorithm": ALGORITHM, "key_id": pair.kid, "public_key": pair.public.hex()}

    _add_approvals(app, ports)
    _add_loads(app, ports)
    add_catalogue(app, lambda: ports.in_force.edition if ports.in_force else problem_response(problems.STARTING))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        return problem_response(malformed_request(error.errors()))

    add_pages(app, post_events, ports.schemas, Instruments(ports.metrics, lambda: ports.not_ready, refresh))
    return app


def _add_approvals(app: FastAPI, ports: Ports) -> None:
    """What officers approve by two."""

    @app.post("/v1/breakers/{source}/approvals", summary="批准放行被暂缓的来源 Approve the release of a held source")
    async def post_release(source: str, body: ReleaseBody, request: Request) -> Response:
        return await take_approval(ports, request, lambda who, at: approve_release(ports, source, who, body, at))

    @app.post("/v1/editions/{edition}/approvals", summary="批准启用目录版本 Approve that an edition takes effect")
    async def post_edition(edition: EditionHash, body: EditionBody, request: Request) -> Response:
        return await take_approval(ports, request, lambda who, at: approve_edition(ports, edition, who, body, at))

    @app.post("/v1/clock-jumps/approvals", summary="批准时钟跳跃 Approve that the clock leaps over a standstill")
    async def post_jump(body: JumpBody, request: Request) -> Response:
        return await take_approval(ports, request, lambda who, at: approve_jump(ports, who, body, at))


def _add_loads(app: FastAPI, ports: Ports) -> None:
    """What is said about initial loads."""

    @app.post(
        "/v1/loads/{department}/{load_id}/approvals", summary="批准初始导入 Approve that an initial load begins or ends"
    )
    async def post_load(department: str, load_id: LoadId, body: LoadBody, request: Request) -> Response:
        async def approve(who: Holder, at_ms: int) -> Answer:
            if ports.in_force is not None and department not in ports.in_force.domains:
                return problems.unknown_department(department[:40])
            return await approve_load(ports, load_source(department, load_id), who, body, at_ms)

        return await take_approval(ports, request, approve)

    @app.post("/v1/loads/{load_id}/completion", summary="初始导入报送完毕 Everything of one's own load is sent")
    async def post_completion(load_id: LoadId, body: CompletionBody, request: Request) -> Response:
        async def complete(who: Holder, at_ms: int) -> Answer:
            return await complete_load(ports, load_source(who.department, load_id), who, body, at_ms)

        return await take_approval(ports, request, complete)


def build(settings: GatewaySettings, metrics: Metrics) -> Ports:
    """Ports for the settings. Raises SettingsError."""
    policy = PublishPolicy(
        max_messages=settings.gateway_in_flight_messages,
        max_bytes=settings.gateway_in_flight_bytes,
        delivery_seconds=settings.gateway_delivery_seconds,
        compression=settings.gateway_compression,
    )
    return Ports(
        settings=settings,
        keyring=Keyring(settings.secrets),
        stamp_key=read_key(settings.secrets, "gateway-hmac.key"),
        evidence_key=read_key(settings.secrets, "gateway-evidence.key"),
        publisher=Publisher(settings.brokers, policy),
        metrics=metrics,
        schemas=SchemaSet.load(),
    )


def main() -> int:
    """Run the gateway until told to stop."""
    settings = GatewaySettings()
    ports = build(settings, Metrics("gateway"))
    server = Server(build_app(ports), settings, _DRAIN_SECONDS)

    def give_up() -> None:
        server.should_exit = True

    preparation = Preparation(ports, looked_up(settings.brokers), give_up)
    preparation.start()
    tune_collector()
    try:
        server.serve_to_the_end()
    finally:
        preparation.close()
    return EXIT_ERROR if ports.publisher.fatal else EXIT_STOPPED
