"""Editions of the catalogue that were proposed: who approved them, and putting one in force.

An edition takes effect by an event on the log that names two officers of different departments (design.md 11.2,
issue 6). Their approvals come through the gateway, which proves who they are; here they are counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from creditbus.bus.editions import Activation, activate_edition, read_editions
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Types, Writers
from creditbus.catalogue.editions import Edition, compile_rules
from creditbus.core.alerts import organ_alert
from creditbus.core.processing import Output
from creditbus.core.topics import ALERTS, APPROVALS
from creditbus.dossier.steps import ENGINE
from creditbus.lab.approvals import OFFICERS, Approved
from creditbus.lab.reading import read_values

_CENTRE = "150000-xxzx"
"""The department that keeps the catalogue (公共信用信息中心); an alert about its rules is about it."""


@dataclass(slots=True)
class Proposal(Approved):
    """An edition that was published."""

    hash: str
    text: bytes
    is_in_force: bool = False


def proposals(brokers: str, registry: Registry) -> dict[str, Proposal]:
    """Every edition by hash, in the order of publication."""
    published = read_editions(brokers)
    in_force = published.in_force.hash if published.in_force is not None else ""
    found = {name: Proposal(name, text, name == in_force) for name, text in published.texts.items()}

    def note(name: str, value: dict[str, Any]) -> None:
        one = found.get(value["edition"]) if name == "EditionApproval" else None
        if one is not None:
            one.note(value)

    read_values(brokers, APPROVALS, Types(registry), note)
    return found


def activate(brokers: str, registry: Registry, proposal: Proposal) -> Activation:
    """Put a proposal in force, and tell of it. Raises LabError while fewer than two officers have approved it."""
    refusal = proposal.refusal(proposal.hash, "`creditbus rules approve HASH --as OFFICER --reason …`")
    if refusal is not None:
        raise refusal
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
