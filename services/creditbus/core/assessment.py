"""Assessment of departments (考核): from counts of the warehouse to shares, scores and a roll-up by region.

An indicator that cannot be measured from the log is left out and said to be; its weight does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from creditbus.core.calendar import working_days_between
from creditbus.core.identifiers import current_region
from creditbus.core.rules import Rules

_LEAGUE_DIGITS = 4
_WHOLE_REGION = "0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """An indicator of the catalogue (考核指标)."""

    code: str
    kind: str
    """SCORED and RIGHTS give points, PENALTY takes them."""
    weight: int
    metric: str
    floor: float | None = None
    """A share of rights below it caps the score."""
    cap: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Records of one department that share item, region and both days."""

    sender: str
    item: str
    region: str
    decided_on: date
    reported_on: date
    records: int
    corrected: int
    loaded: int = 0
    """Those that came with an initial load, which is late by nobody's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """What the supervision of one organ came to (督办、抽查)."""

    tickets: int = 0
    """Tickets that were opened about it."""
    overdue: int = 0
    """Those that it did not answer in time."""
    sampled: int = 0
    """Decisions that spot checks looked for."""
    concealed: int = 0
    """Those that had not been sent (瞒报)."""

    def __add__(self, other: Supervised) -> Supervised:
        return Supervised(
            tickets=self.tickets + other.tickets,
            overdue=self.overdue + other.overdue,
            sampled=self.sampled + other.sampled,
            concealed=self.concealed + other.concealed,
        )


NO_SUPERVISION = Supervised()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """How often a department did something that it has to do (履职情况)."""

    sender: str
    region: str
    metric: str
    """Of an indicator."""
    is_done: bool


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a department or region sent."""

    accepted: int = 0
    rejected: int = 0
    late: int = 0
    corrected: int = 0
    items: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)
    """Items that it ever sent."""
    supervised: Supervised = NO_SUPERVISION
    duties: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By metric: how often it was done, and had to be."""

    @property
    def received(self) -> int:
        """Everything that came."""
        return self.accepted + self.rejected

    def shares(self) -> dict[str, float]:
        """Each metric from 0 to 1; one without anything to measure is missing."""
        found = {}
        if self.accepted:
            found["timely"] = 1 - self.late / self.accepted
            found["corrected"] = self.corrected / self.accepted
        if self.received:
            found["compliant"] = self.accepted / self.received
        if self.due:
            found["coverage"] = len(self.items) / len(self.due)
        if self.supervised.sampled:
            found["concealed"] = self.supervised.concealed / self.supervised.sampled
        if self.supervised.tickets:
            found["overdue"] = self.supervised.overdue / self.supervised.tickets
        return found | {metric: done / times for metric, (done, times) in self.duties.items()}

    def count(self, duty: Duty) -> None:
        """One more duty."""
        done, times = self.duties.get(duty.metric, (0, 0))
        self.duties[duty.metric] = (done + duty.is_done, times + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The report of a period."""

    departments: dict[str, Tally]
    leagues: dict[str, Tally] = field(default_factory=dict)
    """By the region of the decisions, 150000 for the autonomous region itself."""
    levels: dict[str, Tally] = field(default_factory=dict)
    """REGION 自治区, LEAGUE 盟市, COUNTY 旗县."""


def assess(
    rows: Iterable[Reported],
    rejected: Mapping[str, int],
    ever: Mapping[str, Iterable[str]],
    rules: Rules,
    supervised: Mapping[str, Supervised] = {},  # noqa: B006 - never changed
    duties: Iterable[Duty] = (),
) -> Assessment:
    """Counts by department, league and level.

    ever: items that a department has sent at any time; supervised: by key of the organ, as subjects have one.
    """
    parts = Assessment(departments={sender: Tally(due=set(items)) for sender, items in ever.items()})
    for row in rows:
        late = row.records - row.loaded if is_late(row, rules) else 0
        for tally in _tallies_of(parts, row, rules):
            _add(tally, row, late)
    for duty in duties:
        for tally in _tallies_of(parts, duty, rules):
            tally.count(duty)
    for department in rules.departments.values():
        for key in {one[8:17] for one in department.authorities} & supervised.keys():
            parts.departments.setdefault(department.code, Tally()).supervised = supervised[key]
    for sender, count in rejected.items():
        parts.departments.setdefault(sender, Tally()).rejected += count
    return parts


def _tallies_of(parts: Assessment, row: Reported | Duty, rules: Rules) -> list[Tally]:
    """Those of its department, league and level."""
    region = current_region(rules.regions, row.region)
    names = ((parts.departments, row.sender), (parts.leagues, league_of(region)), (parts.levels, level_of(region)))
    return [tallies.setdefault(name, Tally()) for tallies, name in names]


def is_late(row: Reported, rules: Rules) -> bool:
    """Whether it was reported after the working days of its item (双公示: seven, domain.md 7)."""
    item = rules.items.get(row.item)
    if item is None or (row.reported_on - row.decided_on).days <= item.report_within_working_days:
        return False
    return working_days_between(rules.calendar, row.decided_on, row.reported_on).count > item.report_within_working_days


def score_of(tally: Tally, indicators: Sequence[Indicator]) -> float | None:
    """Points of 100, over the indicators that could be measured; None when none could."""
    shares = tally.shares()
    measured = [one for one in indicators if one.metric in shares]
    weights = sum(one.weight for one in measured if one.kind != "PENALTY")
    if not weights:
        return None
    earned = sum(one.weight * shares[one.metric] for one in measured if one.kind != "PENALTY")
    taken = sum(one.weight * shares[one.metric] for one in measured if one.kind == "PENALTY")
    score = 100 * earned / weights - taken
    caps = [one.cap for one in measured if one.floor is not None and shares[one.metric] < one.floor]
    return round(max(0.0, min([score, *(cap for cap in caps if cap is not None)])), 1)


def league_of(region: str) -> str:
    """The league or city of a region code; the autonomous region's own stays."""
    return region[:_LEAGUE_DIGITS] + "00"


def level_of(region: str) -> str:
    """Who decided: the autonomous region, a league or city, a county."""
    if region.endswith(_WHOLE_REGION):
        return "REGION"
    return "LEAGUE" if region.endswith("00") else "COUNTY"


def _add(tally: Tally, row: Reported, late: int) -> None:
    tally.accepted += row.records
    tally.late += late
    tally.corrected += row.corrected
    tally.items.add(row.item)
