"""Who may send what, and what fits its schema: what the gateway and a department's own producer check alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from creditbus.core import formfaults as faults
from creditbus.core.forms import Read
from creditbus.core.outcome import Fault
from creditbus.core.topics import EVENTS_START

PRODUCER, SUBSCRIBER = "producer", "subscriber"
ACKNOWLEDGEMENT = "MeasureAcknowledgement"
LARGEST_EVENT_BYTES = 512 * 1024
"""Of the contract, without the frame; a gateway may take less."""
_SHOWN_ID = 64


def may_send(roles: Set[str], kind: str) -> bool:
    """Subscribers acknowledge; reporting departments send everything."""
    return PRODUCER in roles or (SUBSCRIBER in roles and kind == ACKNOWLEDGEMENT)


def topic_of(domain: str) -> str:
    """Where the events of a domain's departments go."""
    return f"{EVENTS_START}{domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who is asking, as proven by the key."""

    department: str
    domain: str
    roles: frozenset[str]

    @property
    def topic(self) -> str:
        """Where its events go."""
        return topic_of(self.domain)

    def may_send(self, kind: str) -> bool:
        """Subscribers acknowledge; reporting departments send everything."""
        return may_send(self.roles, kind)

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
