"""Following orders and lifts of measures, and acknowledging them.

with Subscriber(brokers, registry_url, group="150100-ggzy") as subscriber, BusClient(gateway_url, key) as bus:
    for order in subscriber.orders(["M01"]):
        apply_or_lift(order)                      # may be called again for the same order_id after a crash
        bus.send([acknowledgement_of(order, sender="150100-ggzy", authority="11…", region="150100",
                                     item="…", at=datetime.now(UTC))])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

from creditbus.bus.follower import Follower
from creditbus.bus.topics import topic_of_family
from creditbus.client.producer import Event, event_id_for
from creditbus.core.records import BEIJING

ORDER, SUSPEND, RESUME, LIFT = "ORDER", "SUSPEND", "RESUME", "LIFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One message of a family of measures."""

    order_id: str
    message_id: str
    action: str
    """ORDER, SUSPEND, RESUME or LIFT."""
    family: str
    measure: str
    binding: str
    subject_key: str
    subject_kind: str
    subject_name: str
    identifier: str
    effective_on: date
    until: date | None
    fictitious: bool
    text_zh: str
    text_en: str

    @classmethod
    def from_value(cls, value: dict[str, Any]) -> Order:
        """Of a decoded creditbus.records.MeasureOrder; fields that a newer bus adds are left out."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__})


class Subscriber:
    """Orders of some families for one subscriber. Committed messages only; at least once; in order per subject."""

    def __init__(self, brokers: str, registry_url: str, *, group: str) -> None:
        """group: name under which the position is kept; one per subscriber."""
        self._follower = Follower(brokers, registry_url, group)

    def orders(
        self, families: Sequence[str], *, persons: bool = False, stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Order]:
        """Orders as they come, from the first on. persons: also the restricted twins for natural persons."""
        suffixes = ("", ".person") if persons else ("",)
        topics = dict.fromkeys(f"{topic_of_family(family)}{suffix}" for family in families for suffix in suffixes)
        for name, value in self._follower.values(list(topics), stopping):
            if name == "MeasureOrder" and value["family"] in families:
                yield Order.from_value(value)

    def close(self) -> None:
        """Leave the group."""
        self._follower.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Who carries measures out, as its acknowledgements say it."""

    sender: str
    """Code of the department."""
    authority: str
    region: str
    item: str
    """Catalogue item of acknowledgements (执行反馈)."""


def answer_number(department: str, message_id: str) -> str:
    """Number of the document that answers a message, whichever way the answer takes."""
    return f"{department}-{message_id}"


def acknowledgement_of(order: Order, executor: Executor, *, at: datetime, state: str = "", note: str = "") -> Event:
    """The event that acknowledges an order or a lift; sent twice it is one acknowledgement.

    state: APPLIED, LIFTED or NOT_APPLICABLE; left out it follows from the action. at: aware.
    """
    lifted = order.action in (LIFT, SUSPEND)
    action = LIFT if lifted else ORDER
    day = at.astimezone(BEIJING).date().isoformat()
    return {
        "kind": "MeasureAcknowledgement",
        "event_id": event_id_for(executor.sender, "MeasureAcknowledgement", order.message_id),
        "item": executor.item,
        "authority": executor.authority,
        "region": executor.region,
        "reported_at": at.isoformat(timespec="milliseconds"),
        "fictitious": order.fictitious,
        "subject": {
            "kind": order.subject_kind,
            "name": order.subject_name,
            "identifiers": [{"scheme": "SUBJECT_KEY", "value": order.subject_key}],
        },
        "document": {"number": answer_number(executor.sender, order.message_id), "decided_on": day},
        "facts": {
            "order_id": order.order_id,
            "family": order.family,
            "action": action,
            "state": state or ("LIFTED" if lifted else "APPLIED"),
            "done_on": day,
            "note": note,
        },
    }
