"""Wiring of the notifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import datetime

import structlog

from creditbus.bus.audit import Ledger
from creditbus.bus.editions import watch_edition
from creditbus.bus.registry import registry_of
from creditbus.bus.rules import rules_in_force
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.bus.wire import Types
from creditbus.core.errors import SettingsError
from creditbus.core.identifiers import codes_in
from creditbus.core.records import BEIJING
from creditbus.core.rules import Rules
from creditbus.core.subscribers import families_of
from creditbus.notifier.endpoint import Endpoints
from creditbus.notifier.settings import NotifierSettings
from creditbus.notifier.steps import refused_families
from creditbus.notifier.subscriptions import Subscription, read_subscriptions
from creditbus.notifier.worker import STATES, Condition, Ports, Worker

log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_END_SECONDS = 3.0
WEBHOOKS = "webhooks"
"""Under which the health of the notifier tells how each webhook stands."""


def main() -> int:
    """Run the notifier until told to stop."""
    settings = NotifierSettings()
    service = Service("notifier", settings.http_address)

    def life(stopping: Stopping) -> None:
        registry = registry_of(settings)
        rules = rules_in_force(settings.brokers)
        has_changed = watch_edition(settings.brokers, rules.edition)
        with ExitStack() as opened:
            opened.enter_context(closing(registry))
            ports = Ports(
                brokers=settings.brokers,
                types=Types(registry),
                ledger=opened.enter_context(closing(Ledger(settings.brokers, registry, SchemaSet.load()))),
                endpoints=opened.enter_context(closing(Endpoints(settings.notifier_timeout_seconds))),
                metrics=service.metrics,
                longest_pause_seconds=settings.notifier_longest_pause_seconds,
                codes_of=lambda region: frozenset(codes_in(rules.regions, region)),
                families_today=lambda department: families_of(department, datetime.now(BEIJING).date(), rules),
            )
            desk = Desk(ports, rules)
            opened.callback(desk.close)
            service.health.up()
            log.info("serving", edition=rules.edition)

            def is_over() -> bool:
                return stopping() or has_changed()  # the next life knows the subscribers of the new edition

            run(desk, lambda: read_subscriptions(settings.secrets), service, is_over)

    return service.main(life)


def run(desk: Desk, read: Callable[[], Mapping[str, Subscription]], service: Service, stopping: Stopping) -> None:
    """Serve the webhooks of the file, as it is now, over and over. A file that cannot be read changes nothing."""
    problem = ""
    while not stopping():
        try:
            desk.serve(read())
            problem = ""
        except SettingsError as error:
            if str(error) != problem:
                problem = str(error)
                log.error("webhooks stay as they were", problem=problem)
        conditions = desk.conditions()
        service.health.facts[WEBHOOKS] = {name: asdict(one) for name, one in conditions.items()}
        for state in STATES:
            number = sum(one.state == state for one in conditions.values())
            service.metrics.set("creditbus_webhooks", number, state=state)
        time.sleep(_LOOK_SECONDS)


class Desk:
    """The webhooks that are served now."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._rules = rules
        self._workers: dict[str, Worker] = {}
        self._refused: dict[str, Condition] = {}

    def serve(self, wanted: Mapping[str, Subscription]) -> None:
        """Stop what is not wanted any more, or otherwise; start what is new."""
        allowed = {name: one for name, one in wanted.items() if self._is_allowed(name, one)}
        gone = [name for name, one in self._workers.items() if name not in allowed or not one.serves(allowed[name])]
        for name in gone:
            self._workers[name].stop()
        for name in gone:
            self._workers.pop(name).join(_END_SECONDS)
            self._ports.metrics.forget("creditbus_webhook_failing", webhook=name)
            log.info("webhook ends", webhook=name)
        for name in allowed.keys() - self._workers.keys():
            self._workers[name] = Worker(self._ports, name, allowed[name])
            log.info("webhook begins", webhook=name, department=allowed[name].department)
        self._refused = {name: one for name, one in self._refused.items() if name in wanted and name not in allowed}

    def conditions(self) -> dict[str, Condition]:
        """How each webhook stands."""
        return {**self._refused, **{name: one.condition for name, one in self._workers.items()}}

    def close(self) -> None:
        """End every webhook."""
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join(_END_SECONDS)

    def _is_allowed(self, name: str, subscription: Subscription) -> bool:
        """Whether the department may have what it asks for; said once where it may not."""
        rights = families_of(subscription.department, None, self._rules)
        refused = refused_families(subscription.families, rights, persons=subscription.persons)
        if refused and name not in self._refused:
            told = f"{subscription.department} does not carry out {', '.join(refused)}"
            self._refused[name] = Condition(state="refused", told=told)
            log.error("webhook is refused", webhook=name, problem=told)
        return not refused
