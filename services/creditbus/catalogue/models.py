"""What the rows of ``data/`` may hold. mark: S0 plan, V verified, C computed, GK unverified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mark = Literal["S0", "V", "C", "GK"]
SubjectKind = Literal["LEGAL_PERSON", "SOLE_TRADER", "NATURAL_PERSON", "ORGAN"]
PersonKind = Literal["SOLE_TRADER", "NATURAL_PERSON"]
ListStep = Literal["notice", "heard", "served"]
ALL_STEPS: frozenset[str] = frozenset(get_args(ListStep))
FIRST_DAY = date(1949, 10, 1)


class Dated(BaseModel):
    """A row that is in force from ``since`` to ``until``, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: date = FIRST_DAY
    until: date | None = None
    mark: Mark

    @model_validator(mode="after")
    def _in_order(self) -> Dated:
        if self.until is not None and self.until < self.since:
            raise ValueError("until lies before since; swap them or correct one")
        return self


class Named(Dated):
    """A dated row with a code and a name in both languages; English falls back to the Chinese name."""

    code: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = ""


class Region(Named):
    """A region (行政区划)."""

    level: Literal["REGION", "LEAGUE", "COUNTY", "SUMMARY", "ZONE", "RETIRED"]
    successor: str | None = None


class AuthorityType(Named):
    """First two characters of a unified code."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    subject_class: str = Field(alias="class")


class Department(Named):
    """A member of the federation (成员单位)."""

    domain: str
    region: str
    sequence: int = Field(ge=1)
    """Number from which its synthetic unified code is made."""
    items: tuple[str, ...] = ()


class FormerDepartment(Named):
    """A department of before a reform, and who does its work today (机构沿革)."""

    aliases: tuple[str, ...] = ()
    """Short names, as the plan uses them."""
    successors: tuple[str, ...] = Field(min_length=1)


class Item(Named):
    """An item of the catalogue (目录条目)."""

    kinds: tuple[str, ...] = Field(min_length=1)
    subjects: tuple[SubjectKind, ...] = Field(min_length=1)
    nature: Literal["BASIC", "ADVERSE", "POSITIVE"]
    needs_basis: bool
    report_within: int = Field(ge=1, le=60)
    sharing: Literal["public", "shared", "authorised"]
    providers: tuple[str, ...] = ()
    """Domains whose departments send it; empty: every department."""
    takes: Mapping[str, tuple[str, ...]] = {}
    """Values that coded facts of its events may have; what is not named may have any of its code list."""
    coverage: str = ""
    """Whom it covers (覆盖范围)."""
    valid: Literal["", "PUBLICITY", "OWN_PERIOD", "UNTIL_CHANGED", "UNTIL_REMOVED", "RETENTION"] = ""
    """What ends it (有效期): its publicity, its own period, a newer one, removal, or retention."""
    update: Literal["", "EVENT", "DAILY", "MONTHLY", "YEARLY"] = ""
    """How often it is brought up to date (更新频率)."""
    basis: tuple[str, ...] = ()
    """Instruments that let it be collected."""
    namespace: Literal["PUBLIC", "FINANCIAL"] = "PUBLIC"
    """Whether it is of the catalogue of public or of that of financial credit information (金融信用信息)."""
    conduct: str = ""
    """What conduct or fact it tells of (信用行为); told of supplements."""
    channel: str = ""
    """How it comes (来源渠道); told of supplements."""
    region: str = ""
    """Region that supplements the catalogue with it (地方补充目录)."""


class Instrument(Named):
    """A legal instrument (法律文件)."""

    level: Literal[
        "LAW", "ADMINISTRATIVE_REGULATION", "JUDICIAL_INTERPRETATION", "DEPARTMENT_RULE", "LOCAL_REGULATION",
        "LOCAL_RULE", "POLICY", "CONSENT",
    ]  # fmt: skip
    region: str = ""
    """Region that a local regulation holds in; empty: everywhere."""


class ListRow(Named):
    """A list (名单)."""

    severe: bool
    nature: Literal["LIST", "ORDER"] = "LIST"
    """ORDER: no list, but an order of a court against one subject (限制消费令)."""
    scope: Literal["NATIONAL", "REGIONAL"] = "NATIONAL"
    """Who made it: a regional list needs a regional regulation (地方性法规) as its basis."""
    entry_kinds: tuple[str, ...] = Field(min_length=1)
    domains: tuple[str, ...] = Field(min_length=1)
    subjects: tuple[SubjectKind, ...] = Field(min_length=1)
    term_months: int | None = Field(None, ge=1, le=120)
    steps: tuple[ListStep, ...] = ()
    """What has to have happened before a listing takes effect; editions of before there were steps have none."""
    attested: tuple[ListStep, ...] = ()
    """Steps that the decision itself may attest."""
    earliest_exit_months: int | None = Field(None, ge=1)
    """Months after which its removal may be asked for."""
    extension_months: tuple[int, int] | None = None
    """By how many months, from and to, a decision may lengthen its term; None = by none."""
    proposes: str | None = None
    """List for which whoever stays too long is proposed to the authority."""
    proposes_after_months: int | None = Field(None, ge=1)
    basis: tuple[str, ...] = Field(min_length=1)
    reason: str
    region: str = ""
    """Region whose departments decide it; empty: everywhere."""

    @model_validator(mode="after")
    def _whole(self) -> ListRow:
        if self.extension_months is not None and not 1 <= self.extension_months[0] <= self.extension_months[1]:
            raise ValueError("extension_months is [least, most] from 1 on; put them in order")
        if (self.proposes is None) != (self.proposes_after_months is None):
            raise ValueError("proposes and proposes_after_months belong together; give both or none")
        return self


class GroundRow(Named):
    """A ground of a list (列入事由) with a term of its own."""

    list: str
    ground: str
    term_months: int | None = Field(None, ge=1, le=120)
    basis: tuple[str, ...] = Field(min_length=1)


class MeasureRow(Named):
    """A measure (措施)."""

    family: str = Field(pattern=r"^M(0[1-9]|1[0-4])$")
    lists: tuple[str, ...] = Field(min_length=1)
    subjects: tuple[SubjectKind, ...] = Field(min_length=1)
    effect: Literal["", "RIGHTS", "MANAGEMENT", "MARKET"] = ""
    """What it does to its subject; editions of before it was told have none."""
    binding: Literal["MANDATORY", "ADVISORY"]
    executor: str
    basis: tuple[str, ...] = Field(min_length=1)
    region: str = ""
    """Region where it follows from a decision; empty: everywhere."""


class SubscriberRow(Named):
    """A department that carries out measures (惩戒措施实施单位)."""

    department: str
    families: tuple[Annotated[str, Field(pattern=r"^(M(0[1-9]|1[0-4])|I0[1-8])$")], ...] = Field(min_length=1)
    persons: bool
    """Whether against natural persons and sole traders too."""
    basis: str


class RestrictedRow(Named):
    """What may not be recorded of somebody (禁止或限制归集)."""

    effect: Literal["NEVER", "CONSENT", "STATUTE"]
    words: tuple[str, ...] = Field(min_length=1)
    """Any of them in a text of the event."""
    fields: tuple[str, ...]
    """Names that no field of the contract may have."""
    subjects: tuple[PersonKind, ...] = Field(min_length=1)
    basis: tuple[str, ...] = Field(min_length=1)
    article: str
    allowed_by: tuple[str, ...] = ()
    """Instruments that allow it when the event rests on one."""

    @model_validator(mode="after")
    def _never_is_never(self) -> RestrictedRow:
        if self.effect == "NEVER" and self.allowed_by:
            raise ValueError("allowed_by of what is never recorded; remove it or change effect")
        if self.effect == "CONSENT" and not self.allowed_by:
            raise ValueError("allowed_by is empty; name the instrument that quotes a consent")
        return self


class KeptOutRow(Named):
    """A fact that is not collected at all (不予归集)."""

    kind: str
    subjects: tuple[PersonKind, ...] = Field(min_length=1)
    field: str
    values: tuple[str, ...] = Field(min_length=1)
    basis: str


class RetentionRow(Named):
    """How long something is kept (保存期限)."""

    about: str
    years: int = Field(ge=0, le=100)
    working_days: int | None = Field(None, ge=1)
    counted_from: str
    after: Literal["DELETE", "ARCHIVE", "KEEP_AT_LEAST"]
    basis: str
    deletes: Literal["", "ADVERSE", "LIST", "REVOKED"] = ""
    """What the dossier deletes by it; empty: nothing, it binds look-ups or others."""
    subjects: tuple[SubjectKind, ...] = ()
    """Of whom; empty: of everybody."""
    lists: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole_deletion(self) -> RetentionRow:
        if self.deletes and self.after != "DELETE":
            raise ValueError("deletes of a row that deletes nothing; set after to DELETE or remove it")
        if (self.deletes == "LIST") != bool(self.lists):
            raise ValueError("lists and deletes: LIST belong together; give both or none")
        return self


class HonourRow(Named):
    """An honour (守信荣誉)."""

    grantors: tuple[str, ...]
    """Domains whose departments may grant it; empty: any organ."""
    refusable: bool
    """Whether a person may refuse that it is recorded."""
    basis: tuple[str, ...] = Field(min_length=1)


class IndicatorRow(Named):
    """An indicator of the assessment of departments (考核指标)."""

    kind: Literal["SCORED", "PENALTY", "RIGHTS"]
    weight: int = Field(ge=0, le=100)
    metric: str
    """What `creditbus assess` computes it from; empty: gathered outside the bus."""
    floor: float | None = Field(None, ge=0, le=1)
    """Share below which an indicator of rights caps the total."""
    cap: int | None = Field(None, ge=0, le=100)
    """The total at most, below the floor."""
    formula: str
    basis: str


class ConsumptionRow(Named):
    """A kind of consumption that a court may limit (限制消费行为)."""

    basis: tuple[str, ...] = Field(min_length=1)
    article: str


class RatingRow(Named):
    """A rating scheme (信用评价); grades from best to worst."""

    grades: tuple[str, ...] = Field(min_length=2)
    raters: tuple[str, ...] = Field(min_length=1)
    """Domains of the departments that may rate."""
    public: bool
    rule: str


class IncentiveRow(Named):
    """An incentive (守信激励措施)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    deserving: tuple[str, ...] = Field(alias="for", min_length=1)
    """Honours by code, and grades of ratings as SCHEME:GRADE."""
    binding: Literal["OFFER", "ADVISORY"]
    executor: str
    basis: tuple[str, ...] = Field(min_length=1)


class GradeRow(BaseModel):
    """A grade of the score."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    zh: str
    en: str
    minimum: int = Field(ge=0)


class PointRow(Dated):
    """Points of a record."""

    code: str
    reason: str
    dimension: str
    kind: str
    match: Mapping[str, tuple[str, ...]]
    points: int = Field(ge=-1000, le=1000)
    decays: bool


class Score(BaseModel):
    """How a score is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: int = Field(ge=0)
    floor: int = Field(ge=0)
    ceiling: int
    severe_list_grade: str
    scored_subjects: tuple[Literal["LEGAL_PERSON"], ...]
    """Natural persons and sole traders are never scored: the type allows nothing else."""
    dimension_caps: Mapping[str, int]
    grades: tuple[GradeRow, ...] = Field(min_length=1)
    points: tuple[PointRow, ...]


class PublicityRow(Dated):
    """A publicity period (公示期)."""

    code: str
    kind: str
    severity: str
    minimum_months: int = Field(ge=0)
    maximum_months: int = Field(ge=0)
    domains: tuple[str, ...] = ()
    """Sectors that it is for; empty: all that have no row of their own."""
    basis: str


class TierRow(Dated):
    """A type of penalty that makes its decision at least so severe (处罚种类与程度)."""

    code: str
    type: str
    severity: Literal["GENERAL", "SERIOUS"]
    basis: str


class TransitionRow(Dated):
    """A later rule that holds for earlier decisions where it is milder (从旧兼从轻)."""

    code: str
    earlier: str
    later: str
    basis: str


class Publicity(BaseModel):
    """Publicity periods, and what is not published at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unscored_penalty_types: tuple[str, ...]
    authority_may_shorten: bool = False
    tiers: tuple[TierRow, ...] = ()
    transitions: tuple[TransitionRow, ...] = ()
    rows: tuple[PublicityRow, ...]


class TermRow(Named):
    """A term within which somebody has to act (办理期限)."""

    term: Literal[
        "DISPUTE", "REPAIR_ACCEPTANCE", "REPAIR_DECISION", "ORDER_ACKNOWLEDGEMENT", "LIFT_ACKNOWLEDGEMENT",
        "RECTIFICATION", "RECHECK", "REVOCATION",
    ]  # fmt: skip
    region: str
    working_days: tuple[int, ...] = Field(min_length=1)
    extended: int | None = Field(None, ge=1)
    near: int | None = Field(None, ge=1)
    """Working days before the last day on which the office is reminded."""
    alert: Literal[
        "DISPUTE_OVERDUE", "REPAIR_OVERDUE", "ORDER_UNACKNOWLEDGED", "LIFT_UNACKNOWLEDGED", "TICKET_OVERDUE",
        "RECHECK_OVERDUE", "REVOCATION_OVERDUE",
    ]  # fmt: skip
    suspends: bool
    basis: str

    @model_validator(mode="after")
    def _longer_and_longer(self) -> TermRow:
        lengths = (*self.working_days, *([self.extended] if self.extended else []))
        if any(length < 1 for length in lengths) or list(lengths) != sorted(set(lengths)):
            raise ValueError("working_days and then extended have to grow from 1 on; put them in order")
        return self


class BreakerRow(Named):
    """How many listings a source decides at most in ordinary times (熔断阈值)."""

    source: str
    window_hours: int = Field(ge=1, le=24 * 31)
    soft: int = Field(ge=1)
    hard: int = Field(ge=1)
    wait_seconds: int = Field(ge=1, le=3600)
    basis: str

    @model_validator(mode="after")
    def _hard_above_soft(self) -> BreakerRow:
        if self.hard <= self.soft:
            raise ValueError("hard has to be above soft, so that a flood is seen before it is held")
        return self


class RequiredRow(Named):
    """A fact that an event needs when another fact has a value (前提条件)."""

    kind: str
    field: str
    value: str
    needs: str
    basis: str


class RepairRow(Named):
    """What belongs to repair (信用修复): a condition of it, or the notice that has to come with the decision."""

    condition: Literal["NOTICE", "TIME", "PERFORMANCE", "COMMITMENT"]
    kinds: tuple[str, ...] = ()
    """Kinds of record that it is for."""
    lists: tuple[str, ...] = ()
    """Lists that it is for."""
    basis: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _either_kinds_or_lists(self) -> RepairRow:
        if bool(self.kinds) == bool(self.lists):
            raise ValueError("it is for kinds or for lists; give one of them")
        return self


class Wording(BaseModel):
    """A text and how what it says is mended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    remedy_zh: str = ""
    remedy_en: str = ""


class Reasons(BaseModel):
    """All texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: Mapping[str, Wording]
    messages: Mapping[str, Wording]
    faults: Mapping[str, Wording]


class Catalogue(BaseModel):
    """One whole catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    regions: tuple[Region, ...]
    authority_types: tuple[AuthorityType, ...]
    departments: tuple[Department, ...]
    items: tuple[Item, ...]
    instruments: tuple[Instrument, ...]
    lists: tuple[ListRow, ...]
    grounds: tuple[GroundRow, ...] = ()
    measures: tuple[MeasureRow, ...]
    subscribers: tuple[SubscriberRow, ...] = ()
    """Editions of before there was a register have none."""
    ratings: tuple[RatingRow, ...] = ()
    """Editions of before ratings had a file of their own have them among the code lists."""
    incentives: tuple[IncentiveRow, ...] = ()
    terms: tuple[TermRow, ...] = ()
    """Editions of before there were terms have none."""
    breakers: tuple[BreakerRow, ...] = ()
    required: tuple[RequiredRow, ...] = ()
    repair: tuple[RepairRow, ...] = ()
    former_departments: tuple[FormerDepartment, ...] = ()
    restricted: tuple[RestrictedRow, ...] = ()
    kept_out: tuple[KeptOutRow, ...] = ()
    retention: tuple[RetentionRow, ...] = ()
    honours: tuple[HonourRow, ...] = ()
    indicators: tuple[IndicatorRow, ...] = ()
    consumption: tuple[ConsumptionRow, ...] = ()
    score: Score
    publicity: Publicity
    code_lists: Mapping[str, tuple[str, ...]]
    reasons: Reasons
    calendar: str
    """Text of calendar.yaml; it has a reader of its own."""
