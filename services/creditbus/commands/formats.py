"""The data format of an item (数据格式标准): the facts of its kinds, with the values that the catalogue allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from creditbus.bus.schemas import SchemaSet
from creditbus.catalogue.models import Item
from creditbus.commands.schemas import type_name

Row = tuple[str, str, str, str, str]


def format_of(item: Item, kind: str, codes: Mapping[str, Sequence[str]], schemas: SchemaSet) -> Iterator[Row]:
    """(field, type, allowed values, meaning in Chinese and in English) of each fact; a type with ? may be left out.

    codes: allowed values by <Kind>.<field>; where the item takes fewer, those.
    """
    for field in schemas.events[kind].facts.fields:
        name = field["name"]
        values = item.takes.get(name) or codes.get(f"{kind}.{name}", ())
        yield f"facts.{name}", type_name(field["type"]), ", ".join(values), field["doc_zh"], field["doc"]
