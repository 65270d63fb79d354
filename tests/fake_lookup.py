"""A look-up API for tests of what stands before it: the answers of the real one, made up, and failures on demand.

Run alone it serves on the port that it is given: ``python tests/fake_lookup.py 18090``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from creditbus.catalogue.editions import authority_code
from creditbus.core.identifiers import synthetic_uscc
from creditbus.lookup.steps import downstream_of

KEY = "a-key-that-no-browser-may-see"
COURT, MARKET = authority_code("150100", 20), authority_code("150000", 6)
LISTED = synthetic_uscc("91", "150102", 7001)
CLEAN = synthetic_uscc("91", "150202", 7002)
UNKNOWN = synthetic_uscc("91", "150203", 7003)
TRADER = synthetic_uscc("92", "150204", 7004)
ABNORMAL = synthetic_uscc("91", "150205", 7005)
LIMITED = synthetic_uscc("91", "150402", 7006)
LONG_NAME = (
    "内蒙古阴山北麓草原生态畜牧业高质量发展示范区乌兰察布市察哈尔"
    "右翼后旗白音察干现代农牧业科技产业投资控股集团有限责任公司"
)
MARKUP_NAME = "<img src=x onerror=alert(1)>呼和浩特市青城商贸有限公司"
_AT = "2026-11-23T11:58:02.311Z"


@dataclass
class Fake:
    """What the fake answers, and what it was asked."""

    asked: list[dict[str, str]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    failing: int = 0
    """A status that every answer has while it is not zero."""
    started: float = field(default_factory=time.monotonic)

    def push(self, alert: dict[str, Any]) -> None:
        """Let an alert arrive."""
        self.alerts.append(alert)


def alert(number: int, *, kind: str = "DISHONEST_SUBJECT", name: str = LONG_NAME, code: str = LISTED) -> dict[str, Any]:
    """An alert of credit.alerts as the look-up shows it."""
    return {
        "alert_id": f"{number:032x}",
        "kind": kind,
        "subject_key": code[8:17],
        "subject_kind": "LEGAL_PERSON",
        "subject_name": name,
        "identifier": code,
        "region": code[2:8],
        "lists": ["L01"],
        "record_id": f"{number:032x}",
        "cause_id": f"{number:032x}",
        "at": f"2026-11-23T11:{number % 60:02d}:02.311Z",
        "fictitious": True,
        "text_zh": f"新增严重失信主体：{name}，失信被执行人（（2026）内0102执{number}号）"
        if kind == "DISHONEST_SUBJECT"
        else f"{name}已不在任何严重失信主体名单上",
        "text_en": f"new dishonest subject: {name}, dishonest judgment debtors ((2026)内0102执{number}号)"
        if kind == "DISHONEST_SUBJECT"
        else f"{name} is no longer on any list of severely dishonest subjects",
    }


def _dossier(code: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "subject_key": code[8:17],
        "subject_kind": "LEGAL_PERSON",
        "subject_name": name,
        "identifier": code,
        "region": code[2:8],
        "version": 12,
        "as_of": _AT,
        "score": 800,
        "grade": "B",
        "listed": False,
        "lists": [],
        "families": [],
        "record_count": 0,
        "adverse_count": 0,
        "edition": "5b0c7c1d9f2e4a6b8c0d1e2f3a4b5c6d7e8f90112233445566778899aabbccdd",
        "receipt_hash": "e3b0c44298fc1c149afbf4c8996fb924",
        "aliases": [],
        "identifiers": [],
        "counts": {},
        "reasons": [],
        "listings": [],
        "orders": [],
        "disputed": [],
        **changes,
    }


def _reason(code: str, points: int, zh: str, en: str, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "text_zh": zh,
        "text_en": en,
        "points": points,
        "record_id": code,
        "document_number": "",
        "until": None,
        "remedy_zh": "",
        "remedy_en": "",
        **changes,
    }


def _order(
    number: int, family: str, measure: str, binding: str, executor: str, action: str = "ORDER"
) -> dict[str, Any]:
    return {
        "order_id": f"o{number}",
        "message_id": f"{action}{number}",
        "action": action,
        "family": family,
        "measure": measure,
        "binding": binding,
        "list": "L01",
        "listing_id": "l1",
        "executor": executor,
        "cause": "DECIDED" if action == "ORDER" else "REPAIRED",
        "basis": ["MSSSF"],
        "effective_on": "2026-11-20",
        "until": "2028-11-19",
        "fictitious": True,
        "at": _AT,
        "acknowledged": ["150100-zwfw"] if family == "M01" else [],
        "declined": ["150000-ggzy"] if family == "M01" else [],
        "state": "ACTIVE" if family == "M01" else "NOTIFIED",
    }


ORDERS = [
    _order(1, "M01", "M01-LICENCE", "MANDATORY", "行政审批与招标投标监督部门"),
    _order(2, "M04", "M04-CONSUMPTION", "MANDATORY", "人民法院"),
    _order(3, "M11", "M11-PROCUREMENT", "MANDATORY", "采购人与公共资源交易中心"),
    _order(4, "M14", "M14-LENDING", "ADVISORY", "金融机构"),
]
LISTING = {
    "listing_id": "l1",
    "list": "L01",
    "state": "LISTED",
    "cause": "DECIDED",
    "record_id": "r1",
    "authority": COURT,
    "document_number": "（2026）内0102执1234号",
    "basis": ["FS2017-7 第一条", "MSSSF 第二百六十六条"],
    "effective_on": "2026-11-20",
    "until": "2028-11-19",
    "fictitious": True,
    "at": _AT,
}
REMOVAL = {
    **LISTING,
    "listing_id": "l0",
    "list": "L04",
    "state": "REMOVED",
    "cause": "REPAIRED",
    "at": "2025-06-01T02:00:00Z",
}
_FACTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "CourtEnforcement",
        "C02-ENFORCEMENT",
        {"case_number": "（2026）内0102执1234号", "court": "新城区人民法院"},
    ),
    (
        "Penalty",
        "C03-PENALTY",
        {"violation": "销售不符合保障人体健康和人身、财产安全的国家标准的产品", "fine_fen": 5_000_000},
    ),
    ("Permit", "C03-PERMIT", {"content": "食品经营许可（含冷藏冷冻食品）", "valid_until": "2030-05-31"}),
    ("Rating", "C09-RATING", {"scheme": "TAX", "period": "2025", "grade": "A"}),
    ("Registration", "C01-REGISTRATION", {"status": "ACTIVE", "industry": "批发业"}),
]


def records(total: int, start: int, limit: int) -> dict[str, Any]:
    """A page of records; the cursor is the number of the next one."""
    rows = []
    for number in range(start, min(start + limit, total)):
        kind, item, facts = _FACTS[number % len(_FACTS)]
        rows.append(
            {
                "record_id": f"r{number}",
                "revision": 2 if number == 1 else 1,
                "op": "WITHDRAW" if number == 7 else "RECORD",
                "kind": kind,
                "item": item,
                "authority": COURT if kind == "CourtEnforcement" else MARKET,
                "sender": "150100-zy" if kind == "CourtEnforcement" else "150100-scjg",
                "document_number": f"呼市监罚字〔2026〕{1000 - number}号",
                "decided_on": f"2026-{11 - number % 11:02d}-{20 - number % 19:02d}",
                "fictitious": True,
                "facts": facts,
            }
        )
    return {"items": rows, "next": str(start + limit) if start + limit < total else None}


def accesses(total: int, start: int, limit: int) -> dict[str, Any]:
    """A page of look-ups; the cursor is the number of the next one."""
    numbers = range(start, min(total, start + limit))
    actors = ("console", "150100-scjg", "webhook:gov")
    items = [
        {
            "access_id": str(number), "at": f"2026-11-{30 - number % 28:02}T08:00:00.000Z",
            "actor": actors[number % 3], "purpose": "casework", "basis": f"信修〔2026〕{number}号 <b>",
        }
        for number in numbers
    ]  # fmt: skip
    end = start + len(numbers)
    return {"items": items, "next": str(end) if end < total else None}


def _listed_dossier() -> dict[str, Any]:
    return _dossier(
        LISTED,
        LONG_NAME,
        score=412,
        grade="D",
        listed=True,
        lists=["L01"],
        record_count=60,
        adverse_count=14,
        identifiers=[{"scheme": "USCC", "value": LISTED}, {"scheme": "REGISTRATION", "value": "150100000012345"}],
        reasons=[
            _reason(
                "R101", -260, "被人民法院列为失信被执行人", "on the courts' list of dishonest judgment debtors",
                document_number="（2026）内0102执1234号", remedy_zh="履行生效法律文书确定的义务后向执行法院申请删除",
                remedy_en="perform the judgment and ask the enforcing court for removal",
            ),
            _reason(
                "R302", -128, "严重行政处罚", "serious administrative penalty",
                document_number="呼市监罚字〔2026〕999号", until="2029-10-18",
                remedy_zh="履行处罚决定，公示满一年后可申请信用修复",
                remedy_en="perform the penalty; repair may be asked for after one year of publicity",
            ),
            _reason("P101", 0, "纳税信用A级（列入名单期间不加分）", "tax credit grade A (not while listed)"),
        ],
        listings=[LISTING],
        orders=ORDERS,
        disputed=["r1"],
        waiting_lists=["L03"],
        terms=[
            {"term": "DISPUTE", "record_id": "r1", "document_number": "异字〔2026〕7号", "since": "2026-11-16",
             "until": None, "reminders": 1, "list": "", "measure": "", "waiting": []},
            {"term": "LIFT_ACKNOWLEDGEMENT", "record_id": "r2", "document_number": "（2026）内0102执1号",
             "since": "2026-11-20", "until": "2026-11-25", "reminders": 1, "list": "L01", "measure": "M01-LICENCE",
             "waiting": ["150200-zwfw"]},
            {"term": "ORDER_ACKNOWLEDGEMENT", "record_id": "r1", "document_number": "（2026）内0102执1234号",
             "since": "2026-11-20", "until": "2026-11-25", "reminders": 0, "list": "L01", "measure": "",
             "waiting": ["M04 150000-gy", "M11 150000-ggzy"]},
        ],
        incentives=[
            {**_order(9, "I03", "I03-TRADING", "OFFER", "公共资源交易中心"), "list": "TAX:A", "state": "SUSPENDED",
             "acknowledged": [], "declined": []},
        ],
        refused=[
            {"measure": "M08-HONOURS", "list": "L01", "listing_id": "l1", "condition": "NOTICE",
             "text_zh": "事先告知书未载明限制参加评先评优", "text_en": "the notice did not tell of no honours"},
        ],
    )  # fmt: skip


def subject(code: str, start: int, limit: int) -> dict[str, Any] | None:
    """The answer about one subject; None for one that is unknown."""
    found = _subject(code, start, limit)
    if found is not None and "orders" in found:
        found["downstream"] = downstream_of(found["dossier"])
    return found


def _subject(code: str, start: int, limit: int) -> dict[str, Any] | None:
    if code == LISTED:
        return {
            "subject_key": code[8:17],
            "dossier": _listed_dossier(),
            "records": records(60, start, limit),
            "listings": [LISTING, REMOVAL],
            "orders": ORDERS,
            "access_id": "0d9f1c52-8f43-4c0b-9f0e-3c1b8a6f7d21",
        }
    if code == CLEAN:
        return {
            "subject_key": code[8:17],
            "dossier": _dossier(CLEAN, MARKUP_NAME),
            "records": records(0, 0, limit),
            "listings": [],
            "orders": [_order(9, "M01", "M01-LICENCE", "MANDATORY", "行政审批部门", "LIFT")],
            "access_id": "1d9f1c52-8f43-4c0b-9f0e-3c1b8a6f7d21",
        }
    if code == ABNORMAL:
        listing = {**LISTING, "list": "L20", "authority": MARKET, "basis": ["QYXXGS"], "until": None}
        dossier = _dossier(ABNORMAL, "包头市石拐区某机械厂", listed=True, lists=["L20"], listings=[listing])
        answer = {"subject_key": code[8:17], "dossier": dossier, "access_id": "3", "restrictions": []}
        return {**answer, "records": records(1, 4, limit), "listings": [listing], "orders": []}
    if code == LIMITED:
        limit_order = {**LISTING, "list": "X01", "basis": ["FS2010-8"], "until": None}
        order = {**_order(1, "M04", "M04-RESTRICTION", "MANDATORY", "人民法院"), "list": "X01", "scope": ["HOTEL"]}
        changes = {"restrictions": [limit_order], "orders": [order]}
        dossier = _dossier(LIMITED, "赤峰市某贸易公司", court_orders=["X01"], **changes)
        answer = {"subject_key": code[8:17], "dossier": dossier, "access_id": "4", "listings": []}
        return {**answer, "records": records(0, 0, limit), **changes}
    if code == TRADER:
        dossier = _dossier(TRADER, "张*", subject_kind="SOLE_TRADER", score=None, grade=None, record_count=1)
        return {"subject_key": code[8:17], "dossier": dossier, "records": records(1, 0, limit), "access_id": "2"}
    return None


ALL = ["listings", "orders", "records", "score"]
PURPOSES = [
    {"code": "licensing", "zh": "行政许可审查", "en": "licensing", "shows": ALL[:2]},
    {"code": "supervision", "zh": "分级分类监管", "en": "graded supervision", "shows": ALL},
    {"code": "casework", "zh": "异议与信用修复办理", "en": "disputes and repair", "shows": [*ALL[:3], "accesses"]},
]


def flow(seconds: float) -> dict[str, Any]:
    """Counts that grow, and some lag."""
    events = 128_400 + int(950 * seconds)

    def stage(name: str, count: int, lag: int = 0) -> dict[str, Any]:
        return {"name": name, "zh": name, "en": name, "count": count, "lag": lag}

    stages = [
        stage("gateway", events),
        stage("intake", events - 240, 240),
        stage("records", int(events * 0.97)),
        stage("rejections", int(events * 0.03)),
        stage("dossier", int(events * 0.969), 131),
        stage("listings", 342 + int(seconds / 7)),
        stage("measures", 1_871),
        stage("alerts", 206),
        stage("warehouse", int(events * 2.1), 12_840),
        stage("lookup", 5_120),
    ]
    return {"at": int(time.time() * 1000), "subjects": 48_211, "stages": stages}


def problem(status: int, code: str, zh: str, en: str) -> Response:
    """A problem as the look-up tells it."""
    body = {
        "type": f"urn:creditbus:problem:{code}",
        "status": status,
        "title": en,
        "title_zh": zh,
        "detail": en,
        "detail_zh": zh,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def app_of(fake: Fake) -> FastAPI:
    """The HTTP application."""
    app = FastAPI()

    @app.middleware("http")
    async def guarded(request: Request, call_next: Any) -> Response:
        if fake.failing:
            return Response("broken", fake.failing)
        if request.url.path != "/health/ready" and request.headers.get("authorization") != f"Bearer {KEY}":
            return problem(401, "no-key", "需要有效的 API 密钥", "A valid API key is needed")
        answer: Response = await call_next(request)
        return answer

    app.add_api_route("/health/ready", lambda: {"status": "ready"})
    app.add_api_route("/v1/purposes", lambda: PURPOSES)
    app.add_api_route("/v1/flow", lambda: flow(time.monotonic() - fake.started))
    _add_alerts(app, fake)
    _add_subjects(app, fake)
    return app


def _add_alerts(app: FastAPI, fake: Fake) -> None:
    @app.get("/v1/alerts")
    def get_alerts(limit: int = 50) -> dict[str, Any]:
        return {"items": fake.alerts[::-1][:limit], "position": f"0.{len(fake.alerts)}"}

    @app.get("/v1/alerts/stream")
    def stream(request: Request) -> Response:
        position = request.headers.get("last-event-id", "")
        start = int(position.partition(".")[2]) if position else len(fake.alerts)
        return StreamingResponse(_stream(fake, start), media_type="text/event-stream")


def _add_subjects(app: FastAPI, fake: Fake) -> None:
    @app.get("/v1/subjects/{identifier}")
    def get_subject(identifier: str, request: Request, cursor: str = "0", limit: int = 20) -> Any:
        purpose, basis = request.headers.get("x-purpose", ""), unquote(request.headers.get("x-basis", ""))
        fake.asked.append({"identifier": identifier, "purpose": purpose, "basis": basis, "cursor": cursor})
        if not basis:
            return problem(400, "no-basis", "须说明查询目的和依据", "Purpose and basis are needed")
        answer = subject(identifier, int(cursor), limit)
        return answer or problem(404, "unknown-subject", "没有该主体的信息", "Nothing is on file")

    @app.get("/v1/subjects/{identifier}/accesses")
    def get_accesses(identifier: str, request: Request, cursor: str = "0", limit: int = 20) -> Any:
        purpose = request.headers.get("x-purpose", "")
        fake.asked.append({"identifier": identifier, "purpose": purpose, "cursor": cursor})
        if purpose != "casework":
            return problem(403, "shows-no-accesses", "该目的不展示查询记录", "This purpose shows no accesses")
        return {"accesses": accesses(30, int(cursor), limit), "access_id": "3"}


async def _stream(fake: Fake, told: int) -> AsyncIterator[bytes]:
    while True:
        for row in fake.alerts[told:]:
            told += 1
            yield f"event: alert\nid: 0.{told}\ndata: {json.dumps(row, ensure_ascii=False)}\n\n".encode()
        await asyncio.sleep(0.05)


@contextmanager
def serving(app: FastAPI, port: int) -> Iterator[str]:
    """Serve an application from a thread of its own; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


def main() -> None:
    """Serve with a few alerts until interrupted."""
    fake = Fake()
    for number in range(1, 6):
        fake.push(
            alert(
                number, name=LONG_NAME if number % 2 else "包头市鹿城建材有限公司", code=LISTED if number % 2 else CLEAN
            )
        )
    fake.push(alert(7, kind="CLEARED_SUBJECT", name=MARKUP_NAME, code=CLEAN))
    uvicorn.run(app_of(fake), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
