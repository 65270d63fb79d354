"""Reads every topic to its end and compares the services' results with the reference, the replay and the warehouse."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import httpx

from creditbus.bus.kafka import admin, translated
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, body_reader, read_value
from creditbus.clickhouse.client import DATABASE
from creditbus.core.framing import WireError, unframe
from creditbus.core.identity import Forgotten
from creditbus.core.processing import Effects, Position
from creditbus.core.quarantine import PARK, QuarantineOrder
from creditbus.core.records import CreditRecord
from creditbus.core.state import DELETED, Summary
from creditbus.core.topics import CHANGES, DOSSIERS, EVENTS_START, LOCAL_RECORDS, PERSON_SUFFIX, RECORDS, REJECTIONS
from creditbus.dossier.processor import LogReader, lookups_of
from creditbus.dossier.steps import Entry, Lookups, decide_or_park
from creditbus.dossier.view import PartitionView
from creditbus.lab.reading import Progress, read_topic
from creditbus.lab.reference import SeenRecord, SentEvent, Tally, fold, judge_intake

_NOWHERE = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


@dataclass(slots=True)
class Check:
    """One comparison of the report."""

    name: str
    checked: int
    wrong: list[str]


@dataclass(slots=True)
class Log:
    """What the topics hold, as far as the checks need it."""

    events: list[SentEvent] = field(default_factory=list)
    records: dict[int, list[tuple[Entry, bytes, int]]] = field(default_factory=dict)
    """Entries of credit.records by partition, in order, each with its message's bytes and offset."""
    made: Counter[str] = field(default_factory=Counter)
    """How often the intake of a region wrote each record, by id; empty at the hub."""
    rejections: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    change_ids: dict[str, str] = field(default_factory=dict)
    """Record that each change is about, by its id; "" for the word that a fact was deleted, which stays."""
    deleted: set[str] = field(default_factory=set)
    """Keys of events whose facts are kept no longer."""
    outcomes: Counter[str] = field(default_factory=Counter)
    dossiers: dict[str, dict[str, Any]] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    """Subjects that had a record in quarantine: the plain reference does not know what an operator decided."""
    forgotten: set[str] = field(default_factory=set)
    """Persons whose state and rows are deleted; what is left about them on the log leads to nobody."""


class Verifier:
    """Reads the log once; each check compares one thing."""

    def __init__(
        self,
        brokers: str,
        registry_url: str,
        progress: Progress = lambda _name, _count: None,
        *,
        is_region: bool = False,
    ) -> None:
        """is_region: the brokers are those of a region's node, whose records are at the hub too, each once."""
        self._brokers = brokers
        self._is_region = is_region
        self._registry = Registry(registry_url)
        self._types = Types(self._registry)
        self._reader = LogReader(self._types)
        self._schemas = SchemaSet.load()
        self._progress = progress

    def run(self, count_rows: Callable[[str, str], int] | None, lookup: httpx.Client | None) -> Iterator[Check]:
        """All checks; those of warehouse and look-up only where they are given.

        count_rows: (table, expression) → number of rows with FINAL, such as ("records", "uniqExact(record_id)").
        """
        log = self._read()
        records = [value for rows in log.records.values() for value, _, _ in rows if isinstance(value, CreditRecord)]
        # of whom was forgotten, only that the events arrived can be told
        by_id = Counter(record.record_id for record in records if not record.rekeyed_from)
        made = log.made if self._is_region else by_id
        yield _check("every event became one record or one rejection", judge_intake(log.events, made, log.rejections))
        if self._is_region:
            yield _at_hub(log.made, by_id)
        records = [record for record in records if record.subject_key not in log.forgotten]
        yield self._changes(log, records)
        yield self._versions(log, records)
        yield self._replay(log)
        if count_rows is not None:
            yield self._warehouse(log, records, count_rows)
        if lookup is not None:
            yield self._lookup(log, lookup)

    def _read(self) -> Log:
        log = Log()
        with translated("listing topics"):
            topics = sorted(admin(self._brokers).list_topics(timeout=15).topics)
        for topic in topics:
            if topic.startswith(EVENTS_START):
                self._each(topic, lambda message: log.events.append(self._sent(message)))
        self._each(RECORDS, lambda message: self._note_record(log, message))
        if self._is_region:
            self._each(LOCAL_RECORDS, lambda message: self._note_made(log, message))
        self._each(REJECTIONS, lambda m: log.rejections.update([self._value(m)["rejection_id"]]))
        for topic, note in (
            (CHANGES, _note_change),
            (DOSSIERS, _note_dossier),
            (f"{DOSSIERS}{PERSON_SUFFIX}", _note_dossier),
        ):
            self._each(topic, partial(self._note, log, note))
        return log

    def _note(self, log: Log, note: Callable[[Log, dict[str, Any]], None], message: Any) -> None:
        value = self._value(message)
        if value["subject_key"] not in log.forgotten:
            note(log, value)

    def _each(self, topic: str, use: Callable[[Any], None]) -> None:
        """Call ``use`` with each message of a topic, in the order of each partition, up to its present end."""

        def use_all(messages: Sequence[Any]) -> None:
            for message in messages:
                if message.value() is not None:
                    with contextlib.suppress(WireError, UnknownSchemaError):  # readers pass over it, and tell of it
                        use(message)

        read_topic(self._brokers, topic, use_all, progress=self._progress)

    def _value(self, message: Any) -> dict[str, Any]:
        return read_value(self._types, message.value())[1]

    def _sent(self, message: Any) -> SentEvent:
        headers = dict(message.headers() or ())
        place = (message.topic(), message.partition(), message.offset(), headers.get("sender", b"").decode())
        value: dict[str, Any] = {}
        with contextlib.suppress(WireError, UnknownSchemaError):
            unframe(message.value())
            value = self._value(message)
        return SentEvent(*place, str(value.get("event_id", "")), int(value.get("revision", 0)))

    def _note_record(self, log: Log, message: Any) -> None:
        entry = self._reader(message)
        log.records.setdefault(message.partition(), []).append((entry, message.value(), message.offset()))
        if isinstance(entry, Forgotten):
            log.forgotten.add(entry.subject_key)

    def _note_made(self, log: Log, message: Any) -> None:
        entry = self._reader(message)
        if isinstance(entry, CreditRecord):
            log.made[entry.record_id] += 1

    def _changes(self, log: Log, records: list[CreditRecord]) -> Check:
        """Each record on the log was applied: there is a change for its id, and no outcome is missing."""
        tally = Tally()
        for record in records:
            found = log.changes.get(record.record_id, 0)
            tally.expect(found >= 1, f"record {record.record_id} of {record.kind}: no change tells what became of it")
        delivered = Counter(record.record_id for record in records)
        told = sum(
            log.outcomes[name] for name in ("RECORDED", "DUPLICATE", "SUPERSEDED", "HELD", "PARKED", "FORWARDED")
        )
        released = told - sum(delivered.values())
        tally.expect(released >= 0, f"{sum(delivered.values())} records, but only {told} outcomes")
        tally.expect(
            released <= sum(log.outcomes[name] for name in ("HELD", "PARKED", "FORWARDED")),
            f"{released} outcomes more than records: something ran twice",
        )
        return _check("every record has its outcome", tally)

    def _versions(self, log: Log, records: list[CreditRecord]) -> Check:
        """Each subject's dossier applied exactly the records that the plain fold applies."""
        tally = Tally()
        reference = fold([_seen(record) for record in records])
        rekeyed = {record.subject_key for record in records if record.rekeyed_from or record.kind == "IdentityLink"}
        for key, subject in reference.items():
            if key in log.parked or key in rekeyed:
                continue
            version = log.dossiers.get(key, {}).get("version", 0)
            tally.expect(
                version == subject.version, f"subject {_masked(key)}: {version} applied, {subject.version} due"
            )
        tally.expect(len(log.dossiers) == len(reference), f"{len(log.dossiers)} dossiers for {len(reference)} subjects")
        return _check("every dossier applied each of its records once", tally)

    def _replay(self, log: Log) -> Check:
        """The same log gives the same dossiers: score, grade, listing and receipt."""
        tally = Tally()
        notes = frozenset(
            entry.order_id
            for rows in log.records.values()
            for entry, _, _ in rows
            if isinstance(entry, QuarantineOrder) and entry.action == PARK
        )
        lookups = lookups_of(self._reader, rules_by_hash(self._brokers), body_reader(self._schemas), notes)
        for rows in log.records.values():
            for summary in _replayed(rows, lookups):
                if summary.subject_key in log.forgotten:
                    continue
                live = log.dossiers.get(summary.subject_key, {})
                told = (live.get("score"), live.get("grade"), live.get("receipt_hash"), live.get("listed"))
                due = (summary.score, summary.grade, summary.receipt, summary.is_listed)
                tally.expect(told == due, f"subject {_masked(summary.subject_key)}: live {told[:2]}, replay {due[:2]}")
        return _check("the replayed log gives the same scores, listings and receipts", tally)

    def _warehouse(self, log: Log, records: list[CreditRecord], count_rows: Callable[[str, str], int]) -> Check:
        tally = Tally()
        gone = {record.record_id for record in records if record.event_key in log.deleted}
        kept = {record.record_id for record in records} - gone
        rows = {(one.subject_key, one.record_id, one.op) for one in records if one.record_id not in gone}
        # the newest row of a log stays until another comes behind it, though nobody is shown it
        said = f"SELECT event_key FROM {DATABASE}.changes WHERE outcome = '{DELETED}' AND event_key IS NOT NULL"  # noqa: S608
        not_deleted = f"event_key NOT IN ({said})"
        wanted = {
            ("records", f"uniqExactIf(record_id, {not_deleted})"): len(kept),
            ("records", f"countIf({not_deleted})"): len(rows),
            ("rejections", "count()"): len(log.rejections),
            ("dossiers", "count()"): len(log.dossiers),
            ("dossiers", "sum(version)"): sum(dossier["version"] for dossier in log.dossiers.values()),
        }
        changes = count_rows("changes", "count()")
        least = sum(about not in gone for about in log.change_ids.values())
        told = f"between {least} and {len(log.change_ids)}"
        tally.expect(least <= changes <= len(log.change_ids), f"table changes: {changes} rows, the topics say {told}")
        for (table, expression), due in wanted.items():
            found = count_rows(table, expression)
            tally.expect(found == due, f"table {table}: {expression} is {found}, the topics say {due}")
        return _check("the warehouse holds the same", tally)

    def _lookup(self, log: Log, lookup: httpx.Client) -> Check:
        """A spread of subjects, asked for as a user would."""
        tally = Tally()
        firms = sorted(key for key, dossier in log.dossiers.items() if _stands_alone(dossier))
        for key in firms[:: max(1, len(firms) // 25)]:
            answer = lookup.get(f"/v1/subjects/{key}")
            found = answer.json() if answer.is_success else {}
            dossier = found.get("dossier", found)
            told = (dossier.get("version"), dossier.get("score"))
            due = (log.dossiers[key]["version"], log.dossiers[key]["score"])
            tally.expect(told == due, f"subject {key}: look-up says {told} (HTTP {answer.status_code}), topics {due}")
            rows = found.get("records", {}).get("items", [])
            facts = Counter(row["natural_key"] for row in rows if row["state"] == "RECORDED" and row["op"] == "RECORD")
            twice = sum(number > 1 for number in facts.values())
            tally.expect(not twice, f"subject {key}: {twice} facts are shown twice as if in force")
        return _check("the look-up answers the same", tally)


def _check(name: str, tally: Tally) -> Check:
    return Check(name, tally.checked, tally.wrong)


def _note_change(log: Log, value: dict[str, Any]) -> None:
    is_deletion = value["outcome"] == DELETED
    log.change_ids[value["change_id"]] = "" if is_deletion else value["record_id"]
    if is_deletion and value["event_key"]:
        log.deleted.add(value["event_key"])
    if value["outcome"] == "PARKED":
        log.parked.add(value["subject_key"])
    if value["cause"] == "RECORD":
        log.outcomes[value["outcome"]] += 1
        log.changes[value["record_id"]] += 1


def _note_dossier(log: Log, value: dict[str, Any]) -> None:
    known = log.dossiers.get(value["subject_key"])
    if known is None or (value["version"], value["as_of"]) >= (known["version"], known["as_of"]):
        log.dossiers[value["subject_key"]] = value


def _seen(record: CreditRecord) -> SeenRecord:
    return SeenRecord(
        record.record_id,
        record.subject_key,
        record.event_key,
        record.natural_key,
        record.target_key,
        record.corrects_key,
        record.revision,
        record.op,
        record.kind,
    )


def _at_hub(made: Counter[str], at_hub: Counter[str]) -> Check:
    """Whatever the region's intake wrote, and however often, is on the hub's log once."""
    tally = Tally()
    for record in made:
        tally.expect(at_hub[record] == 1, f"record {record}: {at_hub[record]} times at the hub")
    return _check("every record of the region is at the hub, once", tally)


def _replayed(rows: list[tuple[Entry, bytes, int]], lookups: Lookups) -> Iterator[Summary]:
    """Every subject of a partition after applying its log in memory."""
    store = MemoryStore()
    at = {place: entry for entry, _, place in rows if isinstance(entry, CreditRecord)}
    lookups = replace(lookups, records_at=lambda places: [(place, at[place]) for place in places])
    unread = rows
    while True:
        view, decided = decide_or_park(store, unread, lookups)
        effects = Effects()
        view.write_to(effects)
        store.write(effects.state, _NOWHERE)
        if not decided.unfinished:
            break
        unread = []
    view = PartitionView(store)
    for key in sorted({entry.subject_key for entry, _, _ in rows if isinstance(entry, CreditRecord)}):
        yield view.subject(key).summary


def _stands_alone(dossier: dict[str, Any]) -> bool:
    """A firm that is found under its own key."""
    return dossier["subject_kind"] == "LEGAL_PERSON" and not dossier["redirect"]


def _masked(key: str) -> str:
    return "p:******" if key.startswith("p:") else key
