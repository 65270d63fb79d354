"""The first story: a department reports, a court lists a firm, a subscriber acts, the firm repairs, all is lifted.

Permits may name a firm of the public register (domain.md 2.6); everything adverse is told of synthetic firms.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.loader import load
from creditbus.catalogue.models import Catalogue
from creditbus.client.producer import event_id_for
from creditbus.client.subscriber import Executor, Order, acknowledgement_of
from creditbus.core.identifiers import covers, synthetic_uscc
from creditbus.core.records import BEIJING
from creditbus.lab.errors import NotReadyError
from creditbus.lab.scenarios.stage import Stage

BUREAU, COURT, BAOTOU = "150100-scjg", "150100-zy", "150200-zwfw"
_DATA = Path(__file__).parent / "data"
_CITY = "150100"
_BUREAU_CODE = authority_code(_CITY, 19)
_COURT_CODE = authority_code(_CITY, 20)
_LIST = "L01"
_SEQUENCES = 800_000_000
"""Synthetic firms of this story are numbered below this; each run has a firm of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Who this run is about."""

    now: datetime
    run: int

    @property
    def firm(self) -> str:
        """The firm's unified code; synthetic."""
        return synthetic_uscc("91", "150102", self.run % _SEQUENCES)

    @property
    def key(self) -> str:
        """The firm's subject key."""
        return self.firm[8:17]

    @property
    def name(self) -> str:
        """The firm's name; fictitious."""
        return f"青城示例建材有限公司（虚构{self.run % 10_000:04d}）"

    @property
    def court_number(self) -> str:
        """Number of the enforcement case."""
        return f"（{self.now.year}）内01执{self.run % 100_000}号"

    @property
    def penalty_number(self) -> str:
        """Number of the penalty decision."""
        return f"呼市监罚字〔{self.now.year}〕第{self.run % 100_000}号"

    def event(self, department: str, kind: str, item: str, number: str, facts: dict[str, Any]) -> dict[str, Any]:
        """An event about the firm."""
        today = self.now.astimezone(BEIJING).date()
        codes = {BUREAU: _BUREAU_CODE, COURT: _COURT_CODE}
        bases = {"Penalty": "XZCFF", "CourtEnforcement": "FS2017-7"}
        return {
            "kind": kind,
            "event_id": event_id_for(department, kind, number, str(self.run)),
            "item": item,
            "authority": codes[department],
            "region": _CITY,
            "reported_at": self.now.isoformat(timespec="milliseconds"),
            "fictitious": True,
            "subject": {
                "kind": "LEGAL_PERSON",
                "name": self.name,
                "identifiers": [{"scheme": "USCC", "value": self.firm}],
            },
            "document": {"number": number, "decided_on": (today - timedelta(days=3)).isoformat()},
            "bases": [{"instrument": bases[kind]}] if kind in bases else [],
            "facts": facts,
        }


def play(stage: Stage, now: datetime) -> Story:
    """Play the story from the import of files to the recovered score. Raises NotReadyError when a step is not seen."""
    story = Story(now=now, run=int(now.timestamp()))
    catalogue = load()
    families = sorted({measure.family for measure in catalogue.measures if _LIST in measure.lists})
    answering = partial(_answer, stage, story, catalogue)
    with stage.subscriber(families, f"scenario-{story.run}") as orders:
        stage.step("呼和浩特市市场监管局导入行政许可 CSV · permits by CSV", lambda: _import(stage, "permits.csv", 0))
        stage.step("导入行政处罚 CSV，一行有错 · penalties, one bad code", lambda: _import(stage, "penalties.csv", 1))
        stage.step("企业登记并受到处罚，评分下降 · a penalty lowers the score", lambda: _penalise(stage, story))
        stage.step("法院列入失信被执行人 · the court lists the firm", lambda: _list(stage, story))
        stage.step("各实施单位收到指令并回执 · the orders arrive", lambda: answering(orders, "ORDER"))
        stage.step("包头市审批局办件时查询 · a look-up in Baotou sees it", lambda: _look(stage, story))
        stage.step("企业履行义务，法院和市场监管局准予修复 · repair is granted", lambda: _repair(stage, story))
        stage.step("各实施单位收到解除并回执 · the lifts arrive", lambda: answering(orders, "LIFT"))
        stage.step("评分恢复 · the score recovers", lambda: _recover(stage, story))
    return story


def _import(stage: Stage, file: str, refused: int) -> str:
    path = stage.places.folder / "scenario" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((_DATA / file).read_bytes())
    command = (sys.executable, "-m", "creditbus", "import", str(path), "--department", BUREAU)
    places = ("--gateway", stage.places.gateway_url, "--key-file", str(stage.places.secrets / "lab-keys.json"))
    done = subprocess.run((*command, *places), capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise NotReadyError(en=f"import failed: {done.stdout}{done.stderr}", zh=f"导入失败：{done.stdout}{done.stderr}")
    with path.open(encoding="gb18030" if file == "permits.csv" else "utf-8", newline="") as rows:
        codes = [row.get("CF_XDR_SHXYM") or row["行政相对人代码_1（统一社会信用代码）"] for row in csv.DictReader(rows)]
    good = codes[: len(codes) - refused]
    for code in good:
        stage.until(code, partial(stage.ask, BUREAU, f"/v1/subjects/{code}", "supervision"))
    text = f"{len(codes)} rows received, {len(good)} firms found by look-up"
    return f"{text}; {refused} refused by intake with its reason" if refused else text


def _penalise(stage: Stage, story: Story) -> str:
    registration = {"status": "ACTIVE", "industry": "F51", "former_identifiers": []}
    penalty = {
        "procedure": "GENERAL",
        "violation": "销售不符合标准的建材",
        "facts": "经查销售不符合标准的建材（虚构）",
        "penalty_types": ["FINE"],
        "content": "罚款五万元",
        "fine_fen": 5_000_000,
        "severity": "SERIOUS",
        "is_final": True,
    }
    number = f"登记{story.run}"
    stage.send(
        BUREAU,
        story.event(BUREAU, "Registration", "C01-REGISTRATION", number, registration),
        story.event(BUREAU, "Penalty", "C03-PENALTY", story.penalty_number, penalty),
    )
    dossier = _dossier(stage, story, "the penalty in the score", lambda found: found["version"] >= 2)
    return f"score {dossier['score']}, grade {dossier['grade']}: {dossier['reasons'][0]['text_zh']}"


def _list(stage: Stage, story: Story) -> str:
    facts = {
        "case_number": story.court_number,
        "court": "呼和浩特市中级人民法院",
        "basis_number": f"（{story.now.year - 1}）内01民初1号",
        "basis_body": "呼和浩特市中级人民法院",
        "filed_on": f"{story.now.year}-01-15",
        "obligation": "支付货款一百万元（虚构）",
        "performance": "NONE",
        "ground": "G2",
        "published_on": (story.now - timedelta(days=2)).date().isoformat(),
    }
    stage.send(COURT, story.event(COURT, "CourtEnforcement", "C02-ENFORCEMENT", story.court_number, facts))
    alert = stage.until("the alert", lambda: _alert(stage, story, "DISHONEST_SUBJECT"))
    return f"alert: {alert['text_zh']}"


def _answer(stage: Stage, story: Story, catalogue: Catalogue, orders: list[Order], action: str) -> str:
    """Everybody who carries out a measure of the list receives its order or its lift, and says what it did."""
    expected = {
        one.code
        for one in catalogue.measures
        if _LIST in one.lists and "LEGAL_PERSON" in one.subjects and (not one.region or covers(one.region, _CITY))
    }

    def mine() -> dict[str, Order]:
        found = [one for one in orders if one.subject_key == story.key and one.action == action]
        return {one.measure: one for one in found}

    stage.until(f"{action} of {', '.join(sorted(expected))}", lambda: mine().keys() >= expected)
    sequences = {row.code: (row.region, row.sequence) for row in catalogue.departments}
    answers = 0
    for subscriber in catalogue.subscribers:
        region, sequence = sequences[subscriber.department]
        code = authority_code(region, sequence)
        who = Executor(sender=subscriber.department, authority=code, region=region, item="P04-FEEDBACK")
        told = [order for order in mine().values() if order.family in subscriber.families]
        if told:
            at = datetime.now(BEIJING)
            stage.send(subscriber.department, *(dict(acknowledgement_of(order, who, at=at)) for order in told))
        answers += len(told)
    return f"{len(expected)} × {action}, {answers} answers; {mine()['M01-LICENCE'].text_zh}"


def _look(stage: Stage, story: Story) -> str:
    found = stage.until("the listing in Baotou", lambda: stage.ask(BAOTOU, f"/v1/subjects/{story.firm}", "licensing"))
    dossier = found["dossier"]
    families = "、".join(dossier["families"])
    return f"on {'、'.join(dossier['lists'])}, measures {families}; access {found['access_id'][:8]} is on the ledger"


def _repair(stage: Stage, story: Story) -> str:
    for department, kind, number, authority in (
        (COURT, "CourtEnforcement", story.court_number, _COURT_CODE),
        (BUREAU, "Penalty", story.penalty_number, _BUREAU_CODE),
    ):
        facts = {
            "target": {"kind": kind, "authority": authority, "document_number": number},
            "stage": "GRANTED",
            "performed_on": story.now.astimezone(BEIJING).date().isoformat(),
            "commitment": "信用承诺书（虚构）",
        }
        stage.send(department, story.event(department, "Repair", "P02-REPAIR", f"修复-{number}", facts))
    alert = stage.until("the all-clear", lambda: _alert(stage, story, "CLEARED_SUBJECT"))
    return f"alert: {alert['text_zh']}"


def _recover(stage: Stage, story: Story) -> str:
    dossier = _dossier(stage, story, "the recovered score", lambda found: not found["lists"] and not found["reasons"])

    def is_clear() -> bool:
        found = stage.ask(BUREAU, f"/v1/subjects/{story.firm}", "supervision")
        return found is not None and bool(found["downstream"]["clear"])

    stage.until("every subscriber's word that it stopped", is_clear)
    return f"score {dossier['score']}, grade {dossier['grade']}, every lift acknowledged, nothing stays downstream"


def _dossier(stage: Stage, story: Story, what: str, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = stage.ask(BUREAU, f"/v1/subjects/{story.firm}", "supervision")
        return found["dossier"] if found is not None and is_it(found["dossier"]) else None

    dossier: dict[str, Any] = stage.until(what, look)
    return dossier


def _alert(stage: Stage, story: Story, kind: str) -> dict[str, Any] | None:
    found = stage.ask(BUREAU, "/v1/alerts?limit=200", "supervision")
    items = found["items"] if found is not None else []
    return next((one for one in items if one["subject_key"] == story.key and one["kind"] == kind), None)
