"""Rules in force: the values that decisions consume, compiled from one edition of the catalogue.

Nothing here reads a file: ``catalogue`` validates the data and builds these values, the log names the
edition by its hash, and whoever decides gets a ``Rules`` as an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from creditbus.core.calendar import WorkingCalendar
from creditbus.core.events import ORGANISATION_KINDS, PERSON_KINDS
from creditbus.core.identifiers import AuthorityTypes, RegionTable, lies_in

_ALL_KINDS = ORGANISATION_KINDS | PERSON_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days on which a row of the catalogue is in force; ``until`` is the last such day, None = open."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the row is in force on that day."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that people read, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A member of the federation that may send events (成员单位)."""

    code: str
    name: Text
    domain: str
    region: str
    authorities: frozenset[str]
    """Unified codes under which it decides."""
    items: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of the catalogue of public credit information (公共信用信息目录)."""

    code: str
    name: Text
    kinds: frozenset[str]
    subject_kinds: frozenset[str]
    nature: str
    """BASIC 基础, ADVERSE 失信 or POSITIVE 守信."""
    needs_basis: bool
    report_within_working_days: int
    span: Span
    providers: frozenset[str] = frozenset()
    """Domains whose departments send it; empty: every department."""
    takes: tuple[tuple[str, frozenset[str]], ...] = ()
    """(fact, values) that its events are limited to."""
    region: str = ""
    """Region that supplements the catalogue with it (地方补充目录); "" = the whole autonomous region's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A legal instrument (法律法规规章) that a decision can rest on."""

    code: str
    name: Text
    level: str
    """CONSENT is no law: it lets be recorded what needs consent, and is no basis of a decision."""
    span: Span
    region: str = ""
    """Region that it holds in; "" = everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """A list of dishonest subjects (失信名单) with statutory basis."""

    code: str
    name: Text
    severe: bool
    entry_kinds: frozenset[str]
    """Kinds of event that list: ListDecision, or of courts CourtEnforcement and RestrictionOrder."""
    authorities_domains: frozenset[str]
    """Domains whose departments may decide it."""
    subject_kinds: frozenset[str]
    term_months: int | None
    """Months after which a listing ends by itself; None = until the authority removes it."""
    attested: frozenset[str]
    """Steps that may be attested inside the decision: notice, heard, served."""
    steps: tuple[str, ...] = field(default=(), kw_only=True)
    """Steps without which a listing has no effect, in their order."""
    basis: tuple[str, ...]
    reason_code: str
    span: Span
    grounds: Mapping[str, int | None] = field(default_factory=dict)
    """Months by ground, where grounds have terms of their own; None = until the duty is performed."""
    earliest_exit_months: int | None = None
    """Months after which its removal may be asked for."""
    extension_months: tuple[int, int] | None = None
    """By how many months, from and to, a decision may lengthen its term; None = no row says so."""
    proposes: str = ""
    """List for which whoever stays so long is proposed to the authority; "" for none."""
    proposes_after_months: int = 0
    is_order: bool = False
    """No list, but an order of a court against one subject (限制消费令)."""
    region: str = ""
    """Region whose departments decide it; "" = everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRule:
    """A catalogued measure (失信惩戒措施) that follows from being on a list."""

    code: str
    family: str
    name: Text
    lists: frozenset[str]
    subject_kinds: frozenset[str]
    binding: str
    """MANDATORY for organs, ADVISORY for market bodies and associations."""
    executor: str
    basis: tuple[str, ...]
    span: Span
    """A measure may be applied to conduct only if it was published by then."""
    effect: str = ""
    """RIGHTS (takes rights or adds duties), MANAGEMENT or MARKET; "" in editions of before it was told."""
    region: str = ""
    """Region where it follows from a decision; "" = everywhere."""

    def follows(self, list_code: str, subject_kind: str) -> bool:
        """Whether it follows from being on a list, for subjects of a kind."""
        return list_code in self.lists and subject_kind in self.subject_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class IncentiveRule:
    """A catalogued incentive (守信激励措施) that follows from an honour or a grade."""

    code: str
    family: str
    name: Text
    deserving: frozenset[str]
    """Honours by code, and grades as SCHEME:GRADE."""
    binding: str
    """OFFER for organs, ADVISORY for market bodies."""
    executor: str
    basis: tuple[str, ...]
    span: Span

    def follows(self, deserved_by: str, day: date) -> bool:
        """Whether it follows from an honour or a grade of a day."""
        return deserved_by in self.deserving and self.span.covers(day)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRule:
    """A department that carries out measures (惩戒措施实施单位), and so answers each order and each lift."""

    code: str
    department: str
    families: frozenset[str]
    persons: bool
    """Whether it carries them out against natural persons and sole traders too."""
    span: Span

    def carries_out(self, family: str, subject_kind: str) -> bool:
        """Whether measures of a family against a kind of subject are its own."""
        return family in self.families and (self.persons or subject_kind not in PERSON_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRule:
    """Points that a record takes off or adds to the score of a legal person."""

    code: str
    reason: str
    dimension: str
    kind: str
    match: tuple[tuple[str, frozenset[str]], ...]
    """Facts that must have one of these values, e.g. (("severity", {"SERIOUS"}),)."""
    points: int
    """Negative for a deduction."""
    decays: bool
    """Linear to zero at the end of the window."""
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A grade of the score, from ``minimum`` points up."""

    code: str
    name: Text
    minimum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRules:
    """How a score is made: base, bounds, caps per dimension, grades from best to worst."""

    base: int
    floor: int
    ceiling: int
    dimension_caps: Mapping[str, int]
    """Largest total deduction of a dimension, as a positive number."""
    grades: tuple[Grade, ...]
    severe_list_grade: str
    """Grade ceiling while on a severe list."""
    points: tuple[PointRule, ...]
    scored_kinds: frozenset[str]
    """Subject kinds that are scored: legal persons only."""
    points_of: Mapping[str, tuple[PointRule, ...]] = field(init=False)
    """The point rules of each kind of record that has one; the facts of others need not be read."""

    def __post_init__(self) -> None:
        kinds = {rule.kind for rule in self.points}
        by_kind = {kind: tuple(rule for rule in self.points if rule.kind == kind) for kind in sorted(kinds)}
        object.__setattr__(self, "points_of", by_kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicityRule:
    """How long a penalty is published (公示期) when decided within the span."""

    code: str
    kind: str
    severity: str
    minimum_months: int
    maximum_months: int
    span: Span
    domains: frozenset[str] = frozenset()
    """Sectors that it is for; empty: all that have no row of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """A type of penalty that makes its decision at least so severe (处罚种类与程度)."""

    penalty_type: str
    severity: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRule:
    """A later publicity rule that holds for decisions under an earlier one where it is milder (从旧兼从轻)."""

    code: str
    earlier: str
    """Code of the earlier rule."""
    later: PublicityRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRule:
    """Within how many working days somebody has to act (办理期限), and what follows when nobody does."""

    term: str
    region: str
    """GB/T 2260 code of the region, league or county that it holds for."""
    working_days: tuple[int, ...]
    """One length, or several: each later one reminds again."""
    extended_working_days: int | None
    """Length when the office extends it; None = it may not."""
    alert: str
    """Kind of the alert when it is missed."""
    suspends: bool
    """What the disputed fact causes is suspended when it is missed."""
    near_working_days: int | None = None
    """So many working days before the last day the office is reminded; None = it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """How many listings a source decides at most in ordinary times (熔断阈值)."""

    code: str
    source: str
    """Code of a department, of a domain, or "*" for everybody."""
    window_hours: int
    soft: int
    """More than so many within the window: effects wait for ``wait_seconds``."""
    hard: int
    """More than so many: effects wait for two officers."""
    wait_seconds: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredFact:
    """A fact that an event needs when another fact has a value (前提条件)."""

    field: str
    value: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRule:
    """A condition of repair, or the notice how to repair that comes with a decision (信用修复)."""

    code: str
    condition: str
    """NOTICE, TIME, PERFORMANCE or COMMITMENT."""
    name: Text
    kinds: frozenset[str]
    lists: frozenset[str]
    span: Span
    """Days of the decision for NOTICE, of the application or the grant for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What may not be recorded of somebody (禁止或限制归集)."""

    code: str
    name: Text
    effect: str
    """NEVER, CONSENT (unless consent is quoted) or STATUTE (unless a statute that allows it is)."""
    words: tuple[str, ...]
    subject_kinds: frozenset[str]
    allowed_by: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOut:
    """A fact that is not collected at all (不予归集)."""

    code: str
    name: Text
    kind: str
    subject_kinds: frozenset[str]
    field: str
    values: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """What is deleted when its time is over (保存期限)."""

    code: str
    deletes: str
    """ADVERSE facts, entries of a LIST, or decisions that were REVOKED."""
    subject_kinds: frozenset[str]
    """Of whom; empty: of everybody."""
    lists: frozenset[str]
    years: int
    working_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonText:
    """What a reason code says and how it is mended."""

    text: Text
    remedy: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that intake and dossier decide with, of one edition."""

    edition: str
    regions: RegionTable
    authority_types: AuthorityTypes
    departments: Mapping[str, Department]
    items: Mapping[str, Item]
    instruments: Mapping[str, Instrument]
    lists: Mapping[str, ListRule]
    measures: tuple[MeasureRule, ...]
    score: ScoreRules
    publicity: tuple[PublicityRule, ...]
    code_lists: Mapping[str, frozenset[str]]
    """Allowed values by field path, e.g. "Penalty.severity"."""
    reasons: Mapping[str, ReasonText]
    """Texts of reason codes of score and listing, and of the faults of intake."""
    calendar: WorkingCalendar
    unscored_penalty_types: frozenset[str]
    """Penalties of only these types are kept out of publication and score."""
    tiers: tuple[TierRule, ...] = ()
    transitions: tuple[TransitionRule, ...] = ()
    authority_may_shorten: bool = False
    """Whether a fact counts no longer than its authority publishes it; false in editions of before that was told."""
    terms: tuple[TermRule, ...] = ()
    breakers: tuple[BreakerRule, ...] = ()
    incentives: tuple[IncentiveRule, ...] = ()
    deserving: Mapping[str, Text] = field(default_factory=dict)
    """Names of honours and grades, as incentives name them."""
    subscribers: tuple[SubscriberRule, ...] = ()
    """Editions of before there was a register have none: nobody is asked to answer, and anybody may."""
    required: Mapping[str, tuple[RequiredFact, ...]] = field(default_factory=dict)
    """By kind of event."""
    repair: tuple[RepairRule, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    restricted: re.Pattern[str] = field(init=False)
    """Any word of any restriction."""
    kept_out: tuple[KeptOut, ...] = ()
    retention: tuple[RetentionRule, ...] = ()
    """Rows that delete; editions of before they did have none."""
    deleted_kinds: frozenset[str] = field(init=False)
    """Kinds of subject whose adverse facts are deleted in time; the others' cost nothing on arrival."""
    raters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Domains whose departments may rate, by scheme."""
    periods: Mapping[tuple[str, str], tuple[PublicityRule, ...]] = field(init=False)
    """Publicity rules by kind and severity, those for sectors first."""

    def measures_after(self, list_code: str, subject_kind: str, region: str) -> tuple[MeasureRule, ...]:
        """Every measure that follows from being put on a list by a decision of a region, in the catalogue's order."""
        return tuple(
            measure
            for measure in self.measures
            if measure.follows(list_code, subject_kind) and lies_in(self.regions, region, measure.region)
        )

    def __post_init__(self) -> None:
        adverse = [rule for rule in self.retention if rule.deletes == "ADVERSE"]
        kinds = {kind for rule in adverse for kind in rule.subject_kinds or _ALL_KINDS}
        object.__setattr__(self, "deleted_kinds", frozenset(kinds))
        periods: dict[tuple[str, str], tuple[PublicityRule, ...]] = {}
        for rule in sorted(self.publicity, key=lambda one: not one.domains):
            key = (rule.kind, rule.severity)
            periods[key] = (*periods.get(key, ()), rule)
        object.__setattr__(self, "periods", periods)
        words = {re.escape(word) for rule in self.restrictions for word in rule.words}
        object.__setattr__(self, "restricted", re.compile("|".join(sorted(words)) or "(?!)"))
