"""Wiring of merge."""

from __future__ import annotations

from functools import partial

from creditbus.bus.pace import BatchPolicy
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.restore import Restorer
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.service import Service
from creditbus.bus.store import RocksStores
from creditbus.bus.topics import merge_changelog, mirrored_records
from creditbus.bus.transaction import LoopSettings, Session, state_folder
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.bus.worker import work
from creditbus.core.errors import RetryLaterError
from creditbus.core.framing import frame_prefix
from creditbus.core.topics import RECORDS
from creditbus.merge.processor import MergeProcessor
from creditbus.merge.settings import MergeSettings

_WAIT_SECONDS = 5.0


def main() -> int:
    """Run merge until told to stop."""
    settings = MergeSettings()
    service = Service("merge", settings.http_address)
    schemas = SchemaSet.load()

    def open_session(registry: Registry) -> Session:
        processor = MergeProcessor(
            settings.merge_region,
            Types(registry),
            Writers(registry, schemas),
            partial(prefix_of, registry),
            body_reader(schemas),
            settings.merge_remembered_days,
        )
        loop = _loop_settings(settings)
        restorer = Restorer(
            brokers=settings.brokers,
            changelog=merge_changelog(settings.merge_region),
            source=mirrored_records(settings.merge_region),
            open_store=RocksStores(state_folder(settings.data, loop.app, loop.slot)),
            metrics=service.metrics,
        )
        return Session(loop, processor, service.metrics, restorer)

    return work(service, settings, open_session)


def prefix_of(registry: Registry, schema: Schema) -> bytes:
    """The frame of a schema on the hub's topic. Raises RetryLaterError while the hub's release is older than it."""
    try:
        return frame_prefix(registry.id_of(RECORDS, schema))
    except UnknownSchemaError as error:
        raise RetryLaterError(
            f"{schema.name} of the region is newer than the hub's: bring the hub up to the region's release first",
            retry_after_seconds=_WAIT_SECONDS,
        ) from error


def _loop_settings(settings: MergeSettings) -> LoopSettings:
    return LoopSettings(
        brokers=settings.brokers,
        app=f"creditbus-merge-{settings.merge_region}",
        slot=settings.merge_slot,
        topics=(mirrored_records(settings.merge_region),),
        changelog=merge_changelog(settings.merge_region),
        batch=BatchPolicy(max_messages=settings.merge_batch_messages, every_seconds=settings.merge_batch_seconds),
    )
