"""Wiring of the dossier."""

from __future__ import annotations

from contextlib import closing

from creditbus.bus.pace import BatchPolicy
from creditbus.bus.places import PlaceReader
from creditbus.bus.recent import RecentMessages
from creditbus.bus.registry import Registry
from creditbus.bus.restore import Restorer
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.service import Service
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import LoopSettings, Session, state_folder
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.bus.worker import work
from creditbus.core.alerts import ALERT_KINDS
from creditbus.core.topics import DOSSIER_CHANGELOG, RECORDS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.dossier.settings import DossierSettings

GROUP = "creditbus-dossier"


def main() -> int:
    """Run the dossier until told to stop."""
    settings = DossierSettings()
    service = Service("dossier", settings.http_address)
    schemas = SchemaSet.load()
    places = PlaceReader(settings.brokers, RECORDS)

    def open_session(registry: Registry) -> Session:
        processor = DossierProcessor(
            LogReader(Types(registry)),
            Outputs(Writers(registry, schemas), schemas),
            rules_by_hash(settings.brokers),
            body_reader(schemas),
            read_log=RecentMessages(places, settings.data),
        )
        restorer = Restorer(
            brokers=settings.brokers,
            changelog=DOSSIER_CHANGELOG,
            source=RECORDS,
            open_store=RocksStores(state_folder(settings.data, GROUP, settings.dossier_slot)),
            metrics=service.metrics,
        )
        # from nought on, so that the first one shows as an increase
        service.metrics.count("creditbus_messages_decided_total", 0, outcome="parked", reason="cause")
        for kind in ALERT_KINDS:
            service.metrics.count("creditbus_alerts_total", 0, kind=kind)
        return Session(_loop_settings(settings), processor, service.metrics, restorer)

    with closing(places):
        return work(service, settings, open_session)


def _loop_settings(settings: DossierSettings) -> LoopSettings:
    return LoopSettings(
        brokers=settings.brokers,
        app=GROUP,
        slot=settings.dossier_slot,
        topics=(RECORDS,),
        changelog=DOSSIER_CHANGELOG,
        batch=BatchPolicy(max_messages=settings.dossier_batch_messages, every_seconds=settings.dossier_batch_seconds),
    )
