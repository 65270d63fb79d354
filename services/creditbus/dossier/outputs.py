"""What the dossier's decisions look like on the topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from creditbus.bus.avro import encode
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import topic_for, topic_of_family
from creditbus.bus.wire import Writers
from creditbus.core.acknowledgement import offer_state, order_state
from creditbus.core.context import Emission
from creditbus.core.events import NATURAL_PERSON
from creditbus.core.hashing import digest
from creditbus.core.identity import Forgotten
from creditbus.core.processing import Output
from creditbus.core.quarantine import Parked, QuarantineOrder
from creditbus.core.records import Alert, Change, CreditRecord, ListingChange
from creditbus.core.repair import unmet_by
from creditbus.core.rules import Rules, Text
from creditbus.core.score import Score, parts_on
from creditbus.core.state import Entry, IncentiveState, ListingState, OrderState, Summary, TermState
from creditbus.core.terms import disputed_facts
from creditbus.core.topics import ALERTS, CHANGES, DOSSIERS, FORGOTTEN, LISTINGS, QUALITY, QUARANTINE, RECORDS
from creditbus.dossier.steps import Decided
from creditbus.dossier.view import Meta, SubjectState


class Outputs:
    """Turns changes, emissions and dossiers into messages of one partition."""

    def __init__(self, writers: Writers, schemas: SchemaSet) -> None:
        self._writers = writers
        self._change_writer = writers(CHANGES, "Change")
        self._detail = schemas.records["DossierDetail"]

    def changes(self, changes: Iterable[Change], partition: int) -> list[Output]:
        """Rows of history."""
        encoded = self._change_writer.of_struct
        return [Output(CHANGES, change.subject_key.encode(), encoded(change), partition) for change in changes]

    def emission(self, emission: Emission, partition: int) -> Output:
        """A listing change, an order or an alert, on the topic of its kind and of its subject's kind."""
        topic, record = _place_of(emission)
        topic = topic_for(topic, emission.subject_kind)
        value = self._writers(topic, record).of_struct(emission)
        trace = (("cause_id", emission.cause_id.encode()), ("record_id", emission.record_id.encode()))
        return Output(topic, emission.subject_key.encode(), value, partition, trace)

    def parked(self, parked: Parked, partition: int) -> Output:
        """A record that came into quarantine; a tombstone for one that left it."""
        topic = topic_for(QUARANTINE, parked.subject_kind or NATURAL_PERSON)  # restricted when it is not known
        key = f"{parked.subject_key}|{parked.sequence:012}".encode()
        value = None
        if parked.value is not None:
            value = self._writers(topic, "Parked")(asdict(parked))
        return Output(topic, key, value, partition)

    def note(self, note: QuarantineOrder, meta: Meta, partition: int) -> Output:
        """The program's note on the log that a record could not be applied."""
        value = {
            **asdict(note),
            "ordered_by": "dossier",
            "ordered_at": meta.tick_ms,
            "engine": meta.engine,
            "edition": meta.edition,
        }
        return Output(RECORDS, note.subject_key.encode(), self._writers(RECORDS, "QuarantineOrder")(value), partition)

    def moved(self, record: CreditRecord) -> Output:
        """A copy of a record, into the partition of the key that its subject has now."""
        trace = (("event_key", record.event_key.encode()), ("rekeyed_by", record.rekeyed_by.encode()))
        value = self._writers(RECORDS, "CreditRecord").of_struct(record)
        return Output(RECORDS, record.subject_key.encode(), value, None, trace)

    def forgotten(self, order: Forgotten, partition: int) -> Output:
        """For readers of other topics, who delete their rows."""
        value = self._writers(FORGOTTEN, "Forgotten").of_struct(order)
        return Output(FORGOTTEN, order.subject_key.encode(), value, partition)

    def dossier(self, subject: SubjectState, rules: Rules, partition: int) -> Output:
        """The dossier as it is after the batch; a tombstone when the person was forgotten."""
        summary = subject.summary
        topic = topic_for(DOSSIERS, summary.kind)
        if subject.is_forgotten:
            return Output(topic, summary.subject_key.encode(), None, partition)
        in_force = summary.in_force
        entries, aliases, linked = summary.entries, summary.aliases, summary.linked
        value = {
            "subject_key": summary.subject_key,
            "subject_kind": summary.kind,
            "subject_name": summary.name,
            "identifier": summary.identifier,
            "aliases": [value for _, value in aliases] if aliases else [],
            "region": summary.region,
            "version": summary.version,
            "as_of": subject.as_of_ms,
            "score": summary.score,
            "grade": summary.grade,
            "listed": summary.is_listed,
            "lists": [listing.list_code for listing in in_force if not listing.is_order] if in_force else [],
            "court_orders": [listing.list_code for listing in in_force if listing.is_order] if in_force else [],
            "families": sorted({order.family for listing in in_force for order in listing.orders}) if in_force else [],
            "record_count": sum(summary.counts.values()),
            "adverse_count": len([entry for entry in entries if entry.points < 0]) if entries else 0,
            "edition": rules.edition,
            "receipt_hash": summary.receipt,
            "redirect": summary.redirect,
            "linked": [one.key for one in linked] if linked else [],
            "body": encode(self._detail, _detail(subject, rules)),
            "body_schema": self._detail.body_schema,
        }
        return Output(topic, summary.subject_key.encode(), self._writers(topic, "Dossier")(value), partition)

    def quality(self, decided: Decided, cause: str, now_ms: int) -> Iterable[Output]:
        """Duplicates of a batch, per department and kind; what was accepted is counted by intake."""
        counts: dict[tuple[str, str], int] = {}
        for applied in decided.applied:
            if applied.outcome in ("DUPLICATE", "SUPERSEDED"):
                key = (applied.sender, applied.kind)
                counts[key] = counts.get(key, 0) + 1
        for (department, kind), duplicates in counts.items():
            row = {
                "row_id": digest("quality", "dossier", cause, department, kind),
                "stage": "DOSSIER",
                "department": department,
                "kind": kind,
                "at": now_ms,
                "received": 0,
                "accepted": 0,
                "rejected": 0,
                "late": 0,
                "duplicate": duplicates,
                "corrected": 0,
            }
            yield Output(QUALITY, department.encode(), self._writers(QUALITY, "QualityRow")(row))


def _place_of(emission: Emission) -> tuple[str, str]:
    """Topic and type of an emission."""
    if isinstance(emission, ListingChange):
        return LISTINGS, "ListingChange"
    if isinstance(emission, Alert):
        return ALERTS, "Alert"
    return topic_of_family(emission.family), "MeasureOrder"


_BARE: dict[str, object] = {
    "reasons": [],
    "listings": [],
    "restrictions": [],
    "orders": [],
    "incentives": [],
    "refused": [],
    "disputed": [],
    "waiting_lists": [],
    "terms": [],
}
"""What most dossiers have nothing of."""


def _detail(subject: SubjectState, rules: Rules) -> dict[str, object]:
    summary = subject.summary
    listings, entries = summary.listings, summary.entries
    detail: dict[str, Any] = _BARE.copy()
    detail["identifiers"] = [{"scheme": scheme, "value": value} for scheme, value in summary.aliases]
    detail["counts"] = summary.counts
    detail["parked"] = summary.parked_to - summary.parked_from
    if entries or listings:
        detail["reasons"] = _reasons(summary, subject.scored, rules)
    if listings:
        in_force = summary.in_force
        detail["listings"] = [_listing(listing) for listing in in_force if not listing.is_order]
        detail["restrictions"] = [_listing(listing) for listing in in_force if listing.is_order]
        detail["orders"] = [_order(listing, order) for listing in listings for order in listing.orders]
        detail["refused"] = [_refused(listing, *refused, rules) for listing in listings for refused in listing.refused]
    if summary.incentives:
        detail["incentives"] = [_offer(one, order) for one in summary.incentives for order in one.orders]
    if listings or summary.procedures:
        waiting = {one.list_code for one in listings if one.is_waiting}
        detail["waiting_lists"] = sorted(waiting | {one.list_code for one in summary.procedures if one.is_waiting})
    if summary.terms or entries or listings:
        detail["terms"] = [_term(summary, state, rules) for state in summary.terms]
        detail["terms"] += [_owed_notice(over) for over in summary.repairable if over.lacks_notice]
        detail["disputed"] = _disputed(subject) if summary.terms else []
    return detail


def _disputed(subject: SubjectState) -> list[str]:
    """Records of the facts of which a dispute is open; of a listing also the one that listed."""
    facts = disputed_facts(subject.summary)
    rows = [row for row in map(subject.row, facts) if row is not None]
    listed = [one.record_id for one in subject.summary.listings if one.natural_key in facts]
    return list(dict.fromkeys([*(row.record_id for row in rows), *listed]))


def _term(summary: Summary, state: TermState, rules: Rules) -> dict[str, object]:
    unmet = unmet_by(summary, state, rules)
    return {
        "term": state.term,
        "record_id": state.record_id,
        "document_number": state.document_number,
        "since": state.since,
        "until": state.until,
        "reminders": state.reminders,
        "list": state.list_code,
        "measure": state.measure,
        "waiting": state.waiting,
        "unmet": unmet.conditions,
        "ask_from": unmet.ask_from,
    }


def _owed_notice(over: Entry | ListingState) -> dict[str, object]:
    """The notice how to repair did not come with the decision: its authority still owes it."""
    since, list_code = (over.effective_on, over.list_code) if isinstance(over, ListingState) else (over.since, "")
    return {
        "term": "REPAIR_NOTICE",
        "record_id": over.record_id,
        "document_number": over.document_number,
        "since": since,
        "until": None,
        "reminders": 0,
        "list": list_code,
        "measure": "",
        "waiting": [],
        "unmet": [],
        "ask_from": None,
    }


def _listing(listing: ListingState) -> dict[str, object]:
    return {
        "listing_id": listing.listing_id,
        "list": listing.list_code,
        "record_id": listing.record_id,
        "authority": listing.authority,
        "document_number": listing.document_number,
        "effective_on": listing.effective_on,
        "until": listing.until,
        "suspended": listing.is_suspended,
        "ground": listing.ground,
        "repair_from": listing.repair_from,
        "shielded": listing.is_shielded,
    }


def _order(listing: ListingState, order: OrderState) -> dict[str, object]:
    """An order that follows from a listing."""
    days = (listing.effective_on, listing.until)
    return _active(order, order_state(listing, order), (listing.list_code, listing.listing_id), days)


def _offer(incentive: IncentiveState, order: OrderState) -> dict[str, object]:
    """An offer that follows from an honour or a grade."""
    days = (incentive.since, incentive.until)
    return _active(order, offer_state(incentive, order), (incentive.deserved_by, incentive.record_id), days)


def _active(order: OrderState, state: str, origin: tuple[str, str], days: tuple[int, int | None]) -> dict[str, object]:
    """origin: list and listing, or honour or grade and its record; days: from when to when."""
    return {
        "order_id": order.order_id,
        "family": order.family,
        "measure": order.measure,
        "binding": order.binding,
        "list": origin[0],
        "listing_id": origin[1],
        "effective_on": days[0],
        "until": days[1],
        "acknowledged": order.acknowledged,
        "state": state,
        "declined": order.declined,
        "scope": order.scope,
    }


def _refused(listing: ListingState, code: str, condition: str, rules: Rules) -> dict[str, object]:
    """A measure that does not follow, and why."""
    names = {measure.code: measure.name for measure in rules.measures}
    text, listed = rules.reasons[f"CONDITION_{condition}"].text, rules.lists[listing.list_code].name
    name = names.get(code) or Text(zh=code, en=code)
    return {
        "measure": code,
        "list": listing.list_code,
        "listing_id": listing.listing_id,
        "condition": condition,
        "text_zh": text.zh.format(measure=name.zh, list=listed.zh),
        "text_en": text.en.format(measure=name.en, list=listed.en),
    }


def _reasons(summary: Summary, score: Score | None, rules: Rules) -> list[dict[str, object]]:
    """Severe lists first, since they cap the grade; then what changes the score, the largest deduction first.

    score: where it was made just now.
    """
    if summary.kind not in rules.score.scored_kinds:
        return []
    shown = score.parts if score is not None else parts_on(summary, rules, summary.scored_on)
    lists = [_reason(rules, one.reason, 0, (one.record_id, one.document_number), one.until) for one in summary.in_force]
    parts = [
        _reason(rules, p.entry.reason, p.points, (p.entry.record_id, p.entry.document_number), p.entry.until)
        for p in shown
    ]
    return [*lists, *parts]


def _reason(rules: Rules, code: str, points: int, record: tuple[str, str], until: int | None) -> dict[str, object]:
    words = rules.reasons[code]
    return {
        "code": code,
        "text_zh": words.text.zh,
        "text_en": words.text.en,
        "points": points,
        "record_id": record[0],
        "document_number": record[1],
        "until": until,
        "remedy_zh": words.remedy.zh,
        "remedy_en": words.remedy.en,
    }
