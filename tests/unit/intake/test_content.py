"""What may not be recorded whatever its form: each row of restricted.yaml and kept_out.yaml refuses what it names."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from creditbus.bus.avro import encode
from creditbus.catalogue.loader import load
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame
from creditbus.core.identifiers import synthetic_citizen
from intake_harness import Intake, example, schemas, stamped

CATALOGUE = load()
PERSON = {
    "kind": "NATURAL_PERSON",
    "name": "虚构某",
    "identifiers": [{"scheme": "CITIZEN", "value": synthetic_citizen("150102", date(1980, 2, 29))}],
}
TRADER = {
    "kind": "SOLE_TRADER",
    "name": "虚构商行",
    "identifiers": [{"scheme": "USCC", "value": "92150602MA0P56783H"}],
}
CODES = {"NEVER": "prohibited-content", "CONSENT": "needs-consent", "STATUTE": "no-statute"}
WORDS = [(row, word) for row in CATALOGUE.restricted for word in row.words]


def about_a_person(text: str, **changes: Any) -> dict[str, Any]:
    return example("Penalty", subject=PERSON, facts__content=text, **changes)


@pytest.mark.parametrize(("row", "word"), WORDS, ids=lambda one: getattr(one, "code", one))
def test_each_word_is_refused_of_each_subject_that_it_protects(row: Any, word: str) -> None:
    for kind, subject in (("NATURAL_PERSON", PERSON), ("SOLE_TRADER", TRADER)):
        event = about_a_person(f"当事人{word}，处以罚款（虚构）") | {"subject": subject}
        result = Intake().send(event)
        assert bool(result.rejections) == (kind in row.subjects)
        if result.rejections:
            assert (CODES[row.effect], "facts.content") in result.faults
            assert f"当事人{word}".encode() not in result.texts


def test_a_word_in_full_width_or_with_gaps_of_no_width_is_found_too() -> None:
    result = Intake().send(about_a_person("经查当事人ＨＩＶ阳性，信\u200b教"))
    assert result.faults.count(("prohibited-content", "facts.content")) == 2


def test_the_same_words_about_a_firm_pass() -> None:
    assert Intake().send(example("Penalty", facts__content="销售假冒乙肝药品，未公示信访渠道（虚构）")).records


def test_what_needs_consent_passes_when_the_number_of_a_consent_is_quoted() -> None:
    quoted = [{"instrument": "XZCFF", "article": "1"}, {"instrument": "CONSENT", "article": "同意〔2026〕1号"}]
    text = "已核实年收入（虚构）"
    assert Intake().send(about_a_person(text, bases=quoted)).records
    quoted[1]["article"] = " "
    assert Intake().send(about_a_person(text, bases=quoted)).faults == [("needs-consent", "facts.content")]


def test_consent_is_no_basis_of_a_decision() -> None:
    event = example("Penalty", bases=[{"instrument": "CONSENT", "article": "同意〔2026〕1号"}])
    assert Intake().send(event).faults == [("unknown-basis", "bases")]


@pytest.mark.parametrize("row", CATALOGUE.kept_out, ids=lambda row: row.code)
def test_what_is_not_collected_of_persons_is_refused_and_of_firms_is_taken(row: Any) -> None:
    value: Any = row.values[0] if row.field == "procedure" else list(row.values)
    changes = {f"facts__{row.field}": value}
    assert ("not-collected", f"facts.{row.field}") in Intake().send(about_a_person("罚款", **changes)).faults
    assert Intake().send(example(row.kind, **changes)).records


def test_a_warning_with_a_fine_is_collected_of_persons() -> None:
    assert Intake().send(about_a_person("罚款（虚构）", facts__penalty_types=["WARNING", "FINE"])).records


def test_a_person_has_a_name_and_one_number() -> None:
    nameless = Intake().send(about_a_person("罚款") | {"subject": {**PERSON, "name": " "}})
    assert nameless.faults == [("missing-field", "subject.name")]
    twice = {**PERSON, "identifiers": [*PERSON["identifiers"], {"scheme": "TAX", "value": "150102000000000000"}]}
    result = Intake().send(about_a_person("罚款") | {"subject": twice})
    assert result.faults == [("not-collected", "subject.identifiers")]


def test_no_field_of_the_contract_has_a_name_that_is_forbidden() -> None:
    forbidden = {name for row in CATALOGUE.restricted for name in row.fields}
    fields = {field["name"] for schema in schemas().events.values() for field in schema.definition["fields"]}
    fields |= {field["name"] for schema in schemas().events.values() for field in schema.facts.definition["fields"]}
    assert forbidden
    assert not fields & forbidden


@pytest.mark.parametrize("day", [-(2**31), 2**31 - 1, 3_000_000])
def test_a_day_that_no_calendar_has_is_a_fault_and_stops_nothing(day: int) -> None:
    intake = Intake()
    schema = schemas().events["Penalty"]
    fields = {name: value for name, value in example("Penalty").items() if name != "kind"}
    value: Any = compile_reader(schema.definition)(fields, "", [])
    value["document"]["decided_on"] = day
    raw = frame(intake.registry.id_of("", schema), encode(schema, value))
    result = intake.judge(stamped(raw, "150000-scjg"))
    assert any(field == "document.decided_on" for _, field in result.faults)
