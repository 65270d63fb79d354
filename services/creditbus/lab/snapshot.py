"""The dossier's state as its changelog holds it: what a replay is compared with, and what a preview decides on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from creditbus.bus.changelog import SOURCE_KEY, Change, changes_of
from creditbus.core.topics import DOSSIER_CHANGELOG
from creditbus.lab.reading import Progress, read_topic

META = b"m"
"""Key of what a partition knows of time and rules."""


@dataclass(slots=True)
class Snapshot:
    """The state of one partition."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    source_offset: int = 0
    """Everything of credit.records before this offset is included."""

    def apply(self, changes: Iterable[Change], contains: bytes) -> None:
        """Take over the changes of the keys that are asked for."""
        for key, value in changes:
            if value is None:
                self.values.pop(key, None)
            elif contains in key or key == META:
                self.values[key] = value


def read_snapshots(
    brokers: str, progress: Progress = lambda _topic, _count: None, contains: bytes = b""
) -> Mapping[int, Snapshot]:
    """State by partition. contains: only keys with these bytes in them, and what the partition knows of time."""
    snapshots: dict[int, Snapshot] = {}

    def use(messages: Sequence[Any]) -> None:
        for message in messages:
            snapshot = snapshots.setdefault(message.partition(), Snapshot())
            if message.key() == SOURCE_KEY:
                snapshot.source_offset = int.from_bytes(message.value(), "big")
            else:
                snapshot.apply(changes_of(message.key(), message.value()), contains)

    read_topic(brokers, DOSSIER_CHANGELOG, use, progress=progress)
    return snapshots
