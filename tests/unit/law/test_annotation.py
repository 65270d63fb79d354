"""异议标注: what is disputed says so wherever it is shown, whoever it is about and whether it counts or not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import body_reader
from creditbus.catalogue.loader import load
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.lab.sandbox import Emitted, Sandbox
from intake_harness import SENDERS, example

TODAY = date(2026, 11, 24)
OFFICE = "150000-xxzx"
read_body = body_reader(SchemaSet.load())
SUBJECTS = {
    "LEGAL_PERSON": ("USCC", synthetic_uscc("91", "150102", 9_201)),
    "SOLE_TRADER": ("USCC", synthetic_uscc("92", "150102", 9_202)),
    "NATURAL_PERSON": ("CITIZEN", synthetic_citizen("150102", date(1980, 2, 29))),
}


def event(kind: str, subject: str, number: str = "", **facts: Any) -> dict[str, Any]:
    """The example of a kind about a subject."""
    scheme, value = SUBJECTS[subject]
    who = {"kind": subject, "name": "虚构主体乙", "identifiers": [{"scheme": scheme, "value": value}]}
    found = example(kind, subject=who)
    found["facts"] |= facts
    if number:
        found["document"]["number"], found["event_id"] = number, f"0000000{number[-1]}-0000-4000-8000-000000000001"
    return found


def dispute(fact: dict[str, Any], number: str, stage: str, outcome: str | None = None) -> dict[str, Any]:
    target = {name: fact[name] for name in ("kind", "authority")} | {"document_number": fact["document"]["number"]}
    answer = {"target": target, "stage": stage, "outcome": outcome}
    return event("Dispute", fact["subject"]["kind"], number, **answer)


def disputed(emitted: list[Emitted]) -> list[str]:
    """As the last message of the dossier says."""
    dossier = [one.value for one in emitted if one.record == "Dossier"][-1]
    told = read_body(str(dossier["body_schema"]), bytes(dossier["body"]))["disputed"]
    return [str(one) for one in told]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("kind", ["Penalty", "Permit"])
def test_a_disputed_fact_is_annotated_until_it_is_answered(kind: str, subject: str) -> None:
    sandbox = Sandbox(load(), TODAY)
    fact = event(kind, subject)
    told = sandbox.send(SENDERS.get(kind, "150100-scjg"), fact)
    (record,) = [one.value["record_id"] for one in told if one.record == "Change"]
    assert disputed(told) == []
    assert disputed(sandbox.send(OFFICE, dispute(fact, "异1", "FILED"))) == [record]
    assert disputed(sandbox.send(OFFICE, dispute(fact, "异2", "FILED"))) == [record], "once, however many dispute it"
    assert disputed(sandbox.send(OFFICE, dispute(fact, "异3", "DECIDED", "REJECTED"))) == []
