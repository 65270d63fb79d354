"""Wiring of intake."""

from __future__ import annotations

import time

from creditbus.bus.editions import current_edition
from creditbus.bus.loads import Loads
from creditbus.bus.othernumbers import OtherNumbers
from creditbus.bus.pace import BatchPolicy
from creditbus.bus.registry import Registry
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service
from creditbus.bus.settings import read_key
from creditbus.bus.signingkeys import SigningKeys
from creditbus.bus.topics import load_topics
from creditbus.bus.transaction import LoopSettings, Session
from creditbus.bus.vaults import keys_in, open_vault
from creditbus.bus.wire import Types, Writers
from creditbus.bus.worker import work
from creditbus.core.topics import EVENTS_START
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.persons import Persons
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.settings import IntakeSettings
from creditbus.intake.steps import Privacy

GROUP = "creditbus-intake"
_IN_ONE_GO = {"fetch_min_bytes": 16_384, "fetch_wait_max_ms": 50}
"""Events come in little messages on a hundred partitions and more: without this, each is a fetch that names all."""
_EDITION_SECONDS = 30.0
"""How often intake looks for a newer edition; the log, not intake, decides what a record does."""


def main() -> int:
    """Run intake until told to stop."""
    settings = IntakeSettings()
    service = Service("intake", settings.http_address)
    schemas = SchemaSet.load()

    def open_session(registry: Registry) -> Session:
        return Session(_loop_settings(settings), _processor(settings, schemas, registry), service.metrics, None)

    return work(service, settings, open_session)


def _processor(settings: IntakeSettings, schemas: SchemaSet, registry: Registry) -> IntakeProcessor:
    platform_key = read_key(settings.secrets, "platform-token.key")
    persons = Persons(open_vault(settings.vault, keys_in(settings.secrets)))
    types = Types(registry)
    parts = Parts(
        schemas=schemas,
        types=types,
        writers=Writers(registry, schemas),
        privacy=Privacy(tokenise=persons.token_of, seal=persons.seal, expect=persons.expect, keep=persons.keep),
        checking=_Checkings(settings.brokers, OtherNumbers(settings.brokers, types), Loads(settings.brokers, types)),
        gateway_keys={"gateway-1": read_key(settings.secrets, "gateway-hmac.key")},
        signing_key=SigningKeys(settings.secrets),
        payload_key=platform_key,
        records=settings.intake_records,
    )
    return IntakeProcessor(parts)


class _Checkings:
    """What to check against now: the edition in force, looked up now and then, and the time."""

    def __init__(self, brokers: str, other_numbers: OtherNumbers, loads: Loads) -> None:
        self._brokers = brokers
        self._leads_to = other_numbers.leads_to
        self._loads = loads
        self._rules_of = rules_by_hash(brokers)
        self._looked_at = -_EDITION_SECONDS
        self._checking: Checking | None = None

    def __call__(self) -> Checking:
        if self._checking is None or time.monotonic() - self._looked_at > _EDITION_SECONDS:
            rules = self._rules_of(current_edition(self._brokers))
            self._looked_at = time.monotonic()
            self._checking = Checking(rules=rules, code_lists=code_lists_by_kind(rules), now_ms=0)
        return Checking(
            rules=self._checking.rules,
            code_lists=self._checking.code_lists,
            now_ms=int(time.time() * 1000),
            leads_to=self._leads_to,
            is_loading=self._loads.asked_once(),
        )


def _loop_settings(settings: IntakeSettings) -> LoopSettings:
    topics = tuple(topic.name for topic in load_topics() if topic.name.startswith(EVENTS_START))
    return LoopSettings(
        brokers=settings.brokers,
        app=GROUP,
        slot=settings.intake_slot,
        topics=topics,
        fetch=_IN_ONE_GO,
        batch=BatchPolicy(max_messages=settings.intake_batch_messages, every_seconds=settings.intake_batch_seconds),
    )
