"""What another rule set would have made of the log: who changes grade or list, and whether some fare worse than others.

The whole log of records is decided twice, under one rule set and under the other, by the dossier's own code with the
log's own ticks; whatever edition the log names, the rule set given stands for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from creditbus.bus.places import PlaceReader
from creditbus.bus.recent import RecentMessages
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.core.processing import Message, Position
from creditbus.core.receipt import Receipt, receipt_of
from creditbus.core.records import CreditRecord, business_day
from creditbus.core.rules import Rules
from creditbus.core.state import Summary
from creditbus.core.topics import RECORDS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.dossier.steps import Entry
from creditbus.dossier.view import PartitionView, summaries
from creditbus.lab.reading import Progress, read_topic

_POSITION = Position(source_offset=0, changelog_offset=0, lineage="backtest", written_at_ms=0)
_SAMPLES = 5
REGION, TRADE, SIZE, DEPARTMENT = "region", "trade", "size", "department"
UNKNOWN = "–"
_SIZES = (("< 1 M yuan", 10**6), ("1–10 M yuan", 10**7), ("10–100 M yuan", 10**8))
_LARGEST = "≥ 100 M yuan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a rule set makes of a subject."""

    subject_key: str
    groups: tuple[tuple[str, str], ...]
    """(dimension, value) of each group that it belongs to: region, trade, size, and department of whoever decided."""
    lists: tuple[str, ...]
    receipt: Receipt | None
    """None for whoever is not scored."""

    @property
    def grade(self) -> str | None:
        """Grade; None for whoever is not scored."""
        return self.receipt.grade if self.receipt is not None else None


@dataclass(slots=True)
class Group:
    """How the subjects of one region, trade, size or department fare."""

    scored: int = 0
    better: int = 0
    worse: int = 0

    def count(self, steps: int) -> None:
        """One more scored subject; steps: grades that it comes down by."""
        self.scored += 1
        self.worse += steps > 0
        self.better += steps < 0

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
    all: Group = field(default_factory=Group)
    """Every scored subject."""
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    """By dimension and value."""
    listed: Counter[str] = field(default_factory=Counter)
    """Subjects that come onto a list, by list."""
    delisted: Counter[str] = field(default_factory=Counter)
    moved: list[tuple[Receipt, Receipt]] = field(default_factory=list)
    """Receipts of those whose score moves furthest, before and after."""

    def disparity(self, group: Group) -> float | None:
        """How many times as often as all its subjects come into a worse grade; None when nobody does."""
        return group.worse_share / self.all.worse_share if self.all.worse else None


def backtest(
    brokers: str, registry: Registry, rule_sets: tuple[Rules, Rules], progress: Progress = lambda _topic, _count: None
) -> Report:
    """Decide the log under both rule sets and compare. Raises RetryLaterError or ReconnectError."""
    schemas, types = SchemaSet.load(), Types(registry)
    entries = ReadOnce(types)
    trades = _Trades(entries, schemas)
    with closing(PlaceReader(brokers, RECORDS)) as places:
        runs = [_Run(rules, (registry, schemas), (entries, trades), places) for rules in rule_sets]

        def use(messages: Sequence[Any]) -> None:
            entries.forget()
            trades.note(messages)
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
        steps = order.index(new.receipt.grade) - order.index(old.receipt.grade)
        report.all.count(steps)
        for dimension, value in new.groups:
            report.groups.setdefault(dimension, {}).setdefault(value, Group()).count(steps)
        report.grades[old.receipt.grade, new.receipt.grade] += 1
        if old.receipt.score != new.receipt.score or steps:
            moved.append((old.receipt, new.receipt))
    moved.sort(key=lambda pair: (-abs(pair[1].score - pair[0].score), pair[0].subject_key))
    report.moved = moved[:_SAMPLES]
    return report


class ReadOnce(LogReader):
    """Entries of the log, decoded once a message for everybody who reads the same batch."""

    def __init__(self, types: Types) -> None:
        super().__init__(types)
        self._known: dict[tuple[int, int], Entry] = {}

    def __call__(self, message: Message) -> Entry:
        """See LogReader."""
        place = (message.partition(), message.offset())
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = super().__call__(message)
        return found

    def forget(self) -> None:
        """Another batch."""
        self._known.clear()


class _Trades:
    """Trade and size of each subject, as its newest registration tells them."""

    def __init__(self, reader: LogReader, schemas: SchemaSet) -> None:
        self._reader = reader
        self._read_body = body_reader(schemas)
        self._known: dict[str, tuple[str, str]] = {}

    def note(self, messages: Iterable[Any]) -> None:
        """Look for registrations."""
        for message in messages:
            record = self._reader(message)
            if isinstance(record, CreditRecord) and record.kind == "Registration" and record.op == "RECORD":
                facts = self._read_body(record.body_schema, record.body)
                self._known[record.subject_key] = (trade_of(facts.get("industry")), size_of(facts.get("capital_fen")))

    def of(self, subject_key: str) -> tuple[str, str]:
        """Trade and size; "–" for what no registration tells."""
        return self._known.get(subject_key, (UNKNOWN, UNKNOWN))


def trade_of(industry: object) -> str:
    """The section (门类) of an industry code of GB/T 4754: its letter."""
    return industry[:1] if isinstance(industry, str) and industry else UNKNOWN


def size_of(capital_fen: object) -> str:
    """A band of registered capital, a power of ten of yuan. The log tells neither staff nor revenue, by which
    the statistical classes (大中小微型) are made."""
    if not isinstance(capital_fen, int):
        return UNKNOWN
    return next((name for name, limit in _SIZES if capital_fen < limit * 100), _LARGEST)


class _Run:
    """The log under one rule set."""

    def __init__(
        self,
        rules: Rules,
        codecs: tuple[Registry, SchemaSet],
        shared: tuple[LogReader, _Trades],
        places: PlaceReader,
    ) -> None:
        """shared: who reads the log for both runs, and what it tells of trades."""
        registry, schemas = codecs
        self._rules = rules
        entries, self._trades = shared
        self._departments = {code: row.code for row in rules.departments.values() for code in row.authorities}
        self._stores: dict[int, MemoryStore] = {}
        outputs = Outputs(Writers(registry, schemas), schemas)
        rules_of: Callable[[str], Rules] = lambda _edition: rules  # noqa: E731
        read_body = body_reader(schemas)
        self._processor = DossierProcessor(entries, outputs, rules_of, read_body, read_log=RecentMessages(places))

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
        trade, size = self._trades.of(summary.subject_key)
        authorities = sorted({entry.authority for entry in summary.entries})
        groups = (
            (REGION, f"{summary.region[:4]}00"),
            (TRADE, trade),
            (SIZE, size),
            *((DEPARTMENT, self._departments.get(code, code)) for code in authorities),
        )
        receipt = receipt_of(summary, self._rules, day)
        return Standing(subject_key=summary.subject_key, groups=groups, lists=lists, receipt=receipt)


def _tick_ms(store: MemoryStore) -> int:
    return PartitionView(store).meta.tick_ms
