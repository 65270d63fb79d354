"""Wiring of the breaker."""

from __future__ import annotations

import time
from typing import Any

import structlog

from creditbus.breaker.loads import Loads, reason_of
from creditbus.breaker.log import BreakerLog
from creditbus.breaker.settings import BreakerSettings
from creditbus.breaker.steps import Approval, Breaker, Decision
from creditbus.bus.editions import watch_edition
from creditbus.bus.metrics import Metrics
from creditbus.bus.registry import registry_of
from creditbus.bus.rules import rules_in_force
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.core.alerts import organ_alert
from creditbus.core.breaker import CALM, HOLD, RELEASE, ROLL_BACK, WATCH, rule_for
from creditbus.core.loading import COMPLETE, department_of, is_load, load_id_of
from creditbus.core.records import Alert
from creditbus.core.rules import Rules

log = structlog.get_logger()

_ALERTS = {HOLD: "SOURCE_HELD", RELEASE: "SOURCE_RELEASED", ROLL_BACK: "SOURCE_ROLLED_BACK"}
_ALERTS_OF_LOADS = {
    HOLD: "LOAD_OPENED",
    COMPLETE: "LOAD_COMPLETED",
    RELEASE: "LOAD_RELEASED",
    ROLL_BACK: "LOAD_ROLLED_BACK",
}


def main() -> int:
    """Run the breaker until told to stop."""
    settings = BreakerSettings()
    service = Service("breaker", settings.http_address)
    schemas = SchemaSet.load()

    def life(stopping: Stopping) -> None:
        registry = registry_of(settings)
        rules = rules_in_force(settings.brokers)
        has_changed = watch_edition(settings.brokers, rules.edition)
        log_of_sources = BreakerLog(settings.brokers, registry, schemas)
        try:
            service.health.up()
            log.info("counting", edition=rules.edition)

            def is_over() -> bool:
                return stopping() or has_changed()  # the next life counts by the bands of the new edition

            run(log_of_sources, rules, settings.breaker_look_seconds, service.metrics, is_over)
        finally:
            log_of_sources.close()
            registry.close()

    return service.main(life)


def run(log_of_sources: BreakerLog, rules: Rules, look_seconds: float, metrics: Metrics, stopping: Stopping) -> None:
    """Count listings and approvals, and order what is due, over and over.

    1. follow  the window's listings, and all orders and approvals
    2. count   what has come
    3. order   what is due, once everything that was there has been counted
    """
    breaker, loads = Breaker(lambda source: rule_for(rules, source)), Loads()
    longest = max((row.window_hours for row in rules.breakers), default=1)
    log_of_sources.follow(_now_ms() - longest * 3_600_000)
    while not stopping():
        for kind, value in log_of_sources.read(look_seconds):
            count(breaker, loads, kind, value)
        if log_of_sources.is_caught_up:  # before, a release may still follow what looks like a flood
            for decision in [*breaker.due(_now_ms()), *loads.due(_now_ms())]:
                log_of_sources.order(decision, _reason(decision), alert_of(decision, rules))
                _note(breaker, loads, decision.source, decision.action, (decision.control_id, decision.at_ms))
                log.warning("source", source=decision.source, action=decision.action, listings=decision.listings)
        for action in (WATCH, HOLD):
            number = sum(one.action == action for one in breaker.sources.values())
            metrics.set("creditbus_breaker_sources", number, action=action.lower())
        for action in (HOLD, COMPLETE):
            metrics.set("creditbus_breaker_loads", loads.count(action), action=action.lower())


def _note(breaker: Breaker, loads: Loads, source: str, action: str, order: tuple[str, int]) -> None:
    """An order stands on the log. order: its id and time."""
    if is_load(source):
        loads.ordered(source, action)
    else:
        breaker.ordered(source, action, *order)


def count(breaker: Breaker, loads: Loads, kind: str, value: dict[str, Any]) -> None:
    """Tell who counts of a message."""
    source = value["source"]
    if kind == "SourceOrder":
        _note(breaker, loads, source, value["action"], (value["control_id"], value["at"]))
    elif kind == "ReleaseApproval":
        approval = Approval(
            source=source, hold_id=value["hold_id"], officer=value["officer"], action=value.get("action", RELEASE)
        )
        (loads if is_load(source) else breaker).approved(approval)
    elif kind == "ListingChange" and source and value["cause"] in ("DECIDED", "BREAKER"):
        breaker.listed(source, value["listing_id"], value["at"])


def alert_of(decision: Decision, rules: Rules) -> Alert | None:
    """What the office is told of a hold and of its release; the source is the subject, an organ of government."""
    kinds = _ALERTS_OF_LOADS if is_load(decision.source) else _ALERTS
    kind = kinds.get(decision.action)
    department = rules.departments.get(department_of(decision.source))
    if kind is None or department is None or f"EMIT_{kind}" not in rules.reasons:
        return None
    facts = {"listings": decision.listings, "band": decision.band, "load": load_id_of(decision.source)}
    facts["officers"] = ", ".join(decision.approved_by)
    return organ_alert(rules, kind, department, decision.control_id, decision.at_ms, **facts)


def _reason(decision: Decision) -> str:
    if is_load(decision.source):
        return reason_of(decision)
    if decision.action in (RELEASE, ROLL_BACK):
        done = "released" if decision.action == RELEASE else "rolled back"
        return f"{done} by {' and '.join(decision.approved_by)}"
    if decision.action == CALM:
        return f"{decision.listings} listings within the window: below the band again"
    return f"{decision.listings} listings within {decision.window_hours} hours, more than {decision.band}"


def _now_ms() -> int:
    return int(time.time() * 1000)
