"""Valid values that a test changes in what it is about: rules, records, events. All subjects are fictitious."""

from __future__ import annotations

from datetime import date
from typing import Any

from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.core.calendar import WorkingCalendar
from creditbus.core.hashing import event_key, natural_key, record_id
from creditbus.core.identifiers import AuthorityTypes, RegionSpan, RegionTable
from creditbus.core.outcome import Reason
from creditbus.core.records import CreditRecord, day_of
from creditbus.core.rules import (
    Department,
    Grade,
    Instrument,
    Item,
    ListRule,
    MeasureRule,
    PointRule,
    PublicityRule,
    ReasonText,
    Rules,
    ScoreRules,
    Span,
    Text,
)

_ACCESS = SchemaSet.load().records["AccessRecord"]
EVER = Span(since=date(2000, 1, 1))
FIRM = "91150102MA0N123408"
FIRM_KEY = "MA0N12340"
COURT = "111500000115123431"
MARKET = "12150100460012344T"
DAY = date(2026, 11, 23)
DAY_MS = 1_795_363_200_000
"""2026-11-23 00:00 in Beijing."""


def words(text: str) -> Text:
    """The same text in both languages."""
    return Text(zh=text, en=text)


def make_rules(**changes: Any) -> Rules:
    """Rules of a small edition: two departments, one severe list, two measures, two point rules."""
    legal = frozenset({"LEGAL_PERSON"})
    anyone = frozenset({"LEGAL_PERSON", "NATURAL_PERSON", "SOLE_TRADER", "ORGAN"})
    values: dict[str, Any] = {
        "edition": "e" * 64,
        "regions": RegionTable(spans={"150100": RegionSpan(), "150102": RegionSpan(), "150200": RegionSpan()}),
        "authority_types": AuthorityTypes(classes={"11": "organ", "12": "institution", "91": "enterprise"}),
        "departments": {
            code: Department(
                code=code, name=words(code), domain=domain, region="150100", authorities=frozenset(), items=frozenset(),
                span=EVER,
            )
            for code, domain in (("150100-scjg", "market"), ("150000-gy", "judicial"))
        },
        "items": {
            "C03-PENALTY": _item("C03-PENALTY", {"Penalty"}, anyone, needs_basis=True),
            "C03-PERMIT": _item("C03-PERMIT", {"Permit"}, anyone),
            "C02-ENFORCEMENT": _item("C02-ENFORCEMENT", {"CourtEnforcement"}, anyone, needs_basis=True),
            "C06-LISTS": _item("C06-LISTS", {"ListDecision"}, anyone, needs_basis=True),
            "C08-REPAIR": _item("C08-REPAIR", {"Repair", "Revocation", "Dispute"}, anyone),
        },
        "instruments": {
            code: Instrument(code=code, name=words(name), level="LAW", span=EVER)
            for code, name in (("XZCFF", "行政处罚法"), ("ZTBF", "招标投标法"))
        },
        "lists": {
            "L01": ListRule(
                code="L01", name=words("失信被执行人"), severe=True, entry_kinds=frozenset({"CourtEnforcement"}),
                authorities_domains=frozenset({"judicial"}), subject_kinds=anyone, term_months=24,
                attested=frozenset({"notice"}), basis=("MSSSF",), reason_code="R101", span=EVER,
            ),
        },
        "measures": tuple(
            MeasureRule(
                code=f"{family}-1", family=family, name=words(f"measure {family}"), lists=frozenset({"L01"}),
                subject_kinds=anyone, binding=binding, executor="ZW", basis=("ZTBF",), span=EVER,
            )
            for family, binding in (("M01", "MANDATORY"), ("M14", "ADVISORY"))
        ),
        "score": ScoreRules(
            base=800, floor=0, ceiling=1000, dimension_caps={"compliance": 300},
            grades=(
                Grade(code="A", name=words("优"), minimum=850), Grade(code="B", name=words("良"), minimum=700),
                Grade(code="C", name=words("中"), minimum=550), Grade(code="D", name=words("差"), minimum=0),
            ),
            severe_list_grade="D",
            points=(
                PointRule(code="P-SERIOUS", reason="R302", dimension="compliance", kind="Penalty",
                          match=(("severity", frozenset({"SERIOUS"})),), points=-120, decays=True, span=EVER),
                PointRule(code="P-GENERAL", reason="R301", dimension="compliance", kind="Penalty",
                          match=(("severity", frozenset({"GENERAL"})),), points=-40, decays=True, span=EVER),
                PointRule(code="H-ANY", reason="P104", dimension="honour", kind="Honor",
                          match=(), points=60, decays=False, span=EVER),
            ),
            scored_kinds=legal,
        ),
        "publicity": (
            publicity("SERIOUS", 12, 36),
            publicity("GENERAL", 3, 12),
        ),
        "code_lists": {
            "Penalty.severity": frozenset({"MINOR", "GENERAL", "SERIOUS"}),
            "Penalty.penalty_types": frozenset({"WARNING", "CRITICISM", "FINE"}),
            "CourtEnforcement.ground": frozenset({"G1", "G2"}),
        },
        "reasons": {
            **{f"EMIT_{what}": _reason("{name} {list} {measure} {document}") for what in (
                "LISTED", "REMOVED", "ORDER", "LIFT", "DISHONEST_SUBJECT", "CLEARED_SUBJECT")},
            **{code: _reason(code) for code in ("R101", "R301", "R302", "P104")},
            **{str(code.value): _reason("{field}: {value}") for code in Reason},
        },
        "calendar": WorkingCalendar(years={}, fixed_holidays=frozenset()),
        "unscored_penalty_types": frozenset({"WARNING", "CRITICISM"}),
    }  # fmt: skip
    return Rules(**{**values, **changes})


def publicity(severity: str, minimum: int, maximum: int) -> PublicityRule:
    """A publicity period of penalties, in months."""
    return PublicityRule(
        code=severity,
        kind="Penalty",
        severity=severity,
        minimum_months=minimum,
        maximum_months=maximum,
        span=EVER,
    )


def _item(code: str, kinds: set[str], subjects: frozenset[str], needs_basis: bool = False) -> Item:
    return Item(
        code=code,
        name=words(code),
        kinds=frozenset(kinds),
        subject_kinds=subjects,
        nature="BASIC",
        needs_basis=needs_basis,
        report_within_working_days=7,
        span=EVER,
    )


def _reason(text: str) -> ReasonText:
    return ReasonText(text=words(text), remedy=words("remedy"))


def make_record(kind: str = "Penalty", number: str = "〔2026〕1号", **changes: Any) -> CreditRecord:
    """A canonical record of a firm; ids and keys follow from what is given."""
    sender = changes.get("sender", "150100-scjg")
    event_id = changes.get("event_id", f"event-{kind}-{number}")
    revision = changes.get("revision", 1)
    subject = changes.get("subject_key", FIRM_KEY)
    authority = changes.get("authority", COURT)
    values: dict[str, Any] = {
        "record_id": record_id(sender, event_id, revision),
        "revision": revision,
        "op": "RECORD",
        "kind": kind,
        "subject_key": subject,
        "subject_kind": "LEGAL_PERSON",
        "subject_name": "青城虚构商贸有限公司",
        "identifier": FIRM,
        "identifier_flags": [],
        "sender": sender,
        "event_id": event_id,
        "event_key": event_key(sender, event_id),
        "natural_key": natural_key(authority, number, "", subject, kind),
        "target_key": None,
        "corrects_key": None,
        "item": "C03-PENALTY",
        "authority": authority,
        "region": "150100",
        "document_number": number,
        "item_number": "",
        "decided_on": day_of(DAY),
        "reported_at": DAY_MS,
        "recorded_at": DAY_MS,
        "load_id": None,
        "fictitious": True,
        "body": b"",
        "body_schema": kind,
        "sealed": None,
        "document_title": "",
        "bases": ["XZCFF"],
    }
    return CreditRecord(**{**values, **changes})


def target_of(record: CreditRecord) -> dict[str, Any]:
    """Changes that make another record refer to this one."""
    return {"target_key": record.natural_key}


def make_access(access_id: str, **changes: Any) -> dict[str, Any]:
    """Value of an AccessRecord: who looked at a firm, why."""
    return {
        "access_id": access_id,
        "at": DAY_MS,
        "actor": "tester",
        "role": "public",
        "department": "",
        "purpose": "self-check",
        "basis": "",
        "subject_key": FIRM_KEY,
        "fields": [],
        "endpoint": "/v1/subjects/{id}",
        "result": "found",
        **changes,
    }


def access_payload(access_id: str) -> bytes:
    """Avro binary of one."""
    return encode(_ACCESS, make_access(access_id))
