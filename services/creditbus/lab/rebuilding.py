"""Putting the state that the log leads to in the place of the dossier's own, where that is lost or wrong.

The changelog gets what differs, each partition in one transaction with the group's offsets, so that a dossier that
starts meanwhile makes it fail; local stores follow the changelog when the dossier starts. What a wrong state told is
set right in the same transaction (dossier/righting.py); what a lost one told was right, and is not told again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer, TopicPartition

from creditbus.bus.changelog import BUNDLE, SOURCE_KEY, changes_of, messages_of, source_value
from creditbus.bus.kafka import transactional_producer, translated
from creditbus.bus.reading import bounds_of
from creditbus.bus.registry import Registry
from creditbus.bus.rules import rules_by_hash
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.store import MemoryStore, RocksStores
from creditbus.bus.transaction import send
from creditbus.bus.wire import Writers
from creditbus.core.checkpoints import digest_of
from creditbus.core.context import Emission
from creditbus.core.hashing import digest
from creditbus.core.processing import Output, Position
from creditbus.core.rebuilding import REBUILT
from creditbus.core.topics import CHANGES, DOSSIER_CHANGELOG, RECORDS
from creditbus.dossier.outputs import Outputs
from creditbus.dossier.righting import Righting
from creditbus.dossier.view import PartitionView, as_written_now, is_for_ever, subject_of
from creditbus.lab.errors import LabError
from creditbus.lab.reading import read_topic
from creditbus.lab.replay import Compared, Place, state_of
from creditbus.lab.seat import Seat
from creditbus.lab.snapshot import Snapshot

_GROUP = "creditbus-rebuild"
_LONGEST_MS = 900_000
"""The longest transaction that brokers take as they come."""
_ANSWER_SECONDS = 60.0
_NOWHERE = Position(source_offset=0, changelog_offset=0, lineage="", written_at_ms=0)
_State = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rebuild would do to one partition."""

    partition: int
    position: int
    """Offset of credit.records up to which the dossier had worked."""
    changes: Mapping[bytes, bytes | None]
    """Of the changelog, by key; None deletes."""
    fresh: frozenset[bytes]
    """Keys of new rows that may go into bundles."""
    subjects: int
    """Whose state differs."""
    outputs: Sequence[Output] = ()
    """What sets right what was told."""
    told: Sequence[Emission] = ()
    """What of them subscribers hear."""


def worked_up_to(brokers: str, seat: Seat, lived: Mapping[int, Snapshot]) -> dict[int, Snapshot]:
    """The state of each partition as it is known, with the position that the dossier had come to.

    lived: as the changelog has it. Raises LabError where neither that nor the group knows how far the dossier was.
    """
    if not bounds_of(brokers, _GROUP, DOSSIER_CHANGELOG):
        raise LabError(
            en=f"There is no topic {DOSSIER_CHANGELOG}: `creditbus deploy` makes it, then rebuild",
            zh=f"没有主题 {DOSSIER_CHANGELOG}：请先执行 `creditbus deploy`，再重建",
        )
    told = bounds_of(brokers, _GROUP, CHANGES)
    found = dict[int, Snapshot]()
    for partition, committed in sorted(seat.committed.items()):
        known = lived.get(partition, Snapshot())
        position = max(0, committed, known.source_offset)
        if not position and told[partition][1]:
            raise LabError(
                en=f"How far the dossier had worked in partition {partition} is lost: neither its group nor its "
                "changelog knows, though it told of changes. Restore the brokers' own topics from a copy",
                zh=f"第 {partition} 分区的处理位置已丢失：消费组与变更日志均无记录。请从备份恢复 broker 内部主题",
            )
        found[partition] = Snapshot(known.values, position)
    return found


class Rebuilding:
    """Plans from the sandbox that a replay filled, and writes what was planned."""

    def __init__(self, place: Place, registry: Registry) -> None:
        self._place = place
        schemas = SchemaSet.load()
        self._outputs, self._rules_of = Outputs(Writers(registry, schemas), schemas), rules_by_hash(place.brokers)
        self._open_store = RocksStores(place.folder)

    def plans(
        self, found: Iterable[Compared], lived: Mapping[int, Snapshot], live: Mapping[int, Snapshot]
    ) -> list[Plan]:
        """What is to be done where a replay came to something else, or the changelog does not say how far it is.

        lived: the state as the changelog has it; live: the same with the positions that the dossier had come to.
        """
        whole = {
            number for number, one in live.items() if lived.get(number, Snapshot()).source_offset == one.source_offset
        }
        return [
            self._plan(one.partition, live[one.partition], is_whole=one.partition in whole)
            for one in found
            if not (one.is_same and one.partition in whole)
        ]

    def _plan(self, partition: int, lived: Snapshot, *, is_whole: bool) -> Plan:
        with closing(self._open_store(RECORDS, partition)) as store:
            due, known = state_of(store), as_written_now(lived.values)
        differing = {key: due.get(key) for key in due.keys() | known.keys() if due.get(key) != known.get(key)}
        righting = self._righting(partition, known, due)
        subjects = {subject_of(key) for key in differing} - {""}
        kinds = {subject: righting.after.subject(subject).summary.kind for subject in subjects}
        kept = {key for key in differing if key not in known and is_for_ever(key, kinds.get(subject_of(key), ""))}
        if is_whole:
            righting.set_right(differing)
        return Plan(
            partition=partition,
            position=lived.source_offset,
            changes=differing | self._without_bundles(partition, differing, due),
            fresh=frozenset(kept),
            subjects=len(subjects),
            outputs=righting.outputs,
            told=righting.told,
        )

    def write(self, plans: Iterable[Plan], seat: Seat) -> None:
        """Each plan in one transaction. One that fails changes nothing, and raises ReconnectError."""
        producer = transactional_producer(self._place.brokers, _GROUP, _LONGEST_MS)
        for plan in plans:
            changes = [(DOSSIER_CHANGELOG, *one) for one in messages_of(plan.changes, plan.fresh)]
            note = (DOSSIER_CHANGELOG, SOURCE_KEY, source_value(plan.position))
            messages = [*plan.outputs, *(Output(*one, plan.partition) for one in (*changes, note))]
            with translated(f"rebuilding partition {plan.partition}"), _transaction(producer):
                send(producer, messages)
                offsets = [TopicPartition(RECORDS, plan.partition, plan.position)]
                producer.send_offsets_to_transaction(offsets, seat.member, _ANSWER_SECONDS)

    def _righting(self, partition: int, known: _State, due: _State) -> Righting:
        cause_id = digest(REBUILT, str(partition), digest_of(known), digest_of(due))
        return Righting(
            partition=partition,
            before=_view(known),
            after=_view(due),
            cause_id=cause_id,
            write=self._outputs,
            rules_of=self._rules_of,
        )

    def _without_bundles(
        self, partition: int, differing: Mapping[bytes, bytes | None], due: _State
    ) -> dict[bytes, bytes | None]:
        """A bundle with a row that is to go is deleted, and its other rows are written again."""
        gone = {key for key, value in differing.items() if value is None}
        again: dict[bytes, bytes | None] = {}

        def use(messages: Iterable[Any]) -> None:
            for message in messages:
                key, value = message.key(), message.value()
                rows = [row for row, _ in changes_of(key, value)] if value and key.startswith(BUNDLE) else []
                if not gone.isdisjoint(rows):
                    again.update({row: due.get(row) for row in rows})
                    again[key] = None

        if gone:
            end = bounds_of(self._place.brokers, _GROUP, DOSSIER_CHANGELOG)[partition][1]
            read_topic(self._place.brokers, DOSSIER_CHANGELOG, use, ends={partition: end})
        return again


@contextmanager
def _transaction(producer: Producer) -> Iterator[None]:
    """Commits, or aborts at once: readers of the topics would wait for the end of one that is left open."""
    producer.begin_transaction()
    try:
        yield
        producer.commit_transaction(_ANSWER_SECONDS)
    except BaseException:
        producer.abort_transaction(_ANSWER_SECONDS)
        raise


def _view(state: _State) -> PartitionView:
    store = MemoryStore()
    store.write(dict(state), _NOWHERE)
    return PartitionView(store)
