"""Sources that are watched or held, as the log tells it: who approved, and whom a hold concerns (blast radius)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from creditbus.breaker.log import ALL_LISTINGS
from creditbus.bus.registry import Registry
from creditbus.bus.wire import Types
from creditbus.core.breaker import CALM, ENDS_HOLD, RELEASE
from creditbus.core.loading import is_load
from creditbus.core.rules import Rules
from creditbus.core.topics import BREAKER
from creditbus.lab.reading import read_values


@dataclass(slots=True)
class Standing:
    """The last order about a source, and who approved its release."""

    order: Mapping[str, Any]
    approvals: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether listings of the source wait."""
        return self.order["action"] not in (CALM, *ENDS_HOLD)


@dataclass(slots=True)
class Radius:
    """What waits because of a source, and what would follow when it is let go."""

    subjects: set[str] = field(default_factory=set)
    listings: int = 0
    regions: Counter[str] = field(default_factory=Counter)
    lists: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    """Orders that would go out, by family of measures."""

    def add(self, listing: Mapping[str, Any], rules: Rules) -> None:
        """One more listing waits."""
        self.listings += 1
        self.subjects.add(listing["subject_key"])
        self.regions[listing["region"]] += 1
        self.lists[listing["list"]] += 1
        self.orders.update(
            measure.family
            for measure in rules.measures_after(listing["list"], listing["subject_kind"], listing["region"])
        )


def standings(brokers: str, registry: Registry) -> dict[str, Standing]:
    """Every source about which something was ever ordered."""
    found: dict[str, Standing] = {}
    read_values(brokers, BREAKER, Types(registry), partial(note, found))
    return found


def note(found: dict[str, Standing], name: str, value: Mapping[str, Any]) -> None:
    """One more message of the topic: an order, or an approval of what is to become of the last one."""
    source = value["source"]
    if is_load(source):
        return  # `creditbus load list` tells of those
    if name == "SourceOrder":
        found[source] = Standing(value)
    elif source in found and value["hold_id"] == found[source].order["control_id"]:
        found[source].approvals.append({"action": RELEASE, **value})  # of before there were roll-backs: a release


def radius_of(brokers: str, registry: Registry, source: str, rules: Rules) -> Radius:
    """Whom a source's waiting listings concern."""
    types = Types(registry)
    waiting: dict[str, Mapping[str, Any]] = {}

    def note_listing(_: str, value: dict[str, Any]) -> None:
        if value["state"] == "WAITING" and value["source"] == source:
            waiting[value["listing_id"]] = value
        elif value["state"] != "WAITING":
            waiting.pop(value["listing_id"], None)

    for topic in ALL_LISTINGS:
        read_values(brokers, topic, types, note_listing)
    radius = Radius()
    for value in waiting.values():
        radius.add(value, rules)
    return radius
