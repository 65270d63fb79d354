"""The decisions of the gateway: who may send what, what fits its schema, what the sender is told."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from creditbus.core.outcome import Fault
from creditbus.core.problems import Problem
from creditbus.core.processing import Output
from creditbus.core.topics import EVENTS_START
from creditbus.gateway import faults
from creditbus.gateway.problems import ALL_REJECTED, ALL_UNKNOWN, WRONG_SHAPE, too_many_events
from creditbus.gateway.reading import Read

PRODUCER, SUBSCRIBER = "producer", "subscriber"
ACKNOWLEDGEMENT = "MeasureAcknowledgement"
KEY_ID = "gateway-1"
_SHOWN_ID = 64


class Status(StrEnum):
    """What the gateway can say about one event; what becomes of it later is look-up's to say."""

    RECEIVED = "RECEIVED"
    """All in-sync replicas have it."""
    REJECTED = "REJECTED"
    """It does not fit its schema, and was not sent on."""
    UNKNOWN = "UNKNOWN"
    """Not acknowledged in time: send it again with the same event_id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who is asking, as proven by the key."""

    department: str
    domain: str
    roles: frozenset[str]

    @property
    def topic(self) -> str:
        """Where its events go."""
        return f"{EVENTS_START}{self.domain}"

    def may_send(self, kind: str) -> bool:
        """Subscribers acknowledge; reporting departments send everything."""
        return PRODUCER in self.roles or (SUBSCRIBER in self.roles and kind == ACKNOWLEDGEMENT)

    @property
    def may_send_any(self) -> bool:
        """Whether there is any kind that it may send."""
        return not self.roles.isdisjoint((PRODUCER, SUBSCRIBER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """How events of one kind are read and written for one topic."""

    read: Read
    write: Callable[[Mapping[str, object]], bytes]


@dataclass(frozen=True, slots=True)
class Judged:
    """One event after the checks of form: framed bytes, or faults."""

    event_id: str
    value: bytes
    faults: tuple[Fault, ...] = ()


def events_of(body: object, limit: int) -> list[object] | Problem:
    """The events of a parsed request body: one object with ``kind``, or {"events": [...]}."""
    if not isinstance(body, dict):
        return WRONG_SHAPE
    if "kind" in body or "event_id" in body:
        return [body]
    events = body.get("events")
    if not isinstance(events, list) or not events or len(body) > 1:
        return WRONG_SHAPE
    return events if len(events) <= limit else too_many_events(len(events), limit)


def judge(event: object, sender: Sender, codecs: Mapping[str, Codec], limit_bytes: int) -> Judged:
    """Check the form of one event and encode it; every fault of form is named at once."""
    if not isinstance(event, dict):
        return Judged("", b"", (faults.wrong_type("", wanted_zh="对象", wanted_en="an object", given=event),))
    fields = dict(event)
    kind = fields.pop("kind", None)
    event_id = fields.get("event_id")
    shown_id = event_id[:_SHOWN_ID] if isinstance(event_id, str) else ""
    if kind is None:
        return Judged(shown_id, b"", (faults.missing_field("kind"),))
    codec = codecs.get(kind) if isinstance(kind, str) else None
    if codec is None:
        return Judged(shown_id, b"", (faults.unknown_kind(codecs),))
    found: list[Fault] = []
    if not sender.may_send(kind):
        found.append(faults.kind_not_allowed(kind))
    value = codec.read(fields, "", found)
    if found or not isinstance(value, dict):
        return Judged(shown_id, b"", tuple(found))
    data = codec.write(value)
    if len(data) > limit_bytes:
        return Judged(shown_id, b"", (faults.too_large(len(data), limit_bytes),))
    return Judged(value["event_id"], data)


def message_of(judged: Judged, sender: Sender, stamp_key: bytes) -> Output:
    """The message of a well-formed event, stamped for the sender that the key proved.

    The stamp is HMAC-SHA-256(key, department || 0x00 || value), hex; intake refuses what does not verify.
    """
    department = sender.department.encode()
    signature = hmac.digest(stamp_key, department + b"\x00" + judged.value, "sha256").hex()
    headers = (("sender", department), ("sig", signature.encode()), ("kid", KEY_ID.encode()))
    return Output(sender.topic, judged.event_id.encode(), judged.value, None, headers)


def statuses_of(judged: Sequence[Judged], acknowledged: Sequence[bool]) -> list[Status]:
    """The status of each event; ``acknowledged`` has one entry per well-formed event, in order."""
    reports = iter(acknowledged)
    return [Status.REJECTED if one.faults else Status.RECEIVED if next(reports) else Status.UNKNOWN for one in judged]


def results_of(judged: Sequence[Judged], statuses: Sequence[Status], lookup_url: str) -> list[dict[str, object]]:
    """What the sender is told, one entry per event in the order sent."""
    return [
        {
            "index": index,
            "event_id": one.event_id,
            "status": status,
            "faults": [_fault_json(fault) for fault in one.faults],
            "track": f"{lookup_url}/v1/events/{one.event_id}",
        }
        for index, (one, status) in enumerate(zip(judged, statuses, strict=True))
    ]


def answer_status(statuses: Collection[Status]) -> int | Problem:
    """202 when all were received, 207 when some were; a problem when none was."""
    counts = Counter(statuses)
    if counts[Status.RECEIVED] == len(statuses):
        return 202
    if counts[Status.REJECTED] == len(statuses):
        return ALL_REJECTED
    if counts[Status.UNKNOWN] == len(statuses):
        return ALL_UNKNOWN
    return 207


def _fault_json(fault: Fault) -> dict[str, str]:
    return {
        "code": fault.code.value,
        "field": fault.field,
        "problem_zh": fault.problem_zh,
        "problem_en": fault.problem_en,
        "remedy_zh": fault.remedy_zh,
        "remedy_en": fault.remedy_en,
    }
