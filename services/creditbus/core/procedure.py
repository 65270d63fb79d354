"""The procedure of a listing (列入程序): notice, hearing and service, without which a decision to list has no effect.

A step is told by an event of its own (ListStep), or attested inside the decision where the list allows it
(design.md 11.16). A decision whose steps are not complete stays on file without effect until they are. Basis:
国办发〔2020〕49号 (notice of reasons, basis and rights; objections checked and answered), domain.md 0.1-4 and 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from creditbus.core.hashing import digest
from creditbus.core.records import CreditRecord, day_of
from creditbus.core.rules import ListRule
from creditbus.core.state import ProcedureState, Summary

STEP_OF_EVENT = {"NOTICE": "notice", "STATEMENT": "heard", "SERVICE": "served"}
_ATTESTED_BY = {"notice": "notice_on", "heard": "heard_on", "served": "served_on"}


def procedure_of(summary: Summary, list_code: str, notice_number: str) -> ProcedureState:
    """The procedure that a notice opened; made when it was not known."""
    for known in summary.procedures:
        if (known.list_code, known.notice_number) == (list_code, notice_number):
            return known
    opened = ProcedureState(list_code, notice_number)
    summary.procedures.append(opened)
    summary.procedures.sort(key=lambda one: (one.list_code, one.notice_number))
    return opened


def waiting_key(list_code: str, notice_number: str) -> str:
    """Key under which decisions wait for the steps of a procedure."""
    return digest("procedure", list_code, notice_number)


def note_step(procedure: ProcedureState, record: CreditRecord, facts: Mapping[str, object]) -> None:
    """What an event tells about the procedure."""
    happened_on = facts["happened_on"]
    assert isinstance(happened_on, date)
    step = STEP_OF_EVENT[str(facts["step"])]
    procedure.steps[step] = (day_of(happened_on), record.natural_key)
    if step == "heard":
        procedure.is_objection_accepted = facts.get("outcome") == "ACCEPTED"
    elif step == "notice":
        measures = facts.get("measures")
        procedure.noticed = sorted(map(str, measures)) if isinstance(measures, list) else []


def forget_step(summary: Summary, natural_key: str) -> None:
    """An event about a procedure was corrected, withdrawn or revoked."""
    for procedure in summary.procedures:
        for step in [step for step, (_, key) in procedure.steps.items() if key == natural_key]:
            del procedure.steps[step]
            if step == "heard":
                procedure.is_objection_accepted = False
            elif step == "notice":
                procedure.noticed = []


def missing_steps(
    rule: ListRule, record: CreditRecord, facts: Mapping[str, object], procedure: ProcedureState
) -> list[str]:
    """Steps that keep a decision from having effect: not told, out of order, or the objection was accepted."""
    days = {step: _day(step, rule, facts, procedure) for step in rule.steps}
    limits = {"notice": record.decided_on, "heard": record.decided_on}
    missing = []
    for step in rule.steps:
        day = days[step]
        if day is None or day > limits.get(step, day):
            missing.append(step)
    notice, heard, served = days.get("notice"), days.get("heard"), days.get("served")
    if notice is not None and heard is not None and heard < notice:
        missing.append("heard")
    if served is not None and served < record.decided_on:
        missing.append("served")
    if procedure.is_objection_accepted or facts.get("statement_outcome") == "ACCEPTED":
        missing.append("heard")
    return sorted(set(missing), key=rule.steps.index)


def effective_from(rule: ListRule, facts: Mapping[str, object], procedure: ProcedureState) -> int | None:
    """The day of service, before which nothing takes effect; None where the list has no such step."""
    return _day("served", rule, facts, procedure) if "served" in rule.steps else None


def _day(step: str, rule: ListRule, facts: Mapping[str, object], procedure: ProcedureState) -> int | None:
    told = procedure.steps.get(step)
    if told is not None:
        return told[0]
    attested = facts.get(_ATTESTED_BY[step]) if step in rule.attested else None
    return day_of(attested) if isinstance(attested, date) else None
