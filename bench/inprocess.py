"""Intake and dossier alone, on one core, without brokers: bytes in, bytes out."""

from __future__ import annotations

import hmac
import tempfile
import time
from datetime import date
from pathlib import Path

from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.store import RocksStores
from creditbus.bus.transaction import NoState, tune_collector
from creditbus.bus.wire import Types, Writer, Writers, body_reader
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.processing import Output, Position
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor
from creditbus.gateway.reading import compile_reader
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.steps import Privacy
from creditbus.lab.simulator.story import Mix, Story

_KEY = b"k" * 32
_DAY = date(2026, 11, 22)
_NOW_MS = 1_795_449_600_000
_POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


class MemoryRegistry:
    """Hands out schema ids as a registry would."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, Schema] = {}

    def id_of(self, topic: str, schema: Schema) -> int:
        """An id for the pair."""
        found = self._ids.setdefault((topic, schema.name), len(self._ids) + 1)
        self._schemas[found] = schema
        return found

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        """What the id stands for."""
        return self._schemas[schema_id].name, self._schemas[schema_id].text


class Bytes:
    """A message in memory."""

    __slots__ = ("_headers", "_key", "_offset", "_value")

    def __init__(self, offset: int, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._offset, self._key, self._value, self._headers = offset, key, value, headers

    def topic(self) -> str:
        """See Message."""
        return "bench"

    def partition(self) -> int:
        """See Message."""
        return 0

    def offset(self) -> int:
        """See Message."""
        return self._offset

    def key(self) -> bytes | None:
        """See Message."""
        return self._key

    def value(self) -> bytes | None:
        """See Message."""
        return self._value

    def headers(self) -> list[tuple[str, bytes]] | None:
        """See Message."""
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        """See Message."""
        return 1, _NOW_MS + 1000


def measure(events: int, batch: int = 4_000) -> dict[str, float]:
    """Events per second of intake and of the dossier."""
    registry, schemas = MemoryRegistry(), SchemaSet.load()
    writers, types = Writers(registry, schemas), Types(registry)  # type: ignore[arg-type]
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
    tune_collector()
    began = time.perf_counter()
    outputs: list[Output] = []
    for start in range(0, events, batch):
        outputs += intake.process("credit.events.market", 0, messages[start : start + batch], NoState()).outputs
    intake_rate = events / (time.perf_counter() - began)
    records = [
        Bytes(number, one.key, one.value or b"", [])
        for number, one in enumerate(one for one in outputs if one.topic == "credit.records")
    ]
    control = [
        writers("credit.records", "EditionInForce")({"edition": rules.edition, "engine": 1, "activated_at": 0}),
        writers("credit.records", "ClockTick")({"at": _NOW_MS, "previous": None}),
    ]
    log = [*(Bytes(0, None, value, []) for value in control), *records]
    dossier = DossierProcessor(types, Outputs(writers, schemas), lambda _: rules, body_reader(schemas))
    with tempfile.TemporaryDirectory() as folder:
        store = RocksStores(Path(folder))("bench", 0)
        began = time.perf_counter()
        for start in range(0, len(log), batch):
            effects = dossier.process("credit.records", 0, log[start : start + batch], store)
            store.write(effects.state, _POSITION)
        dossier_rate = len(records) / (time.perf_counter() - began)
        store.close()
    return {"intake events/s, one core": intake_rate, "dossier events/s, one core": dossier_rate}


def _messages(events: int, registry: MemoryRegistry, schemas: SchemaSet) -> list[Bytes]:
    story = Story(seed=1, subjects=max(100, events // 12), day=_DAY, mix=Mix(bad=0.02))
    made: dict[str, Writer] = {}
    readers = {kind: compile_reader(schema.definition) for kind, schema in schemas.events.items()}
    messages = []
    for number, sent in enumerate(story.events(events)):
        kind = sent.event["kind"]
        if kind not in made:
            made[kind] = Writer(registry, "credit.events.market", schemas.events[kind])  # type: ignore[arg-type]
        fields = {name: value for name, value in sent.event.items() if name != "kind"}
        value = made[kind](readers[kind](fields, "", []))  # type: ignore[arg-type]
        sender = sent.department.encode()
        stamp = hmac.digest(_KEY, sender + b"\x00" + value, "sha256").hex().encode()
        headers = [("sender", sender), ("kid", b"gateway-1"), ("sig", stamp)]
        messages.append(Bytes(number, sent.event["event_id"].encode(), value, headers))
    return messages
