"""Wiring of the dossier."""

from __future__ import annotations

from functools import partial

from creditbus.bus.collector import BetweenBatches
from creditbus.bus.places import read_places
from creditbus.bus.registry import Registry
from creditbus.bus.restore import Restorer
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service, Stopping
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import BatchPolicy, LoopSettings, Session, run, state_folder
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.dossier.settings import DossierSettings

GROUP = "creditbus-dossier"
RECORDS = "credit.records"
CHANGELOG = "credit.changelog.dossier"


def main() -> int:
    """Run the dossier until told to stop."""
    settings = DossierSettings()
    service = Service("dossier", settings.http_port)
    schemas = SchemaSet.load()

    def life(stopping: Stopping) -> None:
        between = BetweenBatches()
        registry = Registry(settings.registry_url)
        processor = DossierProcessor(
            LogReader(Types(registry)),
            Outputs(Writers(registry, schemas), schemas),
            rules_by_hash(settings.brokers),
            body_reader(schemas),
            read_log=partial(read_places, settings.brokers, RECORDS),
        )
        restorer = Restorer(
            brokers=settings.brokers,
            changelog=CHANGELOG,
            source=RECORDS,
            open_store=RocksStores(state_folder(settings.data, GROUP, settings.dossier_slot)),
            metrics=service.metrics,
        )
        session = Session(_loop_settings(settings), processor, service.metrics, restorer)
        try:
            # from nought on, so that the first one shows as an increase
            service.metrics.count("creditbus_messages_decided_total", 0, outcome="parked", reason="cause")
            service.health.up()
            run(session, stopping=stopping, between=between)
        finally:
            session.close()
            registry.close()

    return service.main(life)


def _loop_settings(settings: DossierSettings) -> LoopSettings:
    return LoopSettings(
        brokers=settings.brokers,
        app=GROUP,
        slot=settings.dossier_slot,
        topics=(RECORDS,),
        changelog=CHANGELOG,
        batch=BatchPolicy(max_messages=settings.dossier_batch_messages, max_seconds=settings.dossier_batch_seconds),
    )
