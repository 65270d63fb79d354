"""A service that is one transactional loop: its lives, each with a registry, a session and the collector's turn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from creditbus.bus.collector import BetweenBatches
from creditbus.bus.registry import Registry, registry_of
from creditbus.bus.service import Service, Stopping
from creditbus.bus.settings import ServiceSettings
from creditbus.bus.transaction import Session, run


def work(service: Service, settings: ServiceSettings, open_session: Callable[[Registry], Session]) -> int:
    """Process batches until told to stop; returns the exit code.

    open_session: makes the session of each life, from the life's registry.
    """

    def life(stopping: Stopping) -> None:
        between = BetweenBatches()
        with closing(registry_of(settings)) as registry, closing(open_session(registry)) as session:
            service.health.up()
            run(session, stopping=stopping, between=between)

    return service.main(life)
