"""Checks of events that did not come through a gateway: what it would have seen to, intake sees to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from creditbus.core.events import Direct, Event
from creditbus.core.outcome import Fault, Reason
from creditbus.core.sending import ACKNOWLEDGEMENT, may_send, topic_of
from creditbus.intake.checks import Checking, fault

_Check = Callable[[Event, Direct, Checking, list[Fault]], None]
_SHOWN = 40


def check_topic(event: Event, direct: Direct, checking: Checking, found: list[Fault]) -> None:
    """A department's events are on the topic of its domain, as the gateway routes them."""
    department = checking.rules.departments.get(event.sender)
    if department is not None and direct.topic != topic_of(department.domain):
        found.append(fault(Reason.MISPLACED, "topic", direct.topic, checking, [topic_of(department.domain)]))


def check_key(event: Event, direct: Direct, checking: Checking, found: list[Fault]) -> None:
    """The key of the message is the event's id: a rejection is found by it."""
    if direct.key != event.head.event_id.encode():
        shown = event.head.event_id[:_SHOWN]
        found.append(fault(Reason.MISPLACED, "key", "-", checking, [shown]))


def check_kind(event: Event, direct: Direct, checking: Checking, found: list[Fault]) -> None:
    """The department may send this kind."""
    if not may_send(direct.roles, event.kind):
        found.append(fault(Reason.ITEM_NOT_ALLOWED, "kind", event.kind, checking, [ACKNOWLEDGEMENT]))


def check_own_authority(event: Event, direct: Direct, checking: Checking, found: list[Fault]) -> None:
    """A department signs for its own decisions, and for nobody else's."""
    department = checking.rules.departments.get(event.sender)
    if department is not None and event.head.authority not in department.authorities:
        code = event.head.authority[:_SHOWN]
        found.append(fault(Reason.FOREIGN_AUTHORITY, "authority", code, checking, department.authorities))


DIRECT_CHECKS: Sequence[_Check] = (check_topic, check_key, check_kind, check_own_authority)


def direct_faults_of(event: Event, direct: Direct, checking: Checking) -> list[Fault]:
    """Every fault of the way an event came."""
    found: list[Fault] = []
    for check in DIRECT_CHECKS:
        check(event, direct, checking, found)
    return found
