"""The facts of a row, by kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from creditbus.client.importing.row import Row, code_of
from creditbus.core.outcome import Reason

_LISTED = re.compile(r"[;；,，、/|\n]+")


def _permit_facts(row: Row) -> dict[str, object]:
    return {
        "category": row.code("category"),
        "certificate_name": row.text("certificate_name"),
        "certificate_number": row.text("certificate_number"),
        "content": row.required("permit_content"),
        "valid_from": row.day("valid_from"),
        "valid_until": row.day("valid_until"),
        "state": row.code("state", "VALID"),
    }


def _penalty_facts(row: Row) -> dict[str, object]:
    """Severity and finality stand in newer files only. Nothing stated: general, and not final, which scores nothing."""
    final_on = row.day("final_on")
    return {
        "procedure": row.code("procedure", "GENERAL"),
        "violation": row.required("violation"),
        "facts": row.required("violation_facts"),
        "penalty_types": _penalty_types(row),
        "content": row.required("penalty_content"),
        "fine_fen": row.amount_fen("fine"),
        "confiscated_fen": row.amount_fen("confiscated"),
        "licence": row.text("licence") or None,
        "severity": row.code("severity", "GENERAL"),
        "is_final": row.code("is_final", "false" if final_on is None else "true", "yes_no") == "true",
        "final_on": final_on,
        "publish_until": row.day("publish_until"),
        "repair_notice_on": row.day("repair_notice_on"),
    }


def _penalty_types(row: Row) -> list[str]:
    parts = [part for part in _LISTED.split(row.required("penalty_types")) if part]
    codes = row.table.values["penalty_types"]
    found = [code_of(part, codes) for part in parts]
    if None in found:
        row.add(Reason.UNKNOWN_CODE, "penalty_types", codes)
    return list(dict.fromkeys(code for code in found if code is not None))


def _court_facts(row: Row) -> dict[str, object]:
    """The court's feed (失信被执行人, domain.md 3.4); sex and age stand in no import: they are not needed."""
    return {
        "case_number": row.text("document_number"),
        "court": row.required("court"),
        "basis_number": row.required("basis_number"),
        "basis_body": row.required("basis_body"),
        "filed_on": row.needed_day("filed_on"),
        "obligation": row.required("obligation"),
        "performance": row.code("performance"),
        "ground": row.code("ground"),
        "published_on": row.needed_day("published_on"),
    }


def _list_facts(row: Row) -> dict[str, object]:
    return {
        "list": row.code("list"),
        "action": "LIST",
        "ground": row.text("ground_text"),
        "effective_on": row.needed_day("effective_on"),
        "term_months": row.whole("term_months"),
        "notice_number": row.text("notice_number") or None,
        "notice_on": row.day("notice_on"),
        "heard_on": row.day("heard_on"),
        "statement_outcome": row.code("statement_outcome") if row.text("statement_outcome") else None,
        "served_on": row.day("served_on"),
        "reason": row.text("reason"),
        "repair_notice_on": row.day("repair_notice_on"),
    }


def _rating_facts(row: Row) -> dict[str, object]:
    grade = row.required("grade").upper()
    return {
        "scheme": row.code("scheme"),
        "grade": row.table.values["grade"].get(grade, grade),
        "score": row.whole("rating_score"),
        "period": row.required("period"),
        "valid_from": row.needed_day("valid_from"),
        "valid_until": row.day("valid_until"),
        "is_public": row.code("is_public", "true", "yes_no") == "true",
    }


def _honor_facts(row: Row) -> dict[str, object]:
    return {
        "honor": row.code("honor"),
        "title": row.required("title"),
        "granted_on": row.needed_day("granted_on"),
        "valid_until": row.day("valid_until"),
    }


def _answer_facts(row: Row) -> dict[str, object]:
    """What an executor did about an order, filled into the file that told it."""
    return {
        "order_id": row.required("order_id"),
        "family": row.required("family"),
        "action": row.code("order_action"),
        "state": row.code("answer_state"),
        "done_on": row.needed_day("done_on"),
        "executed_from": row.day("executed_from"),
        "executed_until": row.day("executed_until"),
        "measure_taken": row.text("measure_taken"),
        "content": row.text("answer_content"),
        "effect": row.text("answer_effect"),
        "note": row.text("answer_note"),
    }


FACTS: Mapping[str, Callable[[Row], dict[str, object]]] = {
    "Permit": _permit_facts,
    "Penalty": _penalty_facts,
    "CourtEnforcement": _court_facts,
    "ListDecision": _list_facts,
    "Rating": _rating_facts,
    "Honor": _honor_facts,
    "MeasureAcknowledgement": _answer_facts,
}
