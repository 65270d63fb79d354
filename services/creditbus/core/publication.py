"""How long a fact is published (公示期), and what of an organisation is published on a day.

The window follows from the rule in force on the day of the decision: that of the heaviest type of penalty where there
are several, with the sector's own shortest time, cut short by a milder later rule or by the authority itself.
Open data holds nothing else than what is published, and nothing about persons. Source: domain.md 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from creditbus.core.calendar import add_months
from creditbus.core.events import ORGANISATION_KINDS
from creditbus.core.rules import PublicityRule, Rules

OWN_PERIOD, AUTHORITY = "OWN-PERIOD", "AUTHORITY"
"""What ends a fact where no row does: the period that it states itself, and the day that its authority set."""
_GRAVITY = ("MINOR", "GENERAL", "SERIOUS")
_ONE_DAY = timedelta(days=1)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when a fact is published, and why."""

    rule: str
    """Code of the row that makes the last day, or AUTHORITY."""
    last: date
    repair_from: date
    """First day on which its repair may be asked for (最短公示期满)."""


def window_of(
    kind: str, facts: Mapping[str, object], decided_on: date, rules: Rules, domain: str = ""
) -> Window | None:
    """The window of a fact; None when nothing says how long it is published. domain: of the department that sent it."""
    severity = severity_of(kind, facts, decided_on, rules)
    own = _rule_on(kind, severity, decided_on, domain, rules)
    if own is None:
        return None
    rule, last = own.code, add_months(decided_on, own.maximum_months)
    for one in rules.transitions:
        if one.earlier == own.code:
            end = max(add_months(decided_on, one.later.maximum_months), one.later.span.since - _ONE_DAY)
            if end < last:
                rule, last = one.code, end
    told = _day(facts.get("publish_until"))
    if rules.authority_may_shorten and told is not None and told < last:
        rule, last = AUTHORITY, told
    return Window(rule=rule, last=last, repair_from=add_months(decided_on, own.minimum_months))


def severity_of(kind: str, facts: Mapping[str, object], decided_on: date, rules: Rules) -> str:
    """The severity that the authority gave, or that of the heaviest type of penalty where it is heavier."""
    given, types = str(facts.get("severity", "")), facts.get("penalty_types")
    if kind != "Penalty" or given not in _GRAVITY or not isinstance(types, list):
        return given
    found = [tier.severity for tier in rules.tiers if tier.penalty_type in types and tier.span.covers(decided_on)]
    return max([given, *found], key=_GRAVITY.index)


def published_until(
    kind: str, subject_kind: str, facts: Mapping[str, object], decided_on: date, rules: Rules
) -> date | None:
    """The last day on which a permit or penalty is published; None when it never is.

    A permit is published while it is valid; a penalty within its window; one of warnings alone is not published.
    """
    if subject_kind not in ORGANISATION_KINDS:
        return None
    if kind == "Permit":
        return None if facts.get("state") == "INVALID" else _day(facts.get("valid_until")) or date.max
    types = facts.get("penalty_types")
    window = window_of(kind, facts, decided_on, rules)
    if window is None or (isinstance(types, list) and rules.unscored_penalty_types.issuperset(types)):
        return None
    return window.last


def _rule_on(kind: str, severity: str, day: date, domain: str, rules: Rules) -> PublicityRule | None:
    """The row in force on a day; one for the sector goes before one for all."""
    for rule in rules.periods.get((kind, severity), ()):
        if rule.span.covers(day) and (not rule.domains or domain in rule.domains):
            return rule
    return None


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
