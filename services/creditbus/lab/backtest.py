"""What another rule set would have made of the log: who changes grade or list, and where.

The whole log of records is decided twice, under one rule set and under the other, by the dossier's own code with the
log's own ticks; whatever edition the log names, the rule set given stands for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.core.processing import Position
from creditbus.core.receipt import Receipt, receipt_of
from creditbus.core.records import business_day
from creditbus.core.rules import Rules
from creditbus.core.state import Summary
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor
from creditbus.dossier.view import PartitionView, summaries
from creditbus.lab.reading import Progress, read_topic
from creditbus.lab.snapshot import RECORDS

_POSITION = Position(source_offset=0, changelog_offset=0, lineage="backtest", written_at_ms=0)
_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a rule set makes of a subject."""

    subject_key: str
    region: str
    """League or city."""
    lists: tuple[str, ...]
    receipt: Receipt | None
    """None for whoever is not scored."""

    @property
    def grade(self) -> str | None:
        """Grade; None for whoever is not scored."""
        return self.receipt.grade if self.receipt is not None else None


@dataclass(slots=True)
class Place:
    """How a league or city fares."""

    scored: int = 0
    better: int = 0
    worse: int = 0

    @property
    def worse_share(self) -> float:
        """Share of its scored subjects that come into a worse grade."""
        return self.worse / self.scored if self.scored else 0.0


@dataclass(slots=True, kw_only=True)
class Report:
    """The difference that a rule set makes."""

    subjects: int = 0
    grades: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Subjects by grade before and after."""
    regions: dict[str, Place] = field(default_factory=dict)
    listed: Counter[str] = field(default_factory=Counter)
    """Subjects that come onto a list, by list."""
    delisted: Counter[str] = field(default_factory=Counter)
    moved: list[tuple[Receipt, Receipt]] = field(default_factory=list)
    """Receipts of those whose score moves furthest, before and after."""

    @property
    def better(self) -> int:
        """Subjects that come into a better grade."""
        return sum(place.better for place in self.regions.values())

    @property
    def worse(self) -> int:
        """Subjects that come into a worse grade."""
        return sum(place.worse for place in self.regions.values())

    def disparity(self, region: str) -> float | None:
        """How many times as often as everywhere a region's subjects come into a worse grade; None when none does."""
        scored = sum(place.scored for place in self.regions.values())
        return self.regions[region].worse_share / (self.worse / scored) if self.worse else None


def backtest(
    brokers: str, registry: Registry, rule_sets: tuple[Rules, Rules], progress: Progress = lambda _topic, _count: None
) -> Report:
    """Decide the log under both rule sets and compare. Raises RetryLaterError or ReconnectError."""
    schemas, types = SchemaSet.load(), Types(registry)
    runs = [_Run(rules, types, registry, schemas) for rules in rule_sets]

    def use(messages: Sequence[Any]) -> None:
        for run in runs:
            run.apply(messages)

    read_topic(brokers, RECORDS, use, progress=progress)
    day = max(run.day for run in runs)
    before, after = (run.standings(day) for run in runs)
    return compare(before, after, [grade.code for grade in rule_sets[1].score.grades])


def compare(before: Mapping[str, Standing], after: Mapping[str, Standing], order: Sequence[str]) -> Report:
    """The difference. order: grades from best to worst."""
    report = Report(subjects=len(after))
    moved: list[tuple[Receipt, Receipt]] = []
    for key, new in after.items():
        old = before[key]
        report.listed.update(set(new.lists) - set(old.lists))
        report.delisted.update(set(old.lists) - set(new.lists))
        if old.receipt is None or new.receipt is None:
            continue
        place = report.regions.setdefault(new.region, Place())
        place.scored += 1
        steps = order.index(new.receipt.grade) - order.index(old.receipt.grade)
        place.worse += steps > 0
        place.better += steps < 0
        report.grades[old.receipt.grade, new.receipt.grade] += 1
        if old.receipt.score != new.receipt.score or steps:
            moved.append((old.receipt, new.receipt))
    moved.sort(key=lambda pair: (-abs(pair[1].score - pair[0].score), pair[0].subject_key))
    report.moved = moved[:_SAMPLES]
    return report


class _Run:
    """The log under one rule set."""

    def __init__(self, rules: Rules, types: Types, registry: Registry, schemas: SchemaSet) -> None:
        self._rules = rules
        self._stores: dict[int, MemoryStore] = {}
        outputs = Outputs(Writers(registry, schemas), schemas)
        rules_of: Callable[[str], Rules] = lambda _edition: rules  # noqa: E731
        self._processor = DossierProcessor(types, outputs, rules_of, body_reader(schemas))

    def apply(self, messages: Sequence[Any]) -> None:
        """Messages of any partitions, each partition's in order."""
        by_partition: dict[int, list[Any]] = {}
        for message in messages:
            by_partition.setdefault(message.partition(), []).append(message)
        for partition, batch in by_partition.items():
            store = self._stores.setdefault(partition, MemoryStore())
            pending: Sequence[Any] = batch
            while True:
                effects = self._processor.process(RECORDS, partition, pending, store)
                store.write(effects.state, _POSITION)
                if not effects.unfinished:
                    break
                pending = ()

    @property
    def day(self) -> int:
        """The last business day that the log has come to."""
        return max((business_day(_tick_ms(store)) for store in self._stores.values()), default=0)

    def standings(self, day: int) -> dict[str, Standing]:
        """Every subject on a day."""
        found = (self._standing(summary, day) for store in self._stores.values() for summary in summaries(store))
        return {one.subject_key: one for one in found}

    def _standing(self, summary: Summary, day: int) -> Standing:
        lists = tuple(sorted({listing.list_code for listing in summary.in_force}))
        league = f"{summary.region[:4]}00"
        receipt = receipt_of(summary, self._rules, day)
        return Standing(subject_key=summary.subject_key, region=league, lists=lists, receipt=receipt)


def _tick_ms(store: MemoryStore) -> int:
    view = PartitionView(store)
    view.prefetch(())
    return view.meta.tick_ms
