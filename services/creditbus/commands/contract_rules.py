"""The rules of ``schemas/avro/README.md`` that a machine can check, and the examples of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditbus.bus.avro import NotAvroError, encode
from creditbus.bus.schemas import EventSchema, Schema, SchemaSet, contract_folder
from creditbus.bus.topics import Topic
from creditbus.core.forms import compile_reader
from creditbus.core.outcome import Fault, Reason

BODIES = frozenset({"DossierDetail", "Faults"})
"""Records that travel as bytes inside others and name their schema beside them."""
_FEWEST_VALID, _FEWEST_INVALID = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An event as JSON and what is to become of it."""

    path: Path
    event: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Kind of event, by its folder."""
        return self.path.parent.name

    @property
    def expected(self) -> tuple[Reason, str] | None:
        """(reason, last part of the field) of the only fault, by the file's name; None when it is valid.

        Raises ValueError for a name that says neither.
        """
        stem = self.path.stem
        if stem.startswith("valid-"):
            return None
        for reason in Reason:
            if stem.startswith(f"invalid-{reason.value}-"):
                return reason, stem.removeprefix(f"invalid-{reason.value}-")
        raise ValueError(f"{self.path.name}: call it valid-<what>.json or invalid-<reason>-<field>.json")


def load_examples(folder: Path | None = None) -> list[Example]:
    """Every example, by kind and name."""
    source = folder or contract_folder() / "avro" / "examples"
    return [
        Example(path=path, event=json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(source.glob("*/*.json"))
    ]


def problems_of_contract(
    schemas: SchemaSet, topics: Sequence[Topic], examples: Sequence[Example] | None = None
) -> Iterator[str]:
    """What breaks a rule, one line each: where, problem, remedy."""
    for schema in (*schemas.common.values(), *schemas.records.values(), *schemas.events.values()):
        yield from _undocumented(schema.definition, schema.short_name)
        yield from _without_default(schema.definition, schema.short_name)
    for event in schemas.events.values():
        if event.fields[-1]["name"] != "facts":
            yield f"{event.short_name}: facts must be the last field, so that their bytes can be cut off"
    for schema in unfrozen(schemas):
        yield f"{schema.short_name}: not in history/, so a later release could not read it: `creditbus schemas freeze`"
    yield from problems_of_topics(schemas, topics)
    yield from problems_of_examples(schemas, load_examples() if examples is None else examples)


def unfrozen(schemas: SchemaSet) -> list[Schema]:
    """Types that travel as bodies and whose present form is not in the history yet."""
    travelling = [event.facts for event in schemas.events.values()]
    travelling += [schemas.records[name] for name in sorted(BODIES) if name in schemas.records]
    return [schema for schema in travelling if schema.body_schema not in schemas.history]


def problems_of_topics(schemas: SchemaSet, topics: Sequence[Topic]) -> Iterator[str]:
    """Types that a topic names and the contract lacks, and types that nothing carries."""
    carried = {name for topic in topics for name in topic.records}
    known = {schema.name for schema in (*schemas.events.values(), *schemas.records.values())}
    for name in sorted(carried - known):
        yield f"topics.yaml: {name} is no type of schemas/avro; add the type or correct the name"
    parts = _parts_of(schemas)
    for schema in (*schemas.events.values(), *schemas.records.values()):
        if schema.name not in carried | parts and schema.short_name not in BODIES:
            yield f"{schema.short_name}: no topic carries it; name it in topics.yaml or remove it"


def problems_of_examples(schemas: SchemaSet, examples: Sequence[Example]) -> Iterator[str]:
    """Examples that are not what their names say, and kinds with too few of them."""
    for kind in schemas.events:
        names = [example.path.name for example in examples if example.kind == kind]
        valid = sum(name.startswith("valid-") for name in names)
        if valid < _FEWEST_VALID or len(names) - valid < _FEWEST_INVALID:
            yield f"examples/{kind}: {valid} valid, {len(names) - valid} invalid; write at least one and two"
    for example in examples:
        schema = schemas.events.get(example.kind)
        if schema is None:
            yield f"examples/{example.kind}: no such kind of event; rename the folder"
        else:
            yield from _unlike_its_name(example, schema)


def faults_of_example(example: Example, schema: EventSchema) -> tuple[list[Fault], object]:
    """What the gateway would say of it, and the value it would encode."""
    fields = {name: value for name, value in example.event.items() if name != "kind"}
    found: list[Fault] = []
    value = compile_reader(schema.definition)(fields, "", found)
    return found, value


def _unlike_its_name(example: Example, schema: EventSchema) -> Iterator[str]:
    where = f"examples/{example.kind}/{example.path.name}"
    if example.event.get("kind") != example.kind:
        yield f"{where}: kind: is not {example.kind}; correct it or move the file"
    try:
        expected = example.expected
    except ValueError as error:
        yield f"examples/{example.kind}/{error}"
        return
    found, value = faults_of_example(example, schema)
    told = [(fault.code, fault.field.rpartition(".")[2]) for fault in found]
    if told != ([] if expected is None else [expected]):
        shown = ", ".join(f"{code} at {field}" for code, field in told) or "no fault"
        yield f"{where}: the gateway finds {shown}; correct the example or its name"
    elif expected is None:
        yield from _not_encodable(where, schema, value)


def _not_encodable(where: str, schema: EventSchema, value: object) -> Iterator[str]:
    assert isinstance(value, dict)
    try:
        encode(schema, value)
    except NotAvroError as error:
        yield f"{where}: {error}; correct core/forms.py"


def _undocumented(definition: Mapping[str, Any], where: str) -> Iterator[str]:
    for node, path in _described(definition, where):
        for text in ("doc", "doc_zh"):
            if not str(node.get(text, "")).strip():
                yield f"{path}: {text} is missing; describe it in English (doc) and Chinese (doc_zh)"


def _without_default(definition: Mapping[str, Any], where: str) -> Iterator[str]:
    for node, path in _described(definition, where):
        type_ = node["type"]
        if not isinstance(type_, list):
            continue
        if type_[0] != "null" or len(type_) != 2:
            yield f"{path}: a union has null first and one more type"
        elif "default" not in node or node["default"] is not None:
            yield f"{path}: default is missing; an optional field has the default null"


def _described(definition: Mapping[str, Any], where: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The type, its fields, and those of every type that is written inside it, each with its path."""
    yield definition, where
    for field in definition.get("fields", ()):
        path = f"{where}.{field['name']}"
        yield field, path
        for inner in _named_inside(field["type"]):
            yield from _described(inner, path)


def _named_inside(type_: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(type_, list):
        for one in type_:
            yield from _named_inside(one)
    elif isinstance(type_, dict):
        if "name" in type_:
            yield type_
        else:
            yield from _named_inside(type_.get("items", type_.get("values")))


def _parts_of(schemas: SchemaSet) -> set[str]:
    """Full names of types that others contain."""
    found: set[str] = set()

    def walk(schema: Schema) -> None:
        for field in schema.fields:
            for node, _ in (pair for inner in _named_inside(field["type"]) for pair in _described(inner, "")):
                if "namespace" in node:
                    found.add(f"{node['namespace']}.{node['name']}")

    for schema in schemas.records.values():
        walk(schema)
    return found
