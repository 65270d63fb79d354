"""What the gateway works with, and the wait for it: schemas of the registry, departments of the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from creditbus.bus.editions import read_editions
from creditbus.bus.keyring import Keyring
from creditbus.bus.metrics import Metrics
from creditbus.bus.publisher import Publisher
from creditbus.bus.registry import UnknownSchemaError, registry_of
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.wire import Writer, codecs_for
from creditbus.catalogue.editions import Edition, catalogue_from
from creditbus.core.errors import BusError
from creditbus.core.sending import Codec
from creditbus.core.topics import APPROVALS, BREAKER, EVENTS_START
from creditbus.gateway.settings import GatewaySettings

log = structlog.get_logger()

_FORMS = (
    (BREAKER, "ReleaseApproval"),
    (APPROVALS, "EditionApproval"),
    (APPROVALS, "ClockJumpApproval"),
)
"""Topic and type of each kind of approval."""
_RETRY_SECONDS = 1.0
_REFRESH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class InForce:
    """What the gateway takes from the edition of the catalogue that is in force."""

    edition: Edition
    domains: Mapping[str, str]
    """Domain of each department, by its code."""


@dataclass(slots=True, kw_only=True)
class Ports:
    """What the gateway works with; ``codecs``, ``approvals`` and ``in_force`` are filled by the preparation."""

    settings: GatewaySettings
    keyring: Keyring
    stamp_key: bytes
    evidence_key: bytes
    """Signs what was accepted, for senders that ask for evidence."""
    publisher: Publisher
    metrics: Metrics
    schemas: SchemaSet
    codecs: Mapping[str, Mapping[str, Codec]] = field(default_factory=dict)
    approvals: Mapping[str, Writer] = field(default_factory=dict)
    """Of officers' approvals by type, once the registry has told their schemas."""
    in_force: InForce | None = None
    waiting_for: str = "starting"

    @property
    def not_ready(self) -> str:
        """What is missing before events can be taken on; empty when nothing is."""
        if self.waiting_for:
            return self.waiting_for
        return "" if self.publisher.is_connected else "the brokers do not answer; waiting for them"


class Preparation:
    """Waits for registry, schemas and catalogue, saying what it waits for; then keeps the departments up to date."""

    def __init__(self, ports: Ports, in_force: Callable[[], InForce], give_up: Callable[[], None]) -> None:
        """give_up: called when the producer can never send again."""
        self._ports = ports
        self._in_force = in_force
        self._give_up = give_up
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="preparation", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what is being asked just then is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = _RETRY_SECONDS
            try:
                self._refresh()
                pause = _REFRESH_SECONDS
            except (BusError, UnknownSchemaError) as error:
                self._say(str(error))
            if self._ports.publisher.fatal:
                self._give_up()

    def _refresh(self) -> None:
        ports = self._ports
        in_force = self._in_force()
        missing = {name for name in in_force.domains.values() if f"{EVENTS_START}{name}" not in ports.codecs}
        if missing:
            registry = registry_of(ports.settings)
            try:
                new = {f"{EVENTS_START}{name}": codecs_for(name, registry, ports.schemas) for name in sorted(missing)}
            finally:
                registry.close()
            ports.codecs = {**ports.codecs, **new}
        ports.in_force = in_force
        self._say("")
        if not ports.approvals:
            self._prepare_approvals()

    def _prepare_approvals(self) -> None:
        """Events are taken on whether or not approvals can be."""
        registry = registry_of(self._ports.settings)
        try:
            records = self._ports.schemas.records
            self._ports.approvals = {name: Writer(registry, topic, records[name]) for topic, name in _FORMS}
        except (BusError, UnknownSchemaError) as error:
            log.warning("approvals cannot be taken on", problem=str(error))
        finally:
            registry.close()

    def _say(self, waiting_for: str) -> None:
        if self._ports.codecs and waiting_for:
            # what is known still serves; only the refresh failed
            log.warning("departments not refreshed", problem=waiting_for)
        elif waiting_for != self._ports.waiting_for:
            self._ports.waiting_for = waiting_for
            log.info("waiting" if waiting_for else "ready", problem=waiting_for)


def looked_up(brokers: str) -> Callable[[], InForce]:
    """A function that tells the edition in force; its text is read when it is another than before."""
    known: InForce | None = None

    def in_force() -> InForce:
        nonlocal known
        published = read_editions(brokers)
        if known is None or known.edition.hash != published.current:
            edition = published.present
            departments = catalogue_from(edition.text).departments
            known = InForce(edition, {row.code: row.domain for row in departments})
        return known

    return in_force
