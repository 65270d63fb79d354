"""The routes of the gateway and their description: events, kinds, health, metrics, the API page."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from creditbus.bus.api_page import api_page
from creditbus.bus.measured import Measured
from creditbus.bus.metrics import Metrics
from creditbus.bus.schemas import EventSchema, SchemaSet, contract_folder
from creditbus.gateway.kinds import json_schema_of
from creditbus.gateway.steps import Status

PostEvents = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Instruments:
    """What health and metrics are told from."""

    metrics: Metrics
    not_ready: Callable[[], str]
    refresh: Callable[[], None]
    """Brings gauges up to date."""


def add_pages(app: FastAPI, post_events: PostEvents, schemas: SchemaSet, instruments: Instruments) -> None:
    """Add every route to the application."""
    kinds = [describe_kind(kind, schema) for kind, schema in sorted(schemas.events.items())]
    app.add_api_route(
        "/v1/events",
        post_events,
        methods=["POST"],
        summary="报送事件：单个或成批 Send events, one or a batch",
        description="每个事件逐一答复；RECEIVED 表示全部同步副本已确认。同一 event_id 可重复发送，结果不变。 "
        "Each event is answered for; RECEIVED means that all in-sync replicas have it. "
        "Sending the same event_id again is harmless.",
        openapi_extra=_operation(kinds),
        responses={},
        status_code=202,
        response_class=JSONResponse,
        response_model=None,
    )

    @app.get("/v1/kinds", summary="事件种类、字段与示例 Kinds of event with fields and an example")
    def get_kinds() -> list[dict[str, Any]]:
        return kinds

    @app.get("/health/live", include_in_schema=False)
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    def ready() -> JSONResponse:
        reason = instruments.not_ready()
        return JSONResponse({"status": "not ready" if reason else "ready", "reason": reason}, 503 if reason else 200)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        instruments.refresh()
        return Response(instruments.metrics.exposition(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(api_page(app.title))

    _describe_kinds(app, kinds)
    app.add_middleware(Measured, metrics=instruments.metrics)


def describe_kind(kind: str, schema: EventSchema) -> dict[str, Any]:
    """A kind for people and programs: texts, JSON Schema, an example."""
    return {
        "kind": kind,
        "text_en": schema.definition.get("doc", ""),
        "text_zh": schema.definition.get("doc_zh", ""),
        "avro": schema.name,
        "schema": json_schema_of(kind, schema.definition),
        "example": _example_of(kind),
    }


def _example_of(kind: str) -> object:
    """The first valid example of the contract."""
    for path in sorted((contract_folder() / "avro" / "examples" / kind).glob("valid-*.json")):
        return json.loads(path.read_text(encoding="utf-8"))
    return None


def _operation(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    examples = {kind["kind"]: {"value": kind["example"]} for kind in kinds if kind["example"] is not None}
    one = {"$ref": "#/components/schemas/Event"}
    batch = {
        "title": "batch",
        "type": "object",
        "properties": {"events": {"type": "array", "minItems": 1, "items": one}},
        "required": ["events"],
        "additionalProperties": False,
    }
    content = {"application/json": {"schema": {"anyOf": [one, batch]}, "examples": examples}}
    return {
        "security": [{"key": []}],
        "parameters": [_EVIDENCE],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": _response("全部接收 all received", "Results"),
            "207": _response("部分接收 some received", "Results"),
            **{status: _response(text, "Problem") for status, text in _PROBLEMS.items()},
        },
    }


_EVIDENCE = {
    "name": "evidence",
    "in": "query",
    "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
    "description": "true：答复附经网关签名的受理凭证 answer with evidence of what was accepted, signed by the gateway",
}
_PROBLEMS = {
    "400": "不是 JSON not JSON",
    "401": "密钥缺失或无效 no key, or not a known one",
    "403": "无权报送 not allowed to send",
    "413": "请求过大 too large",
    "422": "形式不符，或全部退回（见 results） wrong shape, or all rejected (see results)",
    "429": "在途过多，按 Retry-After 重发 too much on its way; send again after Retry-After",
    "503": "暂不可用或未获确认，按 Retry-After 重发 not ready or not acknowledged; send again after Retry-After",
}


def _response(text: str, schema: str) -> dict[str, Any]:
    media = "application/problem+json" if schema == "Problem" else "application/json"
    return {"description": text, "content": {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _describe_kinds(app: FastAPI, kinds: list[dict[str, Any]]) -> None:
    """Put the events' schemas into the OpenAPI description, which is made when first asked for."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = made()
            components = description.setdefault("components", {})
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            components["schemas"] = {**components.get("schemas", {}), **_SCHEMAS, **_events(kinds)}
        return made()

    app.openapi = openapi  # type: ignore[method-assign]


def _events(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    references = {kind["kind"]: f"#/components/schemas/{kind['kind']}" for kind in kinds}
    event = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "kind", "mapping": references},
    }
    return {**{kind["kind"]: kind["schema"] for kind in kinds}, "Event": event}


_TEXT = {"type": "string"}
_FAULT_FIELDS = ("code", "field", "problem_zh", "problem_en", "remedy_zh", "remedy_en")
_BATCH_TEXTS = ("statement", "sender", "received_at", "root")
_SIGNATURE_FIELDS = ("algorithm", "key_id", "public_key", "value")
_PROBLEM_FIELDS = ("type", "title", "title_zh", "detail", "detail_zh")
_SCHEMAS: dict[str, Any] = {
    "Fault": {"type": "object", "properties": dict.fromkeys(_FAULT_FIELDS, _TEXT), "required": list(_FAULT_FIELDS)},
    "Result": {
        "type": "object",
        "properties": {
            "index": {"type": "integer"},
            "event_id": _TEXT,
            "status": {"type": "string", "enum": [status.value for status in Status]},
            "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
            "track": {"type": "string", "format": "uri", "description": "事件去向 what became of the event"},
            "evidence": {"$ref": "#/components/schemas/EvidenceEntry"},
        },
        "required": ["index", "event_id", "status", "faults", "track"],
    },
    "EvidenceEntry": {
        "type": "object",
        "description": "该事件在受理批次中的位置，应请求提供 place of the event in the batch, when asked for",
        "properties": {
            "index": {"type": "integer"},
            "path": {"type": "string", "description": "RFC 9162, hex"},
            "value": {"type": "string", "format": "byte", "description": "写入 Kafka 的字节 the bytes in Kafka"},
        },
        "required": ["index", "path", "value"],
    },
    "Evidence": {
        "type": "object",
        "description": "受理批次及其签名，应请求提供 the accepted batch and its signature, when asked for",
        "properties": {
            "batch": {
                "type": "object",
                "properties": {**dict.fromkeys(_BATCH_TEXTS, _TEXT), "count": {"type": "integer"}},
                "required": [*_BATCH_TEXTS, "count"],
            },
            "signature": {"type": "object", "properties": dict.fromkeys(_SIGNATURE_FIELDS, _TEXT)},
        },
        "required": ["batch", "signature"],
    },
    "Results": {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}},
            "evidence": {"$ref": "#/components/schemas/Evidence"},
        },
        "required": ["results"],
    },
    "Problem": {
        "type": "object",
        "properties": {
            **dict.fromkeys(_PROBLEM_FIELDS, _TEXT),
            "status": {"type": "integer"},
            "results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}},
        },
        "required": ["type", "title", "status"],
    },
}
