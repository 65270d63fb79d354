"""The receipt of a score: every number that made it, the principal reasons, and the way back.

A receipt is a value that anybody can recompute from the log: the same records, edition and day give the same bytes.
Natural persons and sole traders have none, since they have no score. Source: domain.md 6 (specific reasons, at most
four, each tied to records and a remedy; Reg B practice, Shenzhen Art. 29 and 39).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from creditbus.core.records import date_of
from creditbus.core.rules import Rules
from creditbus.core.score import Part, Score, points_on, score_subject
from creditbus.core.state import Entry, ListingState, Summary

MOST_REASONS = 4
_MOST_ENTRIES_FOR_SUBSETS = 12
"""Up to so many deductions every combination is tried; beyond, the largest are taken first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one record does to the score."""

    record_id: str
    document_number: str
    kind: str
    rule: str
    dimension: str
    rule_points: int
    """What the rule takes or gives on the first day."""
    decayed_points: int
    """What is left of it on this day."""
    points: int
    """What counts after the cap of its dimension."""
    running_sum: int
    disputed: bool
    since: str
    ends_on: str | None
    """Last day on which it counts; None = until something ends it."""
    ends_by: str
    """The rule that makes that day; "" where there is none."""
    repair_from: str | None
    """First day on which its repair may be asked for; None where no rule says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalReason:
    """One of the main reasons, with its remedy."""

    code: str
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str
    points: int
    record_ids: tuple[str, ...]
    ends_on: str | None
    """When it is gone by itself, if nothing else happens; None = not by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextGrade:
    """The smallest set of changes that reaches the next better grade."""

    grade: str
    minimum: int
    end_records: tuple[str, ...]
    """Records that would have to end (by repair, revocation or expiry)."""
    end_listings: tuple[str, ...]
    """Severe lists that the subject would have to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Why a legal person has this score on this day."""

    subject_key: str
    subject_name: str
    edition: str
    day: str
    base: int
    lines: tuple[Line, ...]
    sum: int
    """Base and points, before the bounds."""
    score: int
    grade: str
    grade_by_points: str
    """Without the ceiling of severe lists."""
    severe_lists: tuple[str, ...]
    reasons: tuple[PrincipalReason, ...]
    next_grade: NextGrade | None
    notices_owed: tuple[str, ...]
    """Document numbers of decisions that came without the notice how to repair (两书同达)."""
    receipt_hash: str
    """The hash that the dossier and its history carry."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, in the order of the fields."""
        return asdict(self)


def receipt_of(summary: Summary, rules: Rules, day: int) -> Receipt | None:
    """The receipt on a business day; None for a subject that must not be scored."""
    score = score_subject(summary, rules, day)
    if score is None:
        return None
    book = rules.score
    lines = _lines(summary, score, day, book.base)
    total = lines[-1].running_sum if lines else book.base
    return Receipt(
        subject_key=summary.subject_key,
        subject_name=summary.name,
        edition=rules.edition,
        day=date_of(day).isoformat(),
        base=book.base,
        lines=lines,
        sum=total,
        score=score.score,
        grade=score.grade,
        grade_by_points=_grade_of(rules, score.score),
        severe_lists=tuple(sorted({one.list_code for one in _severe(summary)})),
        reasons=_reasons(summary, score, rules),
        next_grade=_next_grade(summary, score, rules, day),
        notices_owed=tuple(sorted({one.document_number for one in summary.repairable if one.lacks_notice})),
        receipt_hash=score.receipt,
    )


def _lines(summary: Summary, score: Score, day: int, base: int) -> tuple[Line, ...]:
    """Every record that has a rule, what counts first; those that count nothing today stay visible."""
    counted = {part.entry.record_id: part.points for part in score.parts}
    order = [part.entry for part in score.parts]
    order += sorted((e for e in summary.entries if e.record_id not in counted), key=lambda e: e.record_id)
    lines, running = [], base
    for entry in order:
        points = counted.get(entry.record_id, 0)
        running += points
        lines.append(_line(entry, points, running, day))
    return tuple(lines)


def _line(entry: Entry, points: int, running: int, day: int) -> Line:
    return Line(
        record_id=entry.record_id,
        document_number=entry.document_number,
        kind=entry.kind,
        rule=entry.rule,
        dimension=entry.dimension,
        rule_points=entry.points,
        decayed_points=points_on(entry, day),
        points=points,
        running_sum=running,
        disputed=entry.disputed,
        since=date_of(entry.since).isoformat(),
        ends_on=_iso(entry.until),
        ends_by=entry.ends_by,
        repair_from=_iso(entry.repair_from),
    )


def _reasons(summary: Summary, score: Score, rules: Rules) -> tuple[PrincipalReason, ...]:
    """Severe lists first, since they cap the grade; then deductions by code, the largest first."""
    by_list: dict[tuple[str, str], list[ListingState]] = {}
    for listing in _severe(summary):
        by_list.setdefault((listing.reason, listing.list_code), []).append(listing)
    by_code: dict[str, list[Part]] = {}
    for part in score.parts:
        if part.points < 0:
            by_code.setdefault(part.entry.reason, []).append(part)
    reasons = [
        _reason(rules, (code, name), 0, [one.record_id for one in same], _last_of([one.until for one in same]))
        for (code, name), same in by_list.items()
    ]
    deductions = [
        _reason(
            rules,
            (code, None),
            sum(part.points for part in parts),
            [part.entry.record_id for part in parts],
            _last_of([part.entry.until for part in parts]),
        )
        for code, parts in by_code.items()
    ]
    reasons += sorted(deductions, key=lambda one: (one.points, one.code))
    return tuple(reasons[:MOST_REASONS])


def _reason(
    rules: Rules, what: tuple[str, str | None], points: int, records: list[str], until: int | None
) -> PrincipalReason:
    """what: code of the reason, and of the list that it is about."""
    words = rules.reasons[what[0]]
    rule = rules.lists.get(what[1]) if what[1] is not None else None
    name = rule.name if rule is not None else None
    return PrincipalReason(
        code=what[0],
        text_zh=f"{words.text.zh}：{name.zh}" if name else words.text.zh,
        text_en=f"{words.text.en}: {name.en}" if name else words.text.en,
        remedy_zh=words.remedy.zh,
        remedy_en=words.remedy.en,
        points=points,
        record_ids=tuple(records),
        ends_on=_iso(until),
    )


def _next_grade(summary: Summary, score: Score, rules: Rules, day: int) -> NextGrade | None:
    """The fewest deductions whose end, together with leaving severe lists, lifts the grade by one or more."""
    grades = [grade.code for grade in rules.score.grades]
    place = grades.index(score.grade)
    if place == 0:
        return None
    listings = tuple(sorted({one.list_code for one in _severe(summary)}))
    for ended in _sets([part.entry for part in score.parts if part.points < 0]):
        ids = {entry.record_id for entry in ended}
        left = _without(summary, ids)
        found = score_subject(left, rules, day)
        assert found is not None
        if grades.index(found.grade) < place:
            minimum = next(g.minimum for g in rules.score.grades if g.code == found.grade)
            return NextGrade(grade=found.grade, minimum=minimum, end_records=tuple(sorted(ids)), end_listings=listings)
    return None


def _without(summary: Summary, records: set[str]) -> Summary:
    """The subject off every severe list and without these records."""
    return Summary(
        subject_key=summary.subject_key,
        kind=summary.kind,
        name=summary.name,
        identifier=summary.identifier,
        region=summary.region,
        entries=[entry for entry in summary.entries if entry.record_id not in records],
    )


def _sets(entries: Sequence[Entry]) -> Sequence[tuple[Entry, ...]]:
    """Candidate sets, the smallest first; among equals those with the largest deductions (entries come sorted so)."""
    if len(entries) > _MOST_ENTRIES_FOR_SUBSETS:
        return [tuple(entries[:count]) for count in range(len(entries) + 1)]
    return [chosen for count in range(len(entries) + 1) for chosen in combinations(entries, count)]


def _severe(summary: Summary) -> list[ListingState]:
    return sorted(
        (one for one in summary.in_force if one.severe and not one.is_suspended), key=lambda one: one.listing_id
    )


def _grade_of(rules: Rules, score: int) -> str:
    grades = rules.score.grades
    return next((grade.code for grade in grades if score >= grade.minimum), grades[-1].code)


def _last_of(ends: Sequence[int | None]) -> int | None:
    """The day on which the last of them ends; None when one does not end by itself."""
    return None if None in ends else max(end for end in ends if end is not None)


def _iso(day: int | None) -> str | None:
    return None if day is None else date_of(day).isoformat()
