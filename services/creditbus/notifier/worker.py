"""One webhook's thread: message by message, each taken by the endpoint before the next is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import Message as KafkaMessage

from creditbus.bus.audit import Access, Ledger
from creditbus.bus.metrics import Metrics
from creditbus.bus.wire import Types, read_value
from creditbus.core.errors import BusError
from creditbus.core.framing import WireError
from creditbus.notifier.endpoint import Endpoints, now
from creditbus.notifier.log import SubscribedLog
from creditbus.notifier.steps import Message, delivery_id, message_of, pause_seconds
from creditbus.notifier.subscriptions import Subscription, actor_of

log = structlog.get_logger()

_RETRY_SECONDS = 1.0
STATES = ("starting", "waiting", "failing", "refused")
"""Waiting is for messages; refused is a webhook whose department may not have what it asks for."""
DELIVERED, PASSED_OVER = "delivered", "passed over"
"""How the ledger says that a message is done with; the second with the reason."""
DELIVERY = "delivery"
"""Purpose under which the ledger has what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What every webhook is served with."""

    brokers: str
    types: Types
    ledger: Ledger
    endpoints: Endpoints
    metrics: Metrics
    longest_pause_seconds: float
    codes_of: Callable[[str], frozenset[str]]
    """Codes of a region and of what belongs to it."""
    families_today: Callable[[str], Collection[str]]
    """Families that a department carries out today."""


@dataclass(slots=True)
class Condition:
    """How a webhook stands: written by its thread, read by whoever asks."""

    state: str = "starting"
    """One of STATES."""
    since: str = ""
    told: str = ""
    """What the endpoint answered last, or what is in the way."""
    message: str = ""
    """Id of the message that the endpoint does not take."""
    sent: int = 0
    """Messages that it took since the start."""


class Worker:
    """Serves one webhook, in a thread of its own, until it is stopped or the webhook becomes another."""

    def __init__(self, ports: Ports, name: str, subscription: Subscription) -> None:
        self.condition = Condition()
        self._ports = ports
        self._name = name
        self._subscription = subscription
        self._passed_over: Mapping[str, str] = subscription.passed_over
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"webhook-{name}", daemon=True)
        self._thread.start()

    def serves(self, subscription: Subscription) -> bool:
        """Whether this is the subscription as it is served; what is passed over may have grown, and is taken on."""
        self._passed_over = subscription.passed_over
        return subscription.model_copy(update={"passed_over": {}}) == self._subscription.model_copy(
            update={"passed_over": {}}
        )

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(SubscribedLog(self._ports.brokers, self._name, self._subscription)) as messages:
                    self._stand("waiting")
                    self._send_all(messages)
            except BusError as error:
                self._stand("failing", told=str(error))
                log.warning("waiting", webhook=self._name, problem=str(error))
                self._stop.wait(_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - a fault of ours must be seen, and must not end what is sent
                self._stand("failing", told=type(error).__name__)
                log.error("a fault of the program", webhook=self._name, problem=type(error).__name__)
                self._stop.wait(self._ports.longest_pause_seconds / 10)

    def _send_all(self, messages: SubscribedLog) -> None:
        """1. read   2. choose   3. record   4. send until it is taken   5. keep the position."""
        regions = self._ports.codes_of(self._subscription.region) if self._subscription.region else frozenset()
        for raw in messages.messages(self._stop.is_set):
            decoded = self._decoded(raw)
            today = self._ports.families_today(self._subscription.department)
            message = message_of(*decoded, self._subscription, regions, today) if decoded is not None else None
            if message is None:
                messages.passed(raw)
            elif self._deliver(message):
                messages.done(raw)
            else:
                return

    def _decoded(self, raw: KafkaMessage) -> tuple[str, dict[str, Any]] | None:
        """Type and value; None for rubbish, which the warehouse tells of. Raises RetryLaterError."""
        try:
            schema, value = read_value(self._ports.types, raw.value(), raw=False)
        except (WireError, LookupError, ValueError) as error:
            self._ports.metrics.count("creditbus_dead_letters_total", reason=type(error).__name__)
            log.error("passed over", webhook=self._name, topic=raw.topic(), offset=raw.offset())
            return None
        return schema.short_name, value

    def _deliver(self, message: Message) -> bool:
        """Whether the message may be left behind: it was taken, or an operator passed it over. False when stopping."""
        self._record(message, "sent")  # before it leaves
        attempt = 0
        while not self._stop.is_set():
            if message.id in self._passed_over:
                self._record(message, f"{PASSED_OVER}: {self._passed_over[message.id]}")
                log.warning("passed over", webhook=self._name, message=message.id)
                self._stand("waiting")
                return True
            answer = self._ports.endpoints.send(self._subscription, message)
            outcome = "delivered" if answer.is_taken else "refused"
            self._ports.metrics.count("creditbus_webhook_messages_total", webhook=self._name, outcome=outcome)
            if answer.is_taken:
                self._record(message, DELIVERED)
                self.condition.sent += 1
                self._stand("waiting", told=answer.told)
                return True
            self._stand("failing", told=answer.told, message=message.id)
            pause = pause_seconds(attempt, answer.retry_after, self._ports.longest_pause_seconds)
            if attempt == 0:
                log.warning("not taken", webhook=self._name, message=message.id, told=answer.told)
            self._wait(pause, message.id)
            attempt += 1
        return False

    def _wait(self, seconds: float, message_id: str) -> None:
        """Let time pass, unless the message is passed over meanwhile."""
        until = time.monotonic() + seconds
        while not self._stop.is_set() and message_id not in self._passed_over:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._stop.wait(min(left, 0.5))

    def _record(self, message: Message, result: str) -> None:
        """Put the delivery on the ledger, under one id however often. Raises RetryLaterError: nothing leaves unseen."""
        access = Access(
            actor=actor_of(self._name),
            role="subscriber",
            department=self._subscription.department,
            purpose=DELIVERY,
            basis=message.basis,
            subject_key=message.subject_key,
            fields=message.fields,
            endpoint=message.type,
            result=result,
        )
        self._ports.ledger.record(access, delivery_id(self._name, message.id))

    def _stand(self, state: str, *, told: str = "", message: str = "") -> None:
        """Say how the webhook stands; a state has begun when it was last another one."""
        if state != self.condition.state:
            self.condition.since = now().isoformat(timespec="seconds")
        self.condition.state, self.condition.message = state, message
        self.condition.told = told or (self.condition.told if state == "waiting" else "")
        is_failing = 1.0 if state == "failing" else 0.0
        self._ports.metrics.set("creditbus_webhook_failing", is_failing, webhook=self._name)
