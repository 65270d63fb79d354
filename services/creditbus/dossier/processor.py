"""The dossier as a processor of the transactional loop: bytes in, changes, orders and dossiers out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from creditbus.bus.wire import Types, read_value
from creditbus.core.dossier import Facts
from creditbus.core.processing import Effects, Message, StateReader
from creditbus.core.records import CreditRecord
from creditbus.core.rules import Rules
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.steps import Decided, Edition, Entry, Lookups, Tick, decide
from creditbus.dossier.view import PartitionView


class DossierProcessor:
    """core.processing.Processor of the dossier; keeps nothing between batches but what ``view`` writes."""

    def __init__(
        self,
        types: Types,
        outputs: Outputs,
        rules_of: Callable[[str], Rules],
        read_body: Callable[[str, bytes], dict[str, Any]],
    ) -> None:
        self._types = types
        self._outputs = outputs

        def facts_of(record: CreditRecord) -> Facts:
            return read_body(record.body_schema, record.body)

        self._lookups = Lookups(rules_of, facts_of)

    def process(self, topic: str, partition: int, messages: Sequence[Message], state: StateReader) -> Effects:
        """Apply a batch; fire what is due; tell about each change, and once about each changed subject."""
        view = PartitionView(state)
        entries = list(self._entries(messages))
        decided = decide(view, entries, self._lookups)
        effects = Effects(unfinished=decided.unfinished)
        outputs = effects.outputs
        outputs.extend(self._outputs.change(change, partition) for change in decided.changes)
        outputs.extend(self._outputs.emission(emission, partition) for emission in decided.emissions)
        for subject in view.changed_subjects():
            rules = self._lookups.rules_of(view.meta.edition)
            outputs.append(self._outputs.dossier(subject, rules, partition))
        if decided.applied:
            cause = decided.applied[0].record.record_id
            outputs.extend(self._outputs.quality(decided, cause, view.meta.tick_ms))
        view.write_to(effects)
        _count(effects, decided)
        return effects

    def forget(self, topic: str, partition: int) -> None:
        """Nothing is remembered."""

    def _entries(self, messages: Sequence[Message]) -> Iterator[Entry]:
        for message in messages:
            schema, value = read_value(self._types, message.value())
            match schema.short_name:
                case "CreditRecord":
                    yield CreditRecord(**value)
                case "ClockTick":
                    yield Tick(value["at"], message.timestamp()[1])
                case "EditionInForce":
                    yield Edition(value["edition"], value["engine"])


def _count(effects: Effects, decided: Decided) -> None:
    for applied in decided.applied:
        effects.count("ok", applied.outcome.lower())
    for reason, amount in decided.dropped.items():
        effects.count("dropped", reason, amount)
    if decided.fired:
        effects.count("ok", "expired", decided.fired)
