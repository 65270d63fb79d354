"""Editions of the catalogue that were proposed: who approved them, and putting one in force.

An edition takes effect by an event on the log that names two officers of different departments (design.md 11.2,
issue 6). Their approvals come through the gateway, which proves who they are; here they are counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from creditbus.bus.editions import Activation, activate_edition, edition_in_force, read_editions
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers, read_value
from creditbus.catalogue.editions import Edition, compile_rules
from creditbus.core.alerts import organ_alert
from creditbus.core.processing import Output
from creditbus.dossier.steps import ENGINE
from creditbus.lab.errors import LabError
from creditbus.lab.reading import read_topic

ALERTS, APPROVALS = "credit.alerts", "credit.approvals"
OFFICERS = 2
"""No row of the catalogue: an edition must not lower what its own activation asks for (design.md 11.2)."""
_CENTRE = "150000-xxzx"
"""The department that keeps the catalogue (公共信用信息中心); an alert about its rules is about it."""


@dataclass(slots=True)
class Proposal:
    """An edition that was published."""

    hash: str
    text: bytes
    is_in_force: bool = False
    approvals: list[Mapping[str, Any]] = field(default_factory=list)
    """In the order in which they came, one an officer."""

    @property
    def officers(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(one["officer"] for one in self.approvals)


def proposals(brokers: str, registry: Registry) -> dict[str, Proposal]:
    """Every edition by hash, in the order of publication."""
    now = edition_in_force(brokers)
    in_force = now.hash if now is not None else ""
    found = {name: Proposal(name, text, name == in_force) for name, text in read_editions(brokers).items()}
    types = Types(registry)

    def use(messages: Sequence[Any]) -> None:
        for message in messages:
            schema, value = read_value(types, message.value())
            one = found.get(value["edition"]) if schema.short_name == "EditionApproval" else None
            if one is not None and value["officer"] not in one.officers:
                one.approvals.append(value)

    read_topic(brokers, APPROVALS, use)
    return found


def activate(brokers: str, registry: Registry, proposal: Proposal) -> Activation:
    """Put a proposal in force, and tell of it. Raises LabError while fewer than two officers have approved it."""
    if len(proposal.officers) < OFFICERS:
        remedy = "`creditbus rules approve HASH --as OFFICER --reason …`"
        known = ", ".join(proposal.officers)
        raise LabError(
            en=f"{proposal.hash[:16]} is approved by {known or 'nobody'}, and two departments have to: {remedy}",
            zh=f"{proposal.hash[:16]} 的批准单位：{known or '无'}，须由两个不同单位批准：{remedy}",
        )
    schemas = SchemaSet.load()
    at_ms = int(time.time() * 1000)
    activation = Activation(hash=proposal.hash, engine=ENGINE, at_ms=at_ms, approved_by=proposal.officers[:OFFICERS])
    activate_edition(brokers, registry, schemas, activation, [_told(activation, proposal, Writers(registry, schemas))])
    return activation


def _told(activation: Activation, proposal: Proposal, writers: Writers) -> Output:
    """The alert that the rules have changed."""
    rules = compile_rules(Edition(proposal.hash, proposal.text))
    cause = f"{activation.hash}-{activation.at_ms}"
    facts = {"edition": activation.hash[:16], "officers": "、".join(activation.approved_by)}
    alert = organ_alert(rules, "RULES_CHANGED", rules.departments[_CENTRE], cause, activation.at_ms, **facts)
    return Output(ALERTS, alert.subject_key.encode(), writers(ALERTS, "Alert").of_struct(alert))
