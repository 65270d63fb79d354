"""The contract in the real registry: registered once, evolved under FULL_TRANSITIVE, refused otherwise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from creditbus.bus.registry import IncompatibleSchemaError, Registry, UnknownSchemaError, subject_of
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.wire import Types

pytestmark = pytest.mark.integration
SCHEMAS = SchemaSet.load()
TYPES = {**SCHEMAS.events, **SCHEMAS.records}


@pytest.fixture
def registry(registry_url: str) -> Iterator[Registry]:
    client = Registry(registry_url)
    client.require_full_compatibility()
    yield client
    client.close()


def changed(schema: Schema, change: Callable[[dict[str, Any]], None]) -> Schema:
    definition = copy.deepcopy(dict(schema.definition))
    change(definition)
    return Schema(schema.name, definition)


def with_optional(schema: Schema, name: str) -> Schema:
    more = {"name": name, "type": ["null", "string"], "default": None, "doc": "More.", "doc_zh": "更多。"}
    return changed(schema, lambda definition: definition["fields"].append(more))


def test_pushing_again_registers_nothing_and_ids_lead_back(registry: Registry, topic_prefix: str) -> None:
    pairs = [(f"{topic_prefix}{name}", schema) for name, schema in TYPES.items()]
    assert all(pushed.is_new for pushed in registry.push(pairs))
    again = list(registry.push(pairs))
    assert [pushed.subject for pushed in again] == [subject_of(*pair) for pair in pairs]
    assert not any(pushed.is_new for pushed in again)
    types = Types(registry)
    for (topic, schema), pushed in zip(pairs, again, strict=True):
        assert registry.id_of(topic, schema) == pushed.schema_id
        assert types.of(pushed.schema_id).definition == schema.definition


@pytest.mark.parametrize("name", sorted(SCHEMAS.records))
def test_a_record_may_get_optional_fields_and_lose_them_but_nothing_else(
    registry: Registry, topic_prefix: str, name: str
) -> None:
    topic, schema = f"{topic_prefix}{name}", SCHEMAS.records[name]
    longer = with_optional(schema, "added_later")
    list(registry.push([(topic, schema), (topic, longer)]))
    assert registry.is_compatible(topic, schema), "what was added with a default may go again"

    def retype(definition: dict[str, Any]) -> None:
        definition["fields"][0]["type"] = "double" if definition["fields"][0]["type"] != "double" else "string"

    def require(definition: dict[str, Any]) -> None:
        definition["fields"].append({"name": "required", "type": "string", "doc": "x", "doc_zh": "x"})

    for change in (retype, require):
        refused = changed(schema, change)
        assert not registry.is_compatible(topic, refused)
        with pytest.raises(IncompatibleSchemaError):
            list(registry.push([(topic, refused)]))


def test_compatibility_is_asked_of_all_versions_not_only_the_newest(registry: Registry, topic_prefix: str) -> None:
    """A field comes, goes, and comes back with another type: fine for the newest version, not for the one before."""
    topic, schema = f"{topic_prefix}transitive", SCHEMAS.records["ClockTick"]
    list(registry.push([(topic, schema), (topic, with_optional(schema, "note")), (topic, schema)]))
    number = {"name": "note", "type": ["null", "long"], "default": None, "doc": "x", "doc_zh": "x"}
    returning = changed(schema, lambda definition: definition["fields"].append(number))
    assert not registry.is_compatible(topic, returning)


def test_an_unknown_id_is_told_apart_from_a_registry_that_is_away(registry: Registry) -> None:
    with pytest.raises(UnknownSchemaError):
        registry.name_and_text(2_000_000_000)
