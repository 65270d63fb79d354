"""Records that wait for the fact that they are about: whatever order they come in, they take effect after it.

They are kept under the natural key of that fact, wherever corrections move it. What is about a record that waits does
not wait for it: once revoked, it stays without effect when its time comes.
"""

from __future__ import annotations

import msgspec

from creditbus.core.records import CreditRecord
from creditbus.core.state import WAITING, EventRow, Row
from creditbus.core.subject import SubjectView


def hold(view: SubjectView, record: CreditRecord, final: str | None) -> None:
    """Keep a record until its target is on file. final: the state in which its fact stays for good."""
    assert record.target_key is not None
    _add(view, record.target_key, [record])
    state = final or WAITING
    view.set_row(record.natural_key, Row(record.record_id, record.revision, record.event_key, record.kind, state))
    view.set_event(record.event_key, EventRow(record.revision, record.record_id, record.natural_key))


def release(view: SubjectView, natural_key: str) -> list[CreditRecord]:
    """What waited for a fact, which is on file now, in order of arrival."""
    if natural_key not in view.summary.held:
        return []
    waiting = view.held(natural_key)
    _keep(view, natural_key, [])
    return waiting


def stop_waiting(view: SubjectView, event_key: str) -> list[CreditRecord]:
    """A later revision of an event is told: the earlier ones that waited never take effect."""
    stopped = []
    for key in list(view.summary.held):
        waiting = view.held(key)
        left = [one for one in waiting if one.event_key != event_key]
        if len(left) != len(waiting):
            stopped += [one for one in waiting if one.event_key == event_key]
            _keep(view, key, left)
    return stopped


def move_waiting(view: SubjectView, key: str, there: str) -> None:
    """A correction tells a fact under another natural key: what waits for it waits there."""
    if waiting := release(view, key):
        _add(view, there, [msgspec.structs.replace(one, target_key=there) for one in waiting])


def _add(view: SubjectView, key: str, records: list[CreditRecord]) -> None:
    view.set_held(key, [*view.held(key), *records])
    if key not in view.summary.held:
        view.summary.held.append(key)


def _keep(view: SubjectView, key: str, records: list[CreditRecord]) -> None:
    view.set_held(key, records)
    if not records:
        view.summary.held.remove(key)
