"""Intake, of all kinds together and of each, and dossier alone, on one core, without brokers: bytes in, bytes out.

The thread's CPU time counts, so that neighbours on the machine do not.
"""

from __future__ import annotations

import hmac
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from pathlib import Path

from creditbus.bus.collector import BetweenBatches
from creditbus.bus.keyfiles import VaultKeys
from creditbus.bus.privacy import Vault
from creditbus.bus.recent import RecentMessages
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import RocksStore, RocksStores
from creditbus.bus.transaction import NoState
from creditbus.bus.vaults import open_vault
from creditbus.bus.wire import Types, Writers, body_reader
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.forms import compile_reader
from creditbus.core.processing import Output, Position
from creditbus.core.topics import RECORDS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.persons import Persons
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.steps import Privacy
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry
from creditbus.lab.simulator.story import Mix, Story

_KEY = b"k" * 32
_VAULT_KEYS = VaultKeys(platform={2: _KEY}, master={1: _KEY}, index=_KEY)
_DAY = date(2026, 11, 22)
_NOW_MS = 1_795_449_600_000
_BATCH = 8_000
"""As intake and the dossier have them when they catch up."""
_POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Intake and dossier, and what comes to them."""

    intake: IntakeProcessor
    events: dict[str, list[MemoryMessage]]
    """As they are sent, by kind; their offsets are the order of all."""
    dossier: DossierProcessor
    log: list[MemoryMessage]
    """What intake makes of these events, behind an edition and a tick."""

    @property
    def all_events(self) -> list[MemoryMessage]:
        """Events in the order in which they were sent."""
        return sorted(sum(self.events.values(), []), key=MemoryMessage.offset)


def measure(events: int) -> dict[str, float]:
    """Events per second of intake, of intake by kind, and of the dossier."""
    with prepared(events) as work:
        found = {"intake events/s, one core": _intake_rate(work.intake, work.all_events)}
        for kind, messages in sorted(work.events.items()):
            batch = [*islice(cycle(messages), _BATCH)]
            found[f"intake events/s, one core, {kind}"] = _intake_rate(work.intake, batch)
        return {**found, "dossier events/s, one core": _dossier_rate(work.dossier, work.log)}


@contextmanager
def prepared(events: int) -> Iterator[Work]:
    """So many simulated events, and what has to be there for them, vaults that know nobody yet among it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:

        def vault(name: str) -> Vault:
            return opened.enter_context(closing(open_vault(str(Path(folder) / name), lambda: _VAULT_KEYS)))

        yield _prepared(events, vault)


def _prepared(events: int, vault: Callable[[str], Vault]) -> Work:
    registry, schemas = MemoryRegistry(), SchemaSet.load()
    writers, types = Writers(registry, schemas), Types(registry)
    rules = compile_rules(edition_of(load()))
    checking = Checking(rules=rules, code_lists=code_lists_by_kind(rules), now_ms=_NOW_MS)

    def intake_of(name: str) -> IntakeProcessor:
        persons = Persons(vault(name))
        return IntakeProcessor(
            Parts(
                schemas=schemas,
                types=types,
                writers=writers,
                privacy=Privacy(tokenise=persons.token_of, seal=persons.seal, expect=persons.expect, keep=persons.keep),
                checking=lambda: checking,
                gateway_keys={"gateway-1": _KEY},
                payload_key=_KEY,
            )
        )

    log: list[MemoryMessage] = []
    dossier = DossierProcessor(
        LogReader(types),
        Outputs(writers, schemas),
        lambda _: rules,
        body_reader(schemas),
        read_log=RecentMessages(lambda _, places: {place: log[place].value() or b"" for place in places}),
    )
    work = Work(
        intake=intake_of("measured.sqlite"), events=_messages(events, registry, schemas), dossier=dossier, log=log
    )
    control = [
        writers(RECORDS, "EditionInForce")({"edition": rules.edition, "engine": 1, "activated_at": 0}),
        writers(RECORDS, "ClockTick")({"at": _NOW_MS, "previous": None}),
    ]
    outputs = decided(intake_of("preparing.sqlite"), work.all_events, BetweenBatches())
    records = [(one.key, one.value) for one in outputs if one.topic == RECORDS]
    log += [
        MemoryMessage(place, key, value, (), _NOW_MS + 1000)
        for place, (key, value) in enumerate([*((None, value) for value in control), *records])
    ]
    return work


def decided(intake: IntakeProcessor, messages: Sequence[MemoryMessage], between: BetweenBatches) -> list[Output]:
    """What intake makes of messages, batch by batch."""
    outputs = list[Output]()
    for start in range(0, len(messages), _BATCH):
        outputs += intake.process("credit.events.market", 0, messages[start : start + _BATCH], NoState()).outputs
        between()
    return outputs


def applied(
    dossier: DossierProcessor, messages: Sequence[MemoryMessage], store: RocksStore, between: BetweenBatches
) -> None:
    """Let the dossier apply messages, batch by batch."""
    for start in range(0, len(messages), _BATCH):
        effects = dossier.process(RECORDS, 0, messages[start : start + _BATCH], store)
        store.write(effects.state, _POSITION)
        del effects
        between()


def _intake_rate(intake: IntakeProcessor, messages: Sequence[MemoryMessage]) -> float:
    between = BetweenBatches()
    began = time.thread_time()
    decided(intake, messages, between)
    return len(messages) / (time.thread_time() - began)


def _dossier_rate(dossier: DossierProcessor, messages: Sequence[MemoryMessage]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = RocksStores(Path(folder))("bench", 0)
        between = BetweenBatches()
        began = time.thread_time()
        applied(dossier, messages, store, between)
        spent = time.thread_time() - began
        store.close()
    return len(messages) / spent


def _messages(events: int, registry: MemoryRegistry, schemas: SchemaSet) -> dict[str, list[MemoryMessage]]:
    """Events as they are sent, by kind, their offsets in the order of all."""
    story = Story(seed=1, subjects=max(100, events // 12), day=_DAY, mix=Mix(bad=0.02))
    writers = Writers(registry, schemas)
    readers = {kind: compile_reader(schema.definition) for kind, schema in schemas.events.items()}
    by_kind: dict[str, list[MemoryMessage]] = defaultdict(list)
    for number, sent in enumerate(story.events(events)):
        kind = sent.event["kind"]
        fields = {name: value for name, value in sent.event.items() if name != "kind"}
        value = writers.event("credit.events.market", kind)(readers[kind](fields, "", []))  # type: ignore[arg-type]
        sender = sent.department.encode()
        stamp = hmac.digest(_KEY, sender + b"\x00" + value, "sha256").hex().encode()
        headers = [("sender", sender), ("kid", b"gateway-1"), ("sig", stamp)]
        by_kind[kind].append(MemoryMessage(number, sent.event["event_id"].encode(), value, headers, _NOW_MS + 1000))
    return by_kind
