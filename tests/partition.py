"""A partition of the dossier in memory, for tests of its decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from builders import DAY, DAY_MS, make_record, make_rules
from creditbus.bus.store import MemoryStore
from creditbus.core.context import Emission
from creditbus.core.errors import StopError
from creditbus.core.processing import Effects, Position
from creditbus.core.quarantine import Parked, QuarantineOrder
from creditbus.core.records import Alert, CreditRecord, MeasureOrder
from creditbus.core.rules import Rules
from creditbus.core.state import ACTIVE, ENDED_AS, Summary
from creditbus.dossier.steps import Decided, Edition, Entry, Lookups, Tick, decide_or_park
from creditbus.dossier.view import PartitionView

RULES = make_rules()
POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)
PENALTY = {"severity": "SERIOUS", "penalty_types": ["FINE"], "is_final": True, "procedure": "GENERAL"}
COURT_FACTS: dict[str, Any] = {"ground": "G1", "published_on": DAY}
DAY_LENGTH = 86_400_000
START: list[Entry] = [Edition(RULES.edition, 1), Tick(DAY_MS, DAY_MS)]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CreditRecord).decode


class Bus:
    """A partition in memory: decides about batches and keeps what they emit."""

    def __init__(self, facts: Mapping[str, Mapping[str, Any]], rules: Rules = RULES) -> None:
        self._rules = rules
        self.store = MemoryStore()
        self.log: list[Entry] = []
        """Everything that was sent, so that records can be read again."""
        self.moved: list[CreditRecord] = []
        """Copies for other keys, as they would stand on the log; whoever tests them sends them on."""
        self.emissions: list[Emission] = []
        self.outcomes: list[str] = []
        self.changes: list[Any] = []
        self.parked: list[Parked] = []
        self.notes: list[QuarantineOrder] = []
        self.notes_to_follow: frozenset[str] = frozenset()
        self.broken: set[str] = set()
        """Document numbers of records that cannot be applied."""
        self._facts = facts

    def send(self, *entries: Entry) -> Decided:
        """Decide about one batch, and about what it leaves unfinished."""
        while True:
            values = [_encode(entry) if isinstance(entry, CreditRecord) else b"" for entry in entries]
            places = range(len(self.log), len(self.log) + len(entries))
            self.log += entries
            view, decided = decide_or_park(self.store, list(zip(entries, values, places, strict=True)), self._lookups())
            effects = Effects()
            view.write_to(effects)
            self.store.write(effects.state, POSITION)
            self.emissions += decided.emissions
            self.moved += decided.moved
            self.changes += decided.changes
            self.parked += decided.parked
            self.notes += decided.notes
            self.outcomes += [applied.outcome for applied in decided.applied]
            if not decided.unfinished:
                return decided
            entries = ()

    def _lookups(self) -> Lookups:
        return Lookups(self._rules_of, self._facts_of, _decode, self._records_at, self.notes_to_follow)

    def _records_at(self, places: Sequence[int]) -> list[tuple[int, CreditRecord]]:
        found = [(place, self.log[place]) for place in places]
        return [(place, one) for place, one in found if isinstance(one, CreditRecord)]

    def _facts_of(self, record: CreditRecord) -> Mapping[str, Any]:
        if record.document_number in self.broken:
            raise KeyError("a value that nobody foresaw")
        return self._facts.get(record.record_id, {})

    def summary(self, subject: str = make_record().subject_key) -> Summary:
        """The state of a subject."""
        return PartitionView(self.store).subject(subject).summary

    def active(self, subject: str = make_record().subject_key) -> set[str]:
        """Ids of the records that tell what is in force of a subject, by its state."""
        rows = PartitionView(self.store).subject(subject).all_rows().values()
        return {row.record_id for row in rows if row.state == ACTIVE}

    def told_in_force(self, subject: str = make_record().subject_key) -> set[str]:
        """The same by what was told of each record, as the warehouse has it (clickhouse/standing.py)."""
        facts = {one.record_id for one in self.log if isinstance(one, CreditRecord) and one.op == "RECORD"}
        says = {"RECORDED", *ENDED_AS}
        last = {
            one.record_id: one.outcome
            for one in self.changes
            if one.subject_key == subject and (one.outcome in says or (one.outcome == "HELD" and one.cause != "TIMER"))
        }
        return {record_id for record_id, outcome in last.items() if outcome == "RECORDED"} & facts

    def orders(self) -> list[tuple[str, str]]:
        """(action, family) of every order so far."""
        return [(one.action, one.family) for one in self.emissions if isinstance(one, MeasureOrder)]

    def alerts(self) -> list[str]:
        """Kinds of the alerts so far."""
        return [one.kind for one in self.emissions if isinstance(one, Alert)]

    def _rules_of(self, edition: str) -> Rules:
        if edition != self._rules.edition:
            raise StopError("unknown edition")
        return self._rules


def a_bus(*records: tuple[CreditRecord, Mapping[str, Any]], rules: Rules = RULES) -> Bus:
    """A bus that knows the facts of these records, with rules and time in force."""
    bus = Bus({record.record_id: facts for record, facts in records}, rules)
    bus.send(Edition(rules.edition, 1), Tick(DAY_MS, DAY_MS))
    return bus


def ticks(days: int) -> list[Entry]:
    """Ticks of ten minutes, enough to pass that many days."""
    return [Tick(at, at) for at in range(DAY_MS + 600_000, DAY_MS + days * DAY_LENGTH + 1, 600_000)]


def minutes(first: int, last: int) -> list[Entry]:
    """A tick for each minute after DAY, from the first to the last."""
    return [Tick(at, at) for at in range(DAY_MS + first * 60_000, DAY_MS + last * 60_000 + 1, 60_000)]
