"""Intake in memory, with the catalogue as it is: events go in as bytes of a topic, and what comes out is read."""

from __future__ import annotations

import copy
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from creditbus.bus.avro import decode, encode
from creditbus.bus.privacy import person_token
from creditbus.bus.schemas import SchemaSet, contract_folder
from creditbus.bus.store import MemoryStore
from creditbus.bus.wire import Types, Writers
from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.forms import compile_reader
from creditbus.core.framing import frame, unframe
from creditbus.core.outcome import Fault
from creditbus.core.rules import Rules
from creditbus.core.signers import Registered, none_registered
from creditbus.intake.checks import Checking, code_lists_by_kind
from creditbus.intake.processor import IntakeProcessor, Parts
from creditbus.intake.steps import Privacy
from creditbus.lab.sandbox import MemoryMessage, MemoryRegistry

STAMP_KEY = b"test stamp key"
PLATFORM_KEY = b"test platform key"
NOW_MS = int(datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp() * 1000)
"""Noon in Beijing, the day after the examples were reported."""
PRIVACY = Privacy(tokenise=lambda number: person_token(PLATFORM_KEY, number), seal=lambda _key, _event: b"sealed")
SENDERS = {
    "CourtEnforcement": "150100-zy",
    "ListDecision": "150000-rst",
    "ListStep": "150000-rst",
    "MeasureAcknowledgement": "150200-zwfw",
    "Rating": "150000-swj",
    "RestrictionOrder": "150100-zy",
    "DepartmentReview": "150000-xxzx",
    "SupervisionTicket": "150000-xxzx",
}
"""Who sends the example of a kind; the market regulation bureau sends the others."""


@lru_cache
def schemas() -> SchemaSet:
    """The contract, read once."""
    return SchemaSet.load()


@lru_cache
def rules() -> Rules:
    """The rules of the catalogue as it lies in the repository."""
    return compile_rules(edition_of(load()))


def example(kind: str, **changes: Any) -> dict[str, Any]:
    """The first valid example of a kind; changes by dotted name with __ for a dot, None included."""
    folder = contract_folder() / "avro" / "examples" / kind
    event: dict[str, Any] = json.loads(min(folder.glob("valid-*.json")).read_text(encoding="utf-8"))
    event = copy.deepcopy(event)
    for name, value in changes.items():
        *path, last = name.split("__")
        place = event
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return event


@dataclass(slots=True)
class Result:
    """What came out for a batch."""

    records: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    identities: list[dict[str, Any]] = field(default_factory=list)
    texts: bytes = b""
    """Every output's bytes, to look for what must not be in them."""

    @property
    def faults(self) -> list[tuple[str, str]]:
        """(reason, field) of every fault of the only rejection."""
        (only,) = self.rejections
        return list(zip(only["codes"], only["fields"], strict=True))


class Intake:
    """An intake of one's own."""

    def __init__(
        self,
        now_ms: int = NOW_MS,
        privacy: Privacy = PRIVACY,
        catalogue: Rules | None = None,
        registered: Registered = none_registered,
    ) -> None:
        self.registry = MemoryRegistry()
        self.numbers: dict[str, str] = {}
        """What other numbers lead to, as ``credit.identities`` would tell."""
        self._now_ms = now_ms
        self._rules = catalogue or rules()
        self._writers = Writers(self.registry, schemas())
        self._processor = IntakeProcessor(
            Parts(
                schemas=schemas(),
                types=Types(self.registry),
                writers=self._writers,
                privacy=privacy,
                checking=self._checking,
                gateway_keys={"gateway-1": STAMP_KEY},
                signing_key=registered,
                payload_key=PLATFORM_KEY,
            )
        )

    def message(self, event: Mapping[str, Any], sender: str = "", number: int = 0) -> MemoryMessage:
        """An event as the gateway would put it on the topic. Fails when the event has a fault of form."""
        schema = schemas().events[event["kind"]]
        found: list[Fault] = []
        fields = {name: value for name, value in event.items() if name != "kind"}
        value: Any = compile_reader(schema.definition)(fields, "", found)
        assert not found, found
        by = sender or SENDERS.get(event["kind"], "150000-scjg")
        return stamped(frame(self.registry.id_of("", schema), encode(schema, value)), by, number)

    def judge(self, *messages: MemoryMessage) -> Result:
        """What becomes of a batch."""
        effects = self._processor.process("credit.events.market", 0, messages, MemoryStore())
        result = Result()
        kept = {
            "credit.records": result.records,
            "credit.rejections": result.rejections,
            "credit.quality": result.quality,
            "credit.identities": result.identities,
        }
        for output in effects.outputs:
            schema_id, payload = unframe(output.value)
            name, _ = self.registry.name_and_text(schema_id)
            kept[output.topic].append(decode(schemas().records[name.rpartition(".")[2]], payload))
            result.texts += (output.key or b"") + (output.value or b"")
        return result

    def send(self, event: Mapping[str, Any], sender: str = "") -> Result:
        """What becomes of one event."""
        return self.judge(self.message(event, sender))

    def _checking(self) -> Checking:
        lists, leads_to = code_lists_by_kind(self._rules), self.numbers.get
        return Checking(rules=self._rules, code_lists=lists, now_ms=self._now_ms, leads_to=leads_to)


def stamped(value: bytes, sender: str, number: int = 0, key: bytes = STAMP_KEY) -> MemoryMessage:
    """A message with the gateway's stamp."""
    signature = hmac.digest(key, sender.encode() + b"\x00" + value, "sha256").hex().encode()
    headers = [("sender", sender.encode()), ("kid", b"gateway-1"), ("sig", signature)]
    return MemoryMessage(number, b"event", value, headers, NOW_MS)
