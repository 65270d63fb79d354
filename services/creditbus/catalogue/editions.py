"""Editions: a catalogue as canonical bytes with a hash, and the rules that decisions get from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from creditbus.catalogue.loader import code_lists_of, own_reasons
from creditbus.catalogue.models import Catalogue, Dated, Named, PublicityRow, Reasons, Region, Wording
from creditbus.catalogue.working_calendar import read_working_calendar
from creditbus.core.identifiers import AuthorityTypes, RegionSpan, RegionTable, synthetic_uscc
from creditbus.core.outcome import Reason
from creditbus.core.rules import (
    BreakerRule,
    Department,
    Grade,
    IncentiveRule,
    Instrument,
    Item,
    KeptOut,
    ListRule,
    MeasureRule,
    PointRule,
    PublicityRule,
    ReasonText,
    RepairRule,
    RequiredFact,
    Restriction,
    RetentionRule,
    Rules,
    ScoreRules,
    Span,
    SubscriberRule,
    TermRule,
    Text,
    TierRule,
    TransitionRule,
)


@dataclass(frozen=True, slots=True)
class Edition:
    """A catalogue as it goes on the log."""

    hash: str
    """SHA-256 of the text, hex."""
    text: bytes
    """Canonical JSON: sorted keys, no spaces, UTF-8."""


def edition_of(catalogue: Catalogue) -> Edition:
    """The edition of a catalogue; the same data gives the same hash on every machine."""
    values = catalogue.model_dump(mode="json", by_alias=True)
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return named(text)


def named(text: bytes) -> Edition:
    """The edition of a text, whether this release can read it or not."""
    return Edition(hashlib.sha256(text).hexdigest(), text)


def catalogue_from(text: bytes) -> Catalogue:
    """The catalogue of an edition's text."""
    return Catalogue.model_validate_json(text)


def authority_code(region: str, sequence: int) -> str:
    """Synthetic unified code of a department of the catalogue; fictitious by construction."""
    return synthetic_uscc("11", region, sequence)


def compile_rules(edition: Edition) -> Rules:
    """What intake and dossier decide with."""
    catalogue = catalogue_from(edition.text)
    return Rules(
        edition=edition.hash,
        regions=RegionTable(spans={row.code: _region(row) for row in catalogue.regions}),
        authority_types=AuthorityTypes(classes={row.code: row.subject_class for row in catalogue.authority_types}),
        departments=_departments(catalogue),
        items=_items(catalogue),
        instruments={
            row.code: Instrument(code=row.code, name=_name(row), level=row.level, span=_span(row), region=row.region)
            for row in catalogue.instruments
        },
        lists=_lists(catalogue),
        measures=tuple(_measures(catalogue)),
        score=_score(catalogue),
        publicity=tuple(_publicity(row) for row in catalogue.publicity.rows),
        code_lists={name: frozenset(values) for name, values in code_lists_of(catalogue).items()},
        reasons=_reasons(catalogue),
        calendar=read_working_calendar(catalogue.calendar),
        unscored_penalty_types=frozenset(catalogue.publicity.unscored_penalty_types),
        tiers=tuple(
            TierRule(penalty_type=row.type, severity=row.severity, span=_span(row)) for row in catalogue.publicity.tiers
        ),
        transitions=tuple(_transitions(catalogue)),
        authority_may_shorten=catalogue.publicity.authority_may_shorten,
        required=_required(catalogue),
        terms=tuple(
            TermRule(
                term=row.term,
                region=row.region,
                working_days=row.working_days,
                extended_working_days=row.extended,
                alert=row.alert,
                suspends=row.suspends,
                near_working_days=row.near,
            )
            for row in catalogue.terms
        ),
        breakers=tuple(_breakers(catalogue)),
        incentives=tuple(_incentives(catalogue)),
        deserving=_deserving(catalogue),
        subscribers=tuple(_subscribers(catalogue)),
        repair=tuple(_repair(catalogue)),
        restrictions=tuple(_restrictions(catalogue)),
        retention=tuple(_retention(catalogue)),
        kept_out=tuple(_kept_out(catalogue)),
        raters={row.code: frozenset(row.raters) for row in catalogue.ratings},
    )


def _required(catalogue: Catalogue) -> Mapping[str, tuple[RequiredFact, ...]]:
    found: dict[str, tuple[RequiredFact, ...]] = {}
    for row in catalogue.required:
        fact = RequiredFact(field=row.field, value=row.value, needs=row.needs)
        found[row.kind] = (*found.get(row.kind, ()), fact)
    return found


def _publicity(row: PublicityRow) -> PublicityRule:
    return PublicityRule(
        code=row.code,
        kind=row.kind,
        severity=row.severity,
        minimum_months=row.minimum_months,
        maximum_months=row.maximum_months,
        span=_span(row),
        domains=frozenset(row.domains),
    )


def _transitions(catalogue: Catalogue) -> Iterable[TransitionRule]:
    periods = {row.code: row for row in catalogue.publicity.rows}
    for row in catalogue.publicity.transitions:
        yield TransitionRule(code=row.code, earlier=row.earlier, later=_publicity(periods[row.later]))


def _breakers(catalogue: Catalogue) -> Iterable[BreakerRule]:
    for row in catalogue.breakers:
        yield BreakerRule(
            code=row.code,
            source=row.source,
            window_hours=row.window_hours,
            soft=row.soft,
            hard=row.hard,
            wait_seconds=row.wait_seconds,
            span=_span(row),
        )


def _repair(catalogue: Catalogue) -> Iterable[RepairRule]:
    for row in catalogue.repair:
        yield RepairRule(
            code=row.code,
            condition=row.condition,
            name=_name(row),
            kinds=frozenset(row.kinds),
            lists=frozenset(row.lists),
            span=_span(row),
        )


def _restrictions(catalogue: Catalogue) -> Iterable[Restriction]:
    for row in catalogue.restricted:
        yield Restriction(
            code=row.code,
            name=_name(row),
            effect=row.effect,
            words=row.words,
            subject_kinds=frozenset(row.subjects),
            allowed_by=frozenset(row.allowed_by),
            span=_span(row),
        )


def _retention(catalogue: Catalogue) -> Iterable[RetentionRule]:
    for row in catalogue.retention:
        if row.deletes:
            yield RetentionRule(
                code=row.code,
                deletes=row.deletes,
                subject_kinds=frozenset(row.subjects),
                lists=frozenset(row.lists),
                years=row.years,
                working_days=row.working_days,
            )


def _kept_out(catalogue: Catalogue) -> Iterable[KeptOut]:
    for row in catalogue.kept_out:
        yield KeptOut(
            code=row.code,
            name=_name(row),
            kind=row.kind,
            subject_kinds=frozenset(row.subjects),
            field=row.field,
            values=frozenset(row.values),
            span=_span(row),
        )


def _departments(catalogue: Catalogue) -> dict[str, Department]:
    return {
        row.code: Department(
            code=row.code,
            name=_name(row),
            domain=row.domain,
            region=row.region,
            authorities=frozenset({authority_code(row.region, row.sequence)}),
            items=frozenset(row.items),
            span=_span(row),
        )
        for row in catalogue.departments
    }


def _items(catalogue: Catalogue) -> dict[str, Item]:
    return {
        row.code: Item(
            code=row.code,
            name=_name(row),
            kinds=frozenset(row.kinds),
            subject_kinds=frozenset(row.subjects),
            nature=row.nature,
            needs_basis=row.needs_basis,
            report_within_working_days=row.report_within,
            span=_span(row),
            providers=frozenset(row.providers),
            takes=tuple((name, frozenset(values)) for name, values in sorted(row.takes.items())),
            region=row.region,
        )
        for row in catalogue.items
    }


def _lists(catalogue: Catalogue) -> dict[str, ListRule]:
    return {
        row.code: ListRule(
            code=row.code,
            name=_name(row),
            severe=row.severe,
            entry_kinds=frozenset(row.entry_kinds),
            authorities_domains=frozenset(row.domains),
            subject_kinds=frozenset(row.subjects),
            term_months=row.term_months,
            attested=frozenset(row.attested),
            steps=tuple(step for step in ("notice", "heard", "served") if step in row.steps),
            basis=row.basis,
            reason_code=row.reason,
            span=_span(row),
            grounds={one.ground: one.term_months for one in catalogue.grounds if one.list == row.code},
            earliest_exit_months=row.earliest_exit_months,
            extension_months=row.extension_months,
            proposes=row.proposes or "",
            is_order=row.nature == "ORDER",
            proposes_after_months=row.proposes_after_months or 0,
            region=row.region,
        )
        for row in catalogue.lists
    }


def _measures(catalogue: Catalogue) -> Iterable[MeasureRule]:
    for row in catalogue.measures:
        yield MeasureRule(
            code=row.code,
            family=row.family,
            name=_name(row),
            lists=frozenset(row.lists),
            subject_kinds=frozenset(row.subjects),
            binding=row.binding,
            executor=row.executor,
            basis=row.basis,
            span=_span(row),
            effect=row.effect,
            region=row.region,
        )


def _incentives(catalogue: Catalogue) -> Iterable[IncentiveRule]:
    if "EMIT_OFFER" not in catalogue.reasons.messages:
        return  # editions of before incentives were sent have them to look at only
    for row in catalogue.incentives:
        yield IncentiveRule(
            code=row.code,
            family=row.code.partition("-")[0],
            name=_name(row),
            deserving=frozenset(row.deserving),
            binding=row.binding,
            executor=row.executor,
            basis=row.basis,
            span=_span(row),
        )


def _deserving(catalogue: Catalogue) -> dict[str, Text]:
    """Names of honours, and of grades as SCHEME:GRADE."""
    grades = {
        f"{row.code}:{grade}": Text(zh=f"{row.zh}{grade}", en=f"{row.en or row.zh} {grade}")
        for row in catalogue.ratings
        for grade in row.grades
    }
    return {row.code: _name(row) for row in catalogue.honours} | grades


def _subscribers(catalogue: Catalogue) -> Iterable[SubscriberRule]:
    for row in catalogue.subscribers:
        yield SubscriberRule(
            code=row.code,
            department=row.department,
            families=frozenset(row.families),
            persons=row.persons,
            span=_span(row),
        )


def _score(catalogue: Catalogue) -> ScoreRules:
    score = catalogue.score
    return ScoreRules(
        base=score.base,
        floor=score.floor,
        ceiling=score.ceiling,
        dimension_caps=dict(score.dimension_caps),
        grades=tuple(Grade(code=g.code, name=Text(zh=g.zh, en=g.en), minimum=g.minimum) for g in score.grades),
        severe_list_grade=score.severe_list_grade,
        points=tuple(
            PointRule(
                code=row.code,
                reason=row.reason,
                dimension=row.dimension,
                kind=row.kind,
                match=tuple((name, frozenset(values)) for name, values in sorted(row.match.items())),
                points=row.points,
                decays=row.decays,
                span=_span(row),
            )
            for row in score.points
        ),
        scored_kinds=frozenset(score.scored_subjects),
    )


def _reasons(catalogue: Catalogue) -> dict[str, ReasonText]:
    texts = catalogue.reasons
    parts = (_later_faults(texts), texts.score, texts.messages, texts.faults)
    return {code: _wording(one) for part in parts for code, one in part.items()}


def _later_faults(texts: Reasons) -> Mapping[str, Wording]:
    """Texts for refusals that were unknown when an edition was made; what is refused is not the edition's to say."""
    lacking = {one.value for one in Reason} - texts.faults.keys()
    return {code: own_reasons().faults[code] for code in lacking}


def _wording(one: Wording) -> ReasonText:
    return ReasonText(text=Text(zh=one.zh, en=one.en), remedy=Text(zh=one.remedy_zh, en=one.remedy_en))


def _region(row: Region) -> RegionSpan:
    ends = row.until + timedelta(days=1) if row.until is not None else None
    return RegionSpan(valid_from=row.since, valid_to=ends, successor=row.successor)


def _name(row: Named) -> Text:
    return Text(zh=row.zh, en=row.en or row.zh)


def _span(row: Dated) -> Span:
    return Span(since=row.since, until=row.until)
