"""The contract keeps its own rules, each rule can be broken, and every example and type goes through Avro and back."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.bus.avro import EventReader, NotAvroError, decode, encode
from creditbus.bus.schemas import EventSchema, Schema, SchemaSet
from creditbus.bus.topics import load_topics
from creditbus.bus.wire import body_reader
from creditbus.commands.contract_rules import (
    Example,
    faults_of_example,
    load_examples,
    problems_of_contract,
    problems_of_examples,
    problems_of_topics,
    unfrozen,
)

SCHEMAS = SchemaSet.load()
EXAMPLES = load_examples()
TYPES = {**SCHEMAS.records, **SCHEMAS.events}


def test_the_contract_breaks_no_rule() -> None:
    assert list(problems_of_contract(SCHEMAS, load_topics())) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.kind}/{one.path.stem}")
def test_each_example_is_what_its_name_says(example: Example) -> None:
    schema = SCHEMAS.events[example.kind]
    found, value = faults_of_example(example, schema)
    assert [(one.code, one.field.rpartition(".")[2]) for one in found] == (
        [] if example.expected is None else [example.expected]
    )
    for one in found:
        assert all((one.problem_zh, one.problem_en, one.remedy_zh, one.remedy_en))
    if example.expected is None:
        assert isinstance(value, dict)
        payload = encode(schema, value)
        head, facts, cut = EventReader(SCHEMAS)(schema, payload)
        assert {**msgspec.to_builtins(head), "facts": facts} == decode(schema, payload, raw=True)
        assert decode(schema.facts, cut, raw=True) == facts


# -- each rule broken once -----------------------------------------------------------------------------------


def with_field(change: Callable[[dict[str, Any]], None]) -> SchemaSet:
    """The contract with one field of Penalty changed."""
    definition = copy.deepcopy(dict(SCHEMAS.events["Penalty"].definition))
    change(definition)
    events = {**SCHEMAS.events, "Penalty": EventSchema("creditbus.events.Penalty", definition)}
    return SchemaSet(events, SCHEMAS.records, SCHEMAS.common)


def test_a_field_without_a_text_in_either_language_is_found() -> None:
    schemas = with_field(lambda definition: definition["fields"][0].update(doc_zh=" "))
    assert any("doc_zh is missing" in one for one in problems_of_contract(schemas, load_topics()))


def test_an_optional_field_without_default_is_found() -> None:
    def change(definition: dict[str, Any]) -> None:
        optional = next(field for field in definition["fields"] if isinstance(field["type"], list))
        del optional["default"]

    assert any("default is missing" in one for one in problems_of_contract(with_field(change), load_topics()))


def test_a_union_of_another_form_is_found() -> None:
    def change(definition: dict[str, Any]) -> None:
        optional = next(field for field in definition["fields"] if isinstance(field["type"], list))
        optional["type"] = ["string", "null"]

    assert any("null first" in one for one in problems_of_contract(with_field(change), load_topics()))


def test_facts_that_are_not_last_are_found() -> None:
    schemas = with_field(lambda definition: definition["fields"].insert(0, definition["fields"].pop()))
    assert any("facts must be the last field" in one for one in problems_of_contract(schemas, load_topics()))


def test_a_topic_with_an_unknown_type_and_a_type_without_topic_are_found() -> None:
    topics = [
        topic.model_copy(update={"records": (*topic.records, "creditbus.records.Nothing")})
        for topic in load_topics()
        if topic.name != "credit.deadletters"
    ]
    told = " ".join(problems_of_topics(SCHEMAS, topics))
    assert "creditbus.records.Nothing is no type" in told
    assert "DeadLetter: no topic carries it" in told


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("valid-fine.json", {"facts": {}}, "the gateway finds missing-field"),
        ("invalid-wrong-type-fine_fen.json", {}, "the gateway finds no fault"),
        ("broken.json", {}, "call it valid-"),
        ("valid-fine.json", {"kind": "Permit"}, "kind: is not Penalty"),
    ],
)
def test_an_example_that_is_not_what_its_name_says_is_found(name: str, changes: dict[str, Any], told: str) -> None:
    valid = next(one for one in EXAMPLES if one.kind == "Penalty" and one.path.name == "valid-fine.json")
    wrong = Example(path=valid.path.parent / name, event={**valid.event, **changes})
    assert any(told in one for one in problems_of_examples(SCHEMAS, [*EXAMPLES, wrong]))


def test_too_few_examples_and_a_foreign_folder_are_found() -> None:
    stray = Example(path=Path("examples/Nothing/valid-x.json"), event={})
    told = " ".join(problems_of_examples(SCHEMAS, [stray]))
    assert "examples/Penalty: 0 valid, 0 invalid" in told
    assert "examples/Nothing: no such kind" in told


# -- every type, encoded and decoded -------------------------------------------------------------------------

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=12),
    "bytes": st.binary(max_size=12),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "double": st.floats(allow_nan=False),
    "null": st.none(),
}
_LOGICAL: dict[str, st.SearchStrategy[int]] = {
    "date": st.dates().map(lambda day: (day - dt.date(1970, 1, 1)).days),
    "timestamp-millis": st.integers(-(10**12), 10**13),
}


def values_of(type_: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: C901 - a case for each kind of type
    """Values of an Avro type, with dates and times as numbers."""
    match type_:
        case str() if type_ in _PRIMITIVES:
            return _PRIMITIVES[type_]
        case str():
            return values_of(named[type_], named)
        case list():
            return st.one_of([values_of(one, named) for one in type_])
        case {"type": "array", "items": items}:
            return st.lists(values_of(items, named), max_size=2)
        case {"type": "map", "values": values}:
            return st.dictionaries(st.text(max_size=5), values_of(values, named), max_size=2)
        case {"type": "enum", "symbols": symbols}:
            return st.sampled_from(symbols)
        case {"type": "record", "fields": fields}:
            named[f"{type_['namespace']}.{type_['name']}"] = type_
            return st.fixed_dictionaries({one["name"]: values_of(one["type"], named) for one in fields})
        case {"logicalType": logical}:
            return _LOGICAL[logical]
        case {"type": inner}:
            return values_of(inner, named)
    raise ValueError(type_)


@pytest.mark.parametrize("name", sorted(TYPES))
@given(data=st.data())
def test_every_value_of_every_type_is_the_same_after_avro(name: str, data: st.DataObject) -> None:
    schema: Schema = TYPES[name]
    value = data.draw(values_of(schema.definition, {}))
    payload = encode(schema, value)
    assert decode(schema, payload, raw=True) == value
    with pytest.raises(NotAvroError):
        decode(schema, payload + b"\x00", raw=True)


def test_each_body_names_its_schema_by_content() -> None:
    assert len(SCHEMAS.bodies) == len(SCHEMAS.events) + len(SCHEMAS.records)
    for name, schema in SCHEMAS.bodies.items():
        assert name == f"{schema.name}#{schema.fingerprint}"


# -- forms of earlier releases -------------------------------------------------------------------------------


@pytest.mark.parametrize("body_schema", sorted(SCHEMAS.history))
@given(data=st.data())
def test_bodies_of_every_earlier_form_are_read_as_the_present_one(body_schema: str, data: st.DataObject) -> None:
    written = SCHEMAS.history[body_schema]
    value = data.draw(values_of(written.definition, {}))
    read = body_reader(SCHEMAS)(body_schema, encode(written, value))
    present = SCHEMAS.current_bodies[written.name]
    assert set(read) == {field["name"] for field in present.fields}
    if "string" in {field["type"] for field in written.fields if isinstance(field["type"], str)}:
        texts = [field["name"] for field in written.fields if field["type"] == "string"]
        assert {name: read[name] for name in texts} == {name: value[name] for name in texts}


def test_the_history_holds_an_earlier_form_and_every_present_one() -> None:
    assert unfrozen(SCHEMAS) == []
    assert len(SCHEMAS.history) > len({schema.name for schema in SCHEMAS.history.values()})


def test_a_body_of_an_unknown_form_is_no_body() -> None:
    with pytest.raises(NotAvroError):
        body_reader(SCHEMAS)("creditbus.events.PenaltyFacts#0000000000000000", b"")
