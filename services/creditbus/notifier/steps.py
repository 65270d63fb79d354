"""What is sent of a message, to whom, and when it is tried again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from creditbus.core.hashing import digest

_ORDER, _ALERT = "MeasureOrder", "Alert"
ENDING = frozenset({"LIFT", "SUSPEND"})
"""Actions that everybody who was told of an order has to hear of."""
_FIRST_PAUSE_SECONDS = 1.0
PING = "webhook.ping"


class Wanted(Protocol):
    """What a subscription asks for."""

    @property
    def families(self) -> Collection[str]:
        """Families of measures."""

    @property
    def alerts(self) -> Collection[str]:
        """Kinds of alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a webhook (Standard Webhooks): whoever gets it twice knows it by its id."""

    id: str
    type: str
    """measure.order, measure.lift, alert.dishonest_subject, …"""
    subject_key: str
    basis: str
    """What it rests on, for the ledger."""
    fields: tuple[str, ...]
    """What of the subject leaves."""
    body: str


def message_of(
    name: str, value: Mapping[str, Any], wanted: Wanted, regions: Collection[str], current: Collection[str]
) -> Message | None:
    """The message that a value of the log becomes, or None when the subscription does not ask for it.

    name: type of the value; regions: codes of the region whose alerts are asked for, none for everywhere; current:
    families that the department carries out today. Of others it gets what ends or suspends an order alone.
    """
    if name == _ORDER and value["family"] in wanted.families:
        if value["action"] not in ENDING and value["family"] not in current:
            return None
        what = f"measure.{str(value['action']).lower()}"
        return _message(value["message_id"], what, f"{value['measure']} {value['order_id']}", value)
    if name == _ALERT and value["kind"] in wanted.alerts and (not regions or value["region"] in regions):
        return _message(value["alert_id"], f"alert.{str(value['kind']).lower()}", str(value["record_id"]), value)
    return None


def ping_of(message_id: str, at: str) -> Message:
    """A message that tells nothing of anybody, to try an endpoint."""
    body = orjson.dumps({"type": PING, "timestamp": at, "data": {}}).decode()
    return Message(id=message_id, type=PING, subject_key="", basis="", fields=(), body=body)


def _message(message_id: str, what: str, basis: str, value: Mapping[str, Any]) -> Message:
    document = {"type": what, "timestamp": value["at"], "data": value}
    return Message(
        id=message_id,
        type=what,
        subject_key=value["subject_key"],
        basis=basis,
        fields=tuple(sorted(value)),
        body=orjson.dumps(document, option=orjson.OPT_UTC_Z).decode(),
    )


def delivery_id(webhook: str, message_id: str) -> str:
    """Id under which the ledger has a message's way to one webhook, however often it is tried."""
    return digest("delivery", webhook, message_id)


def pause_seconds(attempt: int, asked: str, longest: float) -> float:
    """How long to wait after an attempt, counted from 0. asked: the endpoint's Retry-After, in seconds."""
    least = float(asked) if asked.isascii() and asked.isdigit() else 0.0
    return min(max(_FIRST_PAUSE_SECONDS * 2.0 ** min(attempt, 20), least), longest)


def refused_families(asked: Collection[str], rights: Mapping[str, bool], *, persons: bool) -> list[str]:
    """Families that a department may not have. rights: those that it carries out, and whether against persons too.

    Against persons it gets what it carries out against some: orders of a family that has none for it are none of its
    business, in either form.
    """
    return sorted(family for family in asked if family not in rights or (persons and not rights[family]))
