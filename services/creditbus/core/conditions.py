"""The conditions without which a measure does not follow from a listing (惩戒措施适用条件), domain.md 4.1 (a) to (g).

A listing proposes the measures that its decision names, or else all that the catalogue has for its list. Each is
ordered, or refused with the first condition that it does not meet. That the listing itself is in effect (f) is
decided before: a decision whose term is over proposes nothing (listing.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from creditbus.core.identifiers import lies_in
from creditbus.core.records import CreditRecord, date_of
from creditbus.core.rules import ListRule, MeasureRule, Rules

RIGHTS = "RIGHTS"
"""Effect of a measure that takes rights or adds duties (减损权益、增加义务)."""


class Condition(StrEnum):
    """What is not met; the catalogue has its text as CONDITION_<value>."""

    EXEMPT = "EXEMPT"
    """(g) First, minor and corrected in time (首次轻微并及时改正)."""
    BASIS = "BASIS"
    """(a) Nothing that it rests on is in force on the day of the decision."""
    PROPORTION = "PROPORTION"
    """(c) It takes rights, and follows from neither a list of severe dishonesty nor a court's order (过惩相当)."""
    RELEVANCE = "RELEVANCE"
    """(b) It has nothing to do with the list or the kind of subject (禁止不当联结)."""
    PUBLISHED = "PUBLISHED"
    """(d) It was not published when the conduct occurred."""
    REGION = "REGION"
    """It supplements the catalogue of another region (地方补充措施)."""
    NOTICE = "NOTICE"
    """(e) The notice told of other measures only (事先告知)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a decision to list asks for."""

    rule: ListRule
    subject_kind: str
    region: str
    """Of the decision."""
    decided_on: date
    conduct_on: date
    named: tuple[str, ...]
    """Codes of the measures that the decision names; empty: all of the catalogue's."""
    noticed: frozenset[str]
    """Codes of the measures that the notice told of; empty: all of the catalogue's."""
    is_exempt: bool


def proposal_of(
    record: CreditRecord, facts: Mapping[str, object], rule: ListRule, subject_kind: str, noticed: frozenset[str]
) -> Proposal:
    """What a record that lists asks for; facts that its kind does not have count as not given."""
    decided_on, conduct_on, named = date_of(record.decided_on), facts.get("conduct_on"), facts.get("measures")
    return Proposal(
        rule=rule,
        subject_kind=subject_kind,
        region=record.region,
        decided_on=decided_on,
        conduct_on=conduct_on if isinstance(conduct_on, date) else decided_on,
        named=tuple(map(str, named)) if isinstance(named, list) else (),
        noticed=noticed,
        is_exempt=facts.get("first_minor_corrected") is True,
    )


def decide_measures(proposal: Proposal, rules: Rules) -> tuple[list[MeasureRule], list[tuple[str, str]]]:
    """(measures to order, (code, condition that is not met) of the others), in the order of the catalogue."""
    ordered: list[MeasureRule] = []
    refused: list[tuple[str, str]] = []
    for measure in _proposed(proposal, rules):
        condition = unmet(measure, proposal, rules)
        if condition is None:
            ordered.append(measure)
        else:
            refused.append((measure.code, condition.value))
    return ordered, refused


def _proposed(proposal: Proposal, rules: Rules) -> Iterable[MeasureRule]:
    if proposal.named:
        return (measure for measure in rules.measures if measure.code in proposal.named)
    return rules.measures_after(proposal.rule.code, proposal.subject_kind, proposal.region)


def unmet(measure: MeasureRule, proposal: Proposal, rules: Rules) -> Condition | None:
    """The first condition that a measure does not meet; None when it may be ordered."""
    bases = (rules.instruments.get(code) for code in measure.basis)
    if proposal.is_exempt:
        return Condition.EXEMPT
    if not any(basis is not None and basis.span.covers(proposal.decided_on) for basis in bases):
        return Condition.BASIS
    if measure.effect == RIGHTS and not (proposal.rule.severe or proposal.rule.is_order):
        return Condition.PROPORTION
    if not measure.follows(proposal.rule.code, proposal.subject_kind):
        return Condition.RELEVANCE
    if not lies_in(rules.regions, proposal.region, measure.region):
        return Condition.REGION
    if not (measure.span.covers(proposal.decided_on) and measure.span.covers(proposal.conduct_on)):
        return Condition.PUBLISHED
    if proposal.noticed and measure.code not in proposal.noticed:
        return Condition.NOTICE
    return None
