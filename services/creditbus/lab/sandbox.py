"""The bus's decisions in one process: intake and dossier as they are, without brokers, on a clock of its own.

For stories that take years, for rehearsals and for measurements; whatever is decided here is decided by the same code
as in the services, from bytes to bytes.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from creditbus.bus.privacy import person_token
from creditbus.bus.recent import RecentMessages
from creditbus.bus.registry import Registry, UnknownSchemaError
from creditbus.bus.schemas import Schema, SchemaSet
from creditbus.bus.store import MemoryStore
from creditbus.bus.transaction import NoState
from creditbus.bus.wire import Types, Writers, body_reader, read_value
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.models import Catalogue
from creditbus.core.forms import compile_reader
from creditbus.core.outcome import Fault
from creditbus.core.processing import Output, Position
from creditbus.core.records import BEIJING
from creditbus.core.state import Summary
from creditbus.core.topics import EVENTS_START, RECORDS, REJECTIONS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.processor import DossierProcessor, LogReader
from creditbus.dossier.view import PartitionView, summaries
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.steps import Privacy

_KEY = b"sandbox-key-of-no-consequence-32"
_TICK_MS = 600_000
"""The largest step that the dossier takes: a tick that jumps further is not believed."""
_TICKS_A_BATCH = 1_000
_POSITION = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)
_EVENTS = f"{EVENTS_START}sandbox"


class MemoryRegistry(Registry):
    """Ids of schemas without a server: the place in order of asking."""

    def __init__(self) -> None:
        self._schemas: list[Schema] = []
        self._places: dict[tuple[str, str], int] = {}

    def id_of(self, topic: str, schema: Schema) -> int:
        """See Registry."""
        place = (schema.name, schema.text)
        if place not in self._places:
            self._schemas.append(schema)
            self._places[place] = len(self._schemas)
        return self._places[place]

    def name_and_text(self, schema_id: int) -> tuple[str, str]:
        """See Registry."""
        if not 1 <= schema_id <= len(self._schemas):
            raise UnknownSchemaError(f"the registry has no schema {schema_id}")
        schema = self._schemas[schema_id - 1]
        return schema.name, schema.text


class MemoryMessage:
    """A message as Kafka would hand it over (core.processing.Message)."""

    __slots__ = ("_headers", "_key", "_offset", "_timestamp_ms", "_value")

    def __init__(
        self,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int = 0,
    ) -> None:
        self._offset, self._key, self._value, self._headers = offset, key, value, list(headers)
        self._timestamp_ms = timestamp_ms

    def topic(self) -> str:
        """See Message."""
        return _EVENTS

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
        return 1, self._timestamp_ms


@dataclass(frozen=True, slots=True)
class Emitted:
    """A message that came out: its topic, its type's short name, and its value with dates as numbers."""

    topic: str
    record: str
    value: Mapping[str, Any]


class RefusedEventError(Exception):
    """The sandbox's gateway or intake refused an event of a story."""


class Sandbox:
    """One partition of the bus in memory."""

    def __init__(self, catalogue: Catalogue, start: date) -> None:
        """start: the day on which business time begins, at eight in the morning in Beijing."""
        self.now_ms = _morning_ms(start)
        self.rules = compile_rules(edition_of(catalogue))
        self._schemas = SchemaSet.load()
        self._registry = MemoryRegistry()
        self._types = Types(self._registry)
        self._writers = Writers(self._registry, self._schemas)
        self._code_lists = code_lists_by_kind(self.rules)
        self._store = MemoryStore()
        self._offset = 0
        self._intake = IntakeProcessor(
            Parts(
                schemas=self._schemas,
                types=self._types,
                writers=self._writers,
                privacy=Privacy(tokenise=lambda number: person_token(_KEY, number), seal=lambda *_: b"sealed"),
                checking=self._checking,
                gateway_keys={"sandbox": _KEY},
                payload_key=_KEY,
            )
        )
        outputs = Outputs(self._writers, self._schemas)
        self._log: dict[int, bytes] = {}
        self._dossier = DossierProcessor(
            LogReader(self._types),
            outputs,
            lambda _: self.rules,
            body_reader(self._schemas),
            read_log=RecentMessages(lambda _, places: {place: self._log[place] for place in places}),
        )
        edition = {"edition": self.rules.edition, "engine": 1, "activated_at": self.now_ms}
        self._apply([self._control("EditionInForce", edition), self._tick(self.now_ms)])

    @property
    def today(self) -> date:
        """The business day in Beijing."""
        return datetime.fromtimestamp(self.now_ms / 1000, BEIJING).date()

    def send(self, sender: str, event: Mapping[str, Any]) -> list[Emitted]:
        """What an event leads to. Raises RefusedEventError with every reason when it is refused."""
        schema = self._schemas.events[event["kind"]]
        found: list[Fault] = []
        fields = {name: value for name, value in event.items() if name != "kind"}
        value = compile_reader(schema.definition)(fields, "", found)
        if found:
            raise RefusedEventError("; ".join(f"{one.field}: {one.problem_en}" for one in found))
        payload = self._writers.event(_EVENTS, event["kind"])(value)  # type: ignore[arg-type]
        stamp = hmac.digest(_KEY, sender.encode() + b"\x00" + payload, "sha256").hex().encode()
        headers = [("sender", sender.encode()), ("kid", b"sandbox"), ("sig", stamp)]
        effects = self._intake.process(_EVENTS, 0, [self._message(None, payload, headers)], NoState())
        records = []
        for output in effects.outputs:
            if output.topic == REJECTIONS:
                refused = self._read(output).value
                raise RefusedEventError(f"{', '.join(refused['codes'])}: {', '.join(refused['fields'])}")
            if output.topic == RECORDS:
                records.append(self._message(output.key, output.value or b""))
        return self._apply(records)

    def pass_to(self, day: date) -> Iterator[Emitted]:
        """Let time pass, ten minutes a tick, until eight in the morning of a day; what falls due on the way."""
        until = _morning_ms(day)
        while self.now_ms < until:
            last = min(until, self.now_ms + _TICKS_A_BATCH * _TICK_MS)
            ticks = [self._tick(min(at, last)) for at in range(self.now_ms + _TICK_MS, last + _TICK_MS, _TICK_MS)]
            self.now_ms = last
            yield from self._apply(ticks)

    def summary(self, subject_key: str) -> Summary:
        """What is true of a subject now."""
        return PartitionView(self._store).subject(subject_key).summary

    def summaries(self) -> Iterator[Summary]:
        """What is true of every subject now."""
        return summaries(self._store)

    def _apply(self, messages: Sequence[MemoryMessage]) -> list[Emitted]:
        emitted: list[Emitted] = []
        pending: Sequence[MemoryMessage] = messages
        while True:
            self._log.update((one.offset(), one.value() or b"") for one in pending if one.key() is not None)
            effects = self._dossier.process(RECORDS, 0, pending, self._store)
            self._store.write(effects.state, _POSITION)
            emitted += [self._read(output) for output in effects.outputs if output.value is not None]
            back = [output for output in effects.outputs if output.topic == RECORDS]
            if not effects.unfinished and not back:
                return emitted
            pending = [self._message(output.key, output.value or b"") for output in back]

    def _checking(self) -> Checking:
        return Checking(rules=self.rules, code_lists=self._code_lists, now_ms=self.now_ms)

    def _tick(self, at_ms: int) -> MemoryMessage:
        return self._control("ClockTick", {"at": at_ms, "previous": None}, at_ms)

    def _control(self, record: str, value: Mapping[str, object], at_ms: int = 0) -> MemoryMessage:
        return self._message(None, self._writers(RECORDS, record)(value), timestamp_ms=at_ms)

    def _message(
        self, key: bytes | None, value: bytes, headers: Sequence[tuple[str, bytes]] = (), timestamp_ms: int = 0
    ) -> MemoryMessage:
        self._offset += 1
        return MemoryMessage(self._offset, key, value, headers, timestamp_ms or self.now_ms)

    def _read(self, output: Output) -> Emitted:
        schema, value = read_value(self._types, output.value)
        return Emitted(output.topic, schema.short_name, value)


def _morning_ms(day: date) -> int:
    return int(datetime.combine(day, time(8), BEIJING).astimezone(UTC).timestamp() * 1000)
