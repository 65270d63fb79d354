"""Facts of simulated events, one function a kind. Fictitious texts; dates as ISO text, as the gateway takes them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Facts = dict[str, Any]
_WITH_NOTICE = 0.95
"""Share of decisions that come with the notice how to repair (两书同达)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event, how often it comes, who sends it, and its facts."""

    item: str
    weight: int
    departments: tuple[str, ...]
    basis: str | None
    prefix: str
    """Beginning of its document numbers."""
    facts: Callable[[random.Random, date], Facts]


def _registration(chance: random.Random, day: date) -> Facts:
    return {
        "status": chance.choice(["ACTIVE"] * 9 + ["CANCELLED"]),
        "established_on": _before(chance, day, 4000),
        "capital_fen": chance.randrange(1, 5000) * 1_000_000,
        "industry": chance.choice(["A01", "C14", "E47", "F51", "G54", "H62"]),
    }


def _permit(chance: random.Random, day: date) -> Facts:
    return {
        "category": chance.choice(["01", "04", "05"]),
        "certificate_name": chance.choice(["食品经营许可证", "道路运输经营许可证", "安全生产许可证"]),
        "certificate_number": f"JY115{chance.randrange(10**9):09d}",
        "content": "准予许可（虚构）",
        "valid_from": day.isoformat(),
        "valid_until": (day + timedelta(days=365 * 5)).isoformat(),
        "state": "VALID",
    }


def _penalty(chance: random.Random, day: date) -> Facts:
    severity = chance.choices(["MINOR", "GENERAL", "SERIOUS"], [45, 30, 25])[0]
    return {
        "procedure": "SIMPLIFIED" if severity == "MINOR" else "GENERAL",
        "violation": chance.choice(["未按规定明码标价", "超范围经营", "销售不合格产品", "未落实安全生产责任"]),
        "facts": "经查存在上述违法行为（虚构）",
        "penalty_types": ["WARNING"] if severity == "MINOR" else ["FINE"],
        "content": "责令改正，处以罚款（虚构）",
        "fine_fen": None if severity == "MINOR" else chance.randrange(1, 200) * 50_000,
        "severity": severity,
        "is_final": chance.random() < 0.9,
        "repair_notice_on": day.isoformat() if chance.random() < _WITH_NOTICE else None,
    }


def _rating(chance: random.Random, day: date) -> Facts:
    return {
        "scheme": "TAX",
        "grade": chance.choices(["A", "B", "M", "C", "D"], [12, 45, 35, 6, 2])[0],
        "period": str(day.year - 1),
        "valid_from": day.isoformat(),
        "valid_until": (day + timedelta(days=365)).isoformat(),
        "is_public": True,
    }


def _honor(chance: random.Random, day: date) -> Facts:
    return {
        "honor": chance.choice(["TRUSTWORTHY_ENTERPRISE", "CONTRACT_KEEPING", "TAX_A"]),
        "title": "诚信示范企业（虚构）",
        "granted_on": day.isoformat(),
        "valid_until": (day + timedelta(days=730)).isoformat(),
    }


def _court(chance: random.Random, day: date) -> Facts:
    return {
        "case_number": f"（{day.year}）内01执{chance.randrange(99_999)}号",
        "court": "呼和浩特市中级人民法院",
        "basis_number": f"（{day.year - 1}）内01民初{chance.randrange(9_999)}号",
        "basis_body": "呼和浩特市中级人民法院",
        "filed_on": _before(chance, day, 300),
        "obligation": "支付货款（虚构）",
        "performance": chance.choice(["NONE", "PARTIAL"]),
        "ground": chance.choice(["G2", "G3", "G4"]),
        "published_on": day.isoformat(),
    }


def _restriction(chance: random.Random, day: date) -> Facts:
    some = chance.sample(["TRANSPORT", "HOTEL", "PROPERTY", "VEHICLE", "TRAVEL", "SCHOOL", "INSURANCE"], 2)
    return {
        "stage": "ISSUED",
        "case_number": f"（{day.year}）内01执{chance.randrange(99_999)}号",
        "court": "呼和浩特市中级人民法院",
        "consumptions": [] if chance.random() < 0.8 else sorted(some),
        "reason": "未按执行通知书指定的期间履行（虚构）",
    }


def _list(chance: random.Random, day: date) -> Facts:
    return {
        "list": "L03",
        "action": "LIST",
        "ground": "拖欠工资（虚构）",
        "effective_on": day.isoformat(),
        "notice_number": f"告字〔{day.year}〕{chance.randrange(10**6)}号",
        "notice_on": (day - timedelta(days=30)).isoformat(),
        "heard_on": (day - timedelta(days=20)).isoformat(),
        "statement_outcome": chance.choice(["NONE", "REJECTED"]),
        # some decisions are reported before they are served: they wait without effect
        "served_on": day.isoformat() if chance.random() < 0.9 else None,
        "repair_notice_on": day.isoformat() if chance.random() < _WITH_NOTICE else None,
    }


def _inspection(chance: random.Random, day: date) -> Facts:
    result = chance.choices(["PASSED", "RECTIFY", "VIOLATION", "NOT_FOUND"], [80, 15, 4, 1])[0]
    return {
        "category": chance.choice(["DAILY", "DOUBLE_RANDOM", "SPECIAL"]),
        "inspected_on": day.isoformat(),
        "result": result,
        "content": "检查情况（虚构）",
        "rectify_by": (day + timedelta(days=30)).isoformat() if result == "RECTIFY" else None,
    }


def _commitment(chance: random.Random, day: date) -> Facts:
    state = chance.choices(["OPEN", "FULFILLED", "BROKEN"], [50, 46, 4])[0]
    return {
        "category": chance.choice(["CREDIT", "NOTIFICATION", "SAFETY", "PRICE"]),
        "content": "承诺依法诚信经营（虚构）",
        "promised_on": _before(chance, day, 200),
        "state": state,
        "settled_on": None if state == "OPEN" else day.isoformat(),
        "severity": "GENERAL" if state == "BROKEN" else "",
    }


def _filing(chance: random.Random, day: date) -> Facts:
    is_missed = chance.random() < 0.05
    return {
        "category": "ANNUAL_REPORT",
        "state": "MISSED" if is_missed else "FILED",
        "period": str(day.year - 1),
        "due_on": f"{day.year}-06-30",
        "filed_on": None if is_missed else day.isoformat(),
    }


def _finding(chance: random.Random, day: date) -> Facts:
    category = chance.choice(["ACCIDENT", "JUDGMENT_UNPERFORMED", "CONSTRUCTION_CONDUCT"])
    return {
        "category": category,
        "conduct": "经生效文书认定的事实（虚构）",
        "occurred_on": _before(chance, day, 300),
        "is_final": chance.random() < 0.8,
        "severity": chance.choices(["GENERAL", "SERIOUS"], [9, 1])[0],
        "performance": "NONE" if category == "JUDGMENT_UNPERFORMED" else None,
    }


def _practitioner(chance: random.Random, day: date) -> Facts:
    stage = chance.choices(["REGISTERED", "ASSESSED", "DISCIPLINED"], [70, 25, 5])[0]
    results: dict[str, list[str | None]] = {
        "REGISTERED": [None], "ASSESSED": ["GOOD", "COMPETENT"], "DISCIPLINED": ["WARNING", "SUSPENSION"],
    }  # fmt: skip
    return {
        "profession": chance.choice(["CONSTRUCTION", "TRANSPORT", "PHARMACIST", "LAWYER", "ENVIRONMENT_ASSESSOR"]),
        "stage": stage,
        "employer": "青城示例有限公司（虚构）",
        "certificate_number": f"业115{chance.randrange(10**9):09d}",
        "valid_from": day.isoformat(),
        "valid_until": (day + timedelta(days=365 * 3)).isoformat(),
        "result": chance.choice(results[stage]),
    }


def _pre_review(chance: random.Random, day: date) -> Facts:
    is_decided = chance.random() < 0.6
    return {
        "scenario": chance.choice(["LICENSING", "PROCUREMENT", "TENDERING", "FUNDS"]),
        "stage": "DECIDED" if is_decided else "REQUESTED",
        "outcome": chance.choice(["NO_HIT", "NO_HIT", "NO_HIT", "CONSIDERED"]) if is_decided else None,
        "reason": "查询结果供参考（虚构）" if is_decided else "",
    }


def _review(chance: random.Random, day: date) -> Facts:
    sampled = chance.randrange(20, 60)
    return {
        "category": "SPOT_CHECK",
        "period": f"{day.year}-{day.month:02d}",
        "reviewed_on": day.isoformat(),
        "sampled": sampled,
        "concealed": chance.choices([0, 1, 2], [85, 10, 5])[0],
        "wrong": 0,
        "content": "对照本机关网站抽查（虚构）",
    }


def _before(chance: random.Random, day: date, days: int) -> str:
    return (day - timedelta(days=chance.randrange(1, days))).isoformat()


KINDS: Mapping[str, Kind] = {
    "Permit": Kind("C03-PERMIT", 660, ("150100-scjg", "150000-jtt", "150000-zjt"), None, "准字", _permit),
    "Registration": Kind("C01-REGISTRATION", 120, ("150000-scjg", "150100-scjg"), None, "登字", _registration),
    "Penalty": Kind("C03-PENALTY", 330, ("150100-scjg", "150200-sthj", "150000-yjglt"), "XZCFF", "罚字", _penalty),
    "Rating": Kind("C09-RATING", 80, ("150000-swj",), None, "评字", _rating),
    "Honor": Kind("C11-HONOR", 30, ("150000-fgw",), None, "荣字", _honor),
    "Inspection": Kind("C03-INSPECTION", 60, ("150100-scjg", "150000-yjglt", "150000-sthj"), None, "检字", _inspection),
    "Commitment": Kind("C08-COMMITMENT", 40, ("150100-zwfw", "150000-zjt"), None, "承字", _commitment),
    "Filing": Kind("C10-FILING", 40, ("150000-scjg",), None, "年报字", _filing),
    "Finding": Kind("C10-COMPLIANCE", 10, ("150000-yjglt", "150000-zjt"), "NMGSHXY", "认字", _finding),
    "Practitioner": Kind(
        "C04-PRACTITIONER",
        20,
        ("150000-zjt", "150000-jtt", "150000-wjw", "150000-sft"),
        "NMGSHXY",
        "业字",
        _practitioner,
    ),
    "PreReview": Kind("P05-PREREVIEW", 20, ("150100-zwfw", "150000-ggzy"), None, "审字", _pre_review),
    "CourtEnforcement": Kind("C02-ENFORCEMENT", 2, ("150100-zy", "150000-gy"), "FS2017-7", "执字", _court),
    "DepartmentReview": Kind("P06-REVIEW", 2, ("150000-xxzx",), None, "抽字", _review),
    "RestrictionOrder": Kind("C02-RESTRICTION", 2, ("150100-zy", "150000-gy"), "FS2010-8", "限字", _restriction),
    "ListDecision": Kind("C06-LISTS", 1, ("150000-rst",), "NMGGZ", "列字", _list),
}
