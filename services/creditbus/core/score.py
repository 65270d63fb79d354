"""The score of a legal person: deterministic integers from entries, each with its reason.

Natural persons and sole traders have no score: ``score_subject`` answers None for them whatever their entries.
Source: domain.md 6 (base minus deductions, linear decay over the publicity window, caps per dimension,
grade ceiling from severe lists); every number is data of the edition in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from creditbus.core.hashing import digest
from creditbus.core.publication import OWN_PERIOD, Window, window_of
from creditbus.core.records import CreditRecord, date_of, day_of
from creditbus.core.rules import PointRule, Rules
from creditbus.core.state import Entry, Summary


class Part(msgspec.Struct, frozen=True, gc=False):
    """What one entry does to the score today."""

    entry: Entry
    points: int
    """After decay and cap."""


class Score(msgspec.Struct, frozen=True):
    """A score with the parts that made it; the deductions first, largest first."""

    score: int
    grade: str
    parts: tuple[Part, ...]
    receipt: str
    """Hash over edition, day, entries and result: the same inputs give the same receipt."""


def entry_of(record: CreditRecord, facts: Mapping[str, object], rules: Rules) -> Entry | None:
    """The entry that a record makes under the rules in force on its day, or None when it does not count."""
    decided_on = date_of(record.decided_on)
    rule = _matching_rule(record.kind, facts, decided_on, rules)
    if rule is None or rule.points == 0 or _is_kept_out(record.kind, facts, rules):
        return None
    department = rules.departments.get(record.sender)
    window = window_of(record.kind, facts, decided_on, rules, department.domain if department is not None else "")
    until, ends_by = _last_day(facts, window)
    return Entry(  # most in the order of its fields, which takes a fifth of the time
        record.record_id,
        record.natural_key,
        record.kind,
        record.authority,
        record.document_number,
        rule.code,
        rule.reason,
        rule.dimension,
        rule.points,
        rule.decays,
        record.decided_on,
        until,
        ends_by=ends_by,
        repair_from=day_of(window.repair_from) if window is not None else None,
    )


def points_on(entry: Entry, day: int) -> int:
    """Points of an entry on a day: linear decay towards zero at the end of its window, rounded towards zero."""
    if entry.disputed or entry.is_shielded or (entry.until is not None and day > entry.until):
        return 0
    if not entry.decays or entry.until is None or day <= entry.since:
        return entry.points
    window = entry.until + 1 - entry.since
    remaining = entry.until + 1 - day
    part = abs(entry.points) * remaining // window
    return part if entry.points > 0 else -part


def score_subject(summary: Summary, rules: Rules, day: int) -> Score | None:
    """The score on a day; None for a subject that must not be scored."""
    book = rules.score
    if summary.kind not in book.scored_kinds:
        return None
    parts = _capped(summary.entries, day, book.dimension_caps)
    total = max(book.floor, min(book.ceiling, book.base + sum(part.points for part in parts)))
    grade = next((g.code for g in book.grades if total >= g.minimum), book.grades[-1].code)
    if summary.is_grade_capped:
        grade = _worse(grade, book.severe_list_grade, [g.code for g in book.grades])
    return Score(total, grade, _shown(parts), _receipt(rules.edition, day, parts, (total, grade)))


def parts_on(summary: Summary, rules: Rules, day: int) -> tuple[Part, ...]:
    """The parts of a score on a day, as ``Score`` has them; none for a subject that must not be scored."""
    book = rules.score
    if summary.kind not in book.scored_kinds:
        return ()
    return _shown(_capped(summary.entries, day, book.dimension_caps))


def _matching_rule(kind: str, facts: Mapping[str, object], day: date, rules: Rules) -> PointRule | None:
    for rule in rules.score.points_of.get(kind, ()):
        if rule.span.covers(day) and (not rule.match or all(str(facts.get(f)) in values for f, values in rule.match)):
            return rule
    return None


def _is_kept_out(kind: str, facts: Mapping[str, object], rules: Rules) -> bool:
    """Whatever is not final, and warnings and criticism alone, do not count (domain.md 3.1, 5.1)."""
    if facts.get("is_final") is False:
        return True
    if kind != "Penalty":
        return False
    types = facts.get("penalty_types")
    only_mild = isinstance(types, Sequence) and bool(types) and set(types) <= rules.unscored_penalty_types
    return only_mild or facts.get("procedure") == "SIMPLIFIED"


def _last_day(facts: Mapping[str, object], window: Window | None) -> tuple[int | None, str]:
    """Last day on which a record counts, and the rule that makes it: its own period, or its publicity."""
    valid_until = facts.get("valid_until")
    if isinstance(valid_until, date):
        return day_of(valid_until), OWN_PERIOD
    return (day_of(window.last), window.rule) if window is not None else (None, "")


def _capped(entries: Sequence[Entry], day: int, caps: Mapping[str, int]) -> list[Part]:
    """What each entry does on a day: the deductions of each dimension are cut at its cap, the largest first."""
    parts = sorted([Part(entry, points_on(entry, day)) for entry in entries], key=_rank)
    left = dict(caps)
    for place, part in enumerate(parts):
        if part.points >= 0:
            break
        dimension = part.entry.dimension
        cap = left.get(dimension)
        if cap is None:
            continue
        taken = max(part.points, -cap)
        left[dimension] = cap + taken
        if taken != part.points:
            parts[place] = Part(part.entry, taken)
    return parts


def _shown(parts: Sequence[Part]) -> tuple[Part, ...]:
    """What changes the score; a cap may have changed the order."""
    return tuple(sorted([part for part in parts if part.points], key=_rank))


def _rank(part: Part) -> tuple[int, str]:
    """The largest deduction first."""
    return part.points, part.entry.record_id


def _worse(one: str, other: str, order: Sequence[str]) -> str:
    """The worse of two grades; ``order`` runs from best to worst."""
    return max(one, other, key=order.index)


def _receipt(edition: str, day: int, parts: Sequence[Part], result: tuple[int, str]) -> str:
    lines = [f"{p.entry.record_id} {p.entry.rule} {p.points}" for p in parts]
    return digest("receipt", edition, str(day), *lines, str(result[0]), result[1])
