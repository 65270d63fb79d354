"""Repair (信用修复): its conditions, and the notice how to repair that has to come with the decision (两书同达).

An application that comes too early or lacks a condition is answered with what it lacks, and the office decides about it
all the same. What an office grants takes effect whatever it lacks, since a decision in favour is never withheld; the
supervising office is told. Rows of repair.yaml; domain.md 5.2 and 3.3.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from creditbus.core.alerts import REPAIR_IRREGULAR, REPAIR_UNMET, About, subject_alert
from creditbus.core.context import Context
from creditbus.core.records import CreditRecord, date_of
from creditbus.core.rules import RepairRule, Rules, Text
from creditbus.core.state import ACTIVE, ListingState, Summary, TermState
from creditbus.core.subject import Facts, SubjectView
from creditbus.core.terms import REPAIR_ACCEPTANCE, REPAIR_DECISION, closed_terms, open_terms

REPAIR_TERMS = (REPAIR_ACCEPTANCE, REPAIR_DECISION)
_NOTICE, _TIME = "NOTICE", "TIME"
_GIVEN_BY = {"PERFORMANCE": "performed_on", "COMMITMENT": "commitment"}
"""Fact of a repair that says that a condition is met."""
_TOO_EARLY = "REPAIR_TOO_EARLY"


class Unmet(NamedTuple):
    """What a repair lacks."""

    rules: tuple[RepairRule, ...] = ()
    ask_from: int | None = None
    """First day on which it may be asked for, where that lies ahead."""

    @property
    def conditions(self) -> list[str]:
        """TIME, PERFORMANCE, COMMITMENT."""
        return [rule.condition for rule in self.rules]

    @property
    def named(self) -> Text:
        """The conditions in words."""
        return Text(zh="、".join(one.name.zh for one in self.rules), en=", ".join(one.name.en for one in self.rules))


def needs_notice(kind: str, facts: Facts, decided_on: date, rules: Rules) -> bool:
    """Whether a decision has to come with the notice how to repair (两书同达); one that takes off a list need not."""
    if facts.get("action") == "DELIST":
        return False
    return any(one.condition == _NOTICE and kind in one.kinds and one.span.covers(decided_on) for one in rules.repair)


def lacks_notice(record: CreditRecord, facts: Facts, rules: Rules) -> bool:
    """Whether the notice had to come and did not."""
    if facts.get("repair_notice_on") is not None:
        return False
    return needs_notice(record.kind, facts, date_of(record.decided_on), rules)


def given_by(facts: Facts) -> list[str]:
    """Conditions that the facts of a repair say to be met."""
    return [condition for condition, name in _GIVEN_BY.items() if facts.get(name)]


def unmet_of(summary: Summary, about: tuple[str, str], day: int, given: list[str], rules: Rules) -> Unmet:
    """What a repair lacks on a day. about: natural key and kind of what is repaired."""
    key, kind = about
    over = next((one for one in summary.repairable if one.natural_key == key), None)
    listed = over.list_code if isinstance(over, ListingState) else ""
    from_day = over.repair_from if over is not None else None
    is_early = from_day is not None and day < from_day
    lacking = tuple(
        one
        for one in rules.repair
        if one.condition != _NOTICE
        and (listed in one.lists if listed else kind in one.kinds)
        and one.span.covers(date_of(day))
        and (is_early if one.condition == _TIME else one.condition not in given)
    )
    return Unmet(lacking, from_day if any(one.condition == _TIME for one in lacking) else None)


def unmet_by(summary: Summary, state: TermState, rules: Rules) -> Unmet:
    """What the application that opened a term lacks; as what it is about stands now, corrections included."""
    if state.term not in REPAIR_TERMS:
        return Unmet()
    return unmet_of(summary, (state.key, state.target_kind), state.since, state.given, rules)


def answer_application(view: SubjectView, record: CreditRecord, key: str, facts: Facts, ctx: Context) -> None:
    """Note what an application says of its conditions, and answer what it lacks and from when it may be asked for."""
    summary, row = view.summary, view.row(key)
    for state in (*summary.terms, *closed_terms(summary)):
        if state.opened_by == record.natural_key and state.term in REPAIR_TERMS:
            state.target_kind, state.given = row.kind if row is not None else "", given_by(facts)
    asked = [one for one in open_terms(summary, key, *REPAIR_TERMS) if one.opened_by == record.natural_key]
    if asked:
        unmet = unmet_by(summary, asked[0], ctx.rules)
        _tell(summary, record, REPAIR_UNMET, _TOO_EARLY if unmet.ask_from is not None else REPAIR_UNMET, unmet, ctx)


def watch_grant(view: SubjectView, record: CreditRecord, key: str, facts: Facts, ctx: Context) -> None:
    """A repair is granted: it takes effect; the supervising office is told what it lacks."""
    summary, row = view.summary, view.row(key)
    if row is None or row.state != ACTIVE:
        return
    applied = [condition for one in open_terms(summary, key, *REPAIR_TERMS) for condition in one.given]
    unmet = unmet_of(summary, (key, row.kind), record.decided_on, [*given_by(facts), *applied], ctx.rules)
    _tell(summary, record, REPAIR_IRREGULAR, REPAIR_IRREGULAR, unmet, ctx)


def _tell(  # noqa: PLR0913 - kind and text differ
    summary: Summary, record: CreditRecord, kind: str, text_code: str, unmet: Unmet, ctx: Context
) -> None:
    if not unmet.rules:
        return
    text, named = ctx.rules.reasons[f"EMIT_{text_code}"].text, unmet.named
    from_day = date_of(unmet.ask_from).isoformat() if unmet.ask_from is not None else ""
    facts = {"name": summary.name, "document": record.document_number, "from_day": from_day}
    words = (text.zh.format(conditions=named.zh, **facts), text.en.format(conditions=named.en, **facts))
    about = About(record.record_id, record.region, [], record.fictitious)
    ctx.emissions.append(subject_alert(summary, kind, about, words, record.record_id, ctx.now_ms))
