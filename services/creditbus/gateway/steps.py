"""The decisions of the gateway: what a request holds, what goes to Kafka, what the sender is told.

Who may send what, and what fits its schema, is core/sending.py's: departments that write to Kafka go by it too.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from creditbus.core.outcome import Fault
from creditbus.core.problems import Problem
from creditbus.core.processing import Output
from creditbus.core.sending import Judged, Sender
from creditbus.gateway.problems import ALL_REJECTED, ALL_UNKNOWN, WRONG_SHAPE, too_many_events

KEY_ID = "gateway-1"


class Status(StrEnum):
    """What the gateway can say about one event; what becomes of it later is look-up's to say."""

    RECEIVED = "RECEIVED"
    """All in-sync replicas have it."""
    REJECTED = "REJECTED"
    """It does not fit its schema, and was not sent on."""
    UNKNOWN = "UNKNOWN"
    """Not acknowledged in time: send it again with the same event_id."""


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


def with_evidence(
    results: Sequence[Mapping[str, object]], statuses: Sequence[Status], entries: Iterable[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """The results, those of received events with their entry; ``entries`` has one for each of these, in order."""
    left = iter(entries)
    return [
        {**result, "evidence": next(left)} if status is Status.RECEIVED else result
        for result, status in zip(results, statuses, strict=True)
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
