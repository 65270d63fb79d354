"""What of an organisation is published on a day (公示): open data holds nothing else, and nothing about persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from creditbus.core.events import ORGANISATION_KINDS
from creditbus.core.rules import Rules
from creditbus.core.score import add_months, publicity_of


def published_until(
    kind: str, subject_kind: str, facts: Mapping[str, object], decided_on: date, rules: Rules
) -> date | None:
    """The last day on which a permit or penalty is published; None when it never is.

    A permit is published while it is valid. A penalty is published for the longest period of its severity under the
    rule of its day, or until the day that its authority set, if earlier; one of warnings alone is not published.
    """
    if subject_kind not in ORGANISATION_KINDS:
        return None
    if kind == "Permit":
        return None if facts.get("state") == "INVALID" else _day(facts.get("valid_until")) or date.max
    types = facts.get("penalty_types")
    rule = publicity_of(rules, kind, str(facts.get("severity", "")), decided_on)
    if rule is None or (isinstance(types, list) and rules.unscored_penalty_types.issuperset(types)):
        return None
    last = add_months(decided_on, rule.maximum_months)
    return min(last, _day(facts.get("publish_until")) or last)


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
