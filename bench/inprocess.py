"""Intake and dossier alone, on one core, without brokers: bytes in, bytes out.

The thread's CPU time counts, so that neighbours on the machine do not.
"""

from __future__ import annotations

import hmac
import tempfile
import time
from datetime import date
from pathlib import Path

from creditbus.bus.collector import BetweenBatches
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import NoState
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.processing import Output, Position
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.gateway.reading import compile_reader
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.steps import Privacy
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry
from creditbus.lab.simulator.story import Mix, Story

_KEY = b"k" * 32
_DAY = date(2026, 11, 22)
_NOW_MS = 1_795_449_600_000
_POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


def measure(events: int, batch: int = 4_000) -> dict[str, float]:
    """Events per second of intake and of the dossier."""
    registry, schemas = MemoryRegistry(), SchemaSet.load()
    writers, types = Writers(registry, schemas), Types(registry)
    rules = compile_rules(edition_of(load()))
    checking = Checking(rules=rules, code_lists=code_lists_by_kind(rules), now_ms=_NOW_MS)
    messages = _messages(events, registry, schemas)
    intake = IntakeProcessor(
        Parts(
            schemas=schemas,
            types=types,
            writers=writers,
            privacy=Privacy(tokenise=lambda number: f"p:{number}", seal=lambda *_: b"sealed"),
            checking=lambda: checking,
            gateway_keys={"gateway-1": _KEY},
            payload_key=_KEY,
        )
    )
    between = BetweenBatches()
    began = time.thread_time()
    outputs: list[Output] = []
    for start in range(0, events, batch):
        outputs += intake.process("credit.events.market", 0, messages[start : start + batch], NoState()).outputs
        between()
    intake_rate = events / (time.thread_time() - began)
    records = [
        MemoryMessage(number, one.key, one.value, (), _NOW_MS + 1000)
        for number, one in enumerate(one for one in outputs if one.topic == "credit.records")
    ]
    control = [
        writers("credit.records", "EditionInForce")({"edition": rules.edition, "engine": 1, "activated_at": 0}),
        writers("credit.records", "ClockTick")({"at": _NOW_MS, "previous": None}),
    ]
    log = [*(MemoryMessage(0, None, value, (), _NOW_MS + 1000) for value in control), *records]
    dossier = DossierProcessor(LogReader(types), Outputs(writers, schemas), lambda _: rules, body_reader(schemas))
    with tempfile.TemporaryDirectory() as folder:
        store = RocksStores(Path(folder))("bench", 0)
        began = time.thread_time()
        for start in range(0, len(log), batch):
            effects = dossier.process("credit.records", 0, log[start : start + batch], store)
            store.write(effects.state, _POSITION)
            del effects
            between()
        dossier_rate = len(records) / (time.thread_time() - began)
        store.close()
    return {"intake events/s, one core": intake_rate, "dossier events/s, one core": dossier_rate}


def _messages(events: int, registry: MemoryRegistry, schemas: SchemaSet) -> list[MemoryMessage]:
    story = Story(seed=1, subjects=max(100, events // 12), day=_DAY, mix=Mix(bad=0.02))
    writers = Writers(registry, schemas)
    readers = {kind: compile_reader(schema.definition) for kind, schema in schemas.events.items()}
    messages = []
    for number, sent in enumerate(story.events(events)):
        kind = sent.event["kind"]
        fields = {name: value for name, value in sent.event.items() if name != "kind"}
        value = writers.event("credit.events.market", kind)(readers[kind](fields, "", []))  # type: ignore[arg-type]
        sender = sent.department.encode()
        stamp = hmac.digest(_KEY, sender + b"\x00" + value, "sha256").hex().encode()
        headers = [("sender", sender), ("kid", b"gateway-1"), ("sig", stamp)]
        messages.append(MemoryMessage(number, sent.event["event_id"].encode(), value, headers, _NOW_MS + 1000))
    return messages
