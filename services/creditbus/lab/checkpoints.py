"""Checkpoints on their topic: each written in one transaction, and believed when the trusted key signed it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from creditbus.bus.clients import KafkaClients
from creditbus.bus.kafka import transactional_producer, translated
from creditbus.bus.reading import bounds_of
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.signing import ALGORITHM, KeyPair, is_signed, sign
from creditbus.bus.wire import Types, Writers, read_value
from creditbus.core.checkpoints import Checkpoint, checkpoint_id, digest_of, parts_of, state_of
from creditbus.core.errors import StopError
from creditbus.core.topics import CHECKPOINTS, RECORDS
from creditbus.dossier.view import meta_of
from creditbus.lab.reading import read_topic
from creditbus.lab.snapshot import Snapshot

_GROUP = "creditbus-checkpoints"
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint as it stands on the topic."""

    checkpoint: Checkpoint
    public_key: str
    is_trusted: bool
    """Whether the trusted key signed it."""
    has_state: bool
    """Whether the parts of its state are still there."""


def lineage_of(brokers: str) -> str:
    """Id of the log: another one after it was made anew."""
    return KafkaClients(brokers).topic_ids([RECORDS])[0]


def read_checkpoints(brokers: str, types: Types, public_key: str) -> list[Signed]:
    """Every checkpoint of this log, by partition and position. public_key: hex of the key that is trusted."""
    lineage, statements, parts = lineage_of(brokers), dict[bytes, dict[str, Any]](), dict[bytes, str]()

    def use(key: bytes, name: str, value: dict[str, Any]) -> None:
        if name == "Checkpoint":
            statements[key] = value
        elif name:
            parts[key] = value["checkpoint_id"]
        else:
            parts.pop(key, None)

    _read(brokers, types, use)
    there = Counter(parts.values())
    found = [_signed(value, public_key, there) for value in statements.values() if value["lineage"] == lineage]
    return sorted(found, key=lambda one: (one.checkpoint.partition, one.checkpoint.position))


def latest(found: Sequence[Signed], brokers: str) -> dict[int, Checkpoint]:
    """The last trusted checkpoint of each partition that has its state, and the log from there on."""
    begins = {number: first for number, (first, _) in bounds_of(brokers, _GROUP, RECORDS).items()}
    usable = (one.checkpoint for one in found if one.is_trusted and one.has_state)
    return {one.partition: one for one in usable if one.position >= begins[one.partition]}


def read_state(brokers: str, types: Types, checkpoint: Checkpoint) -> dict[bytes, bytes]:
    """The state of a checkpoint. Raises StopError when it is not what was signed."""
    parts: dict[int, bytes] = {}

    def use(_: bytes, name: str, value: dict[str, Any]) -> None:
        if name == "CheckpointPart" and value["checkpoint_id"] == checkpoint.checkpoint_id:
            parts[value["number"]] = value["rows"]

    _read(brokers, types, use, checkpoint.partition)
    try:
        values = state_of(parts[number] for number in range(checkpoint.parts))
    except (KeyError, ValueError):
        values = {}
    if digest_of(values) != checkpoint.digest:
        raise StopError(
            f"the state of checkpoint {checkpoint.checkpoint_id} is not what was signed: replay from the beginning"
        )
    return values


class Writing:
    """Writes checkpoints, each in one transaction, and takes the state of older ones away."""

    def __init__(self, brokers: str, registry: Registry, key: bytes) -> None:
        """key: 32 secret bytes that sign."""
        self._key = key
        self._writers = Writers(registry, SchemaSet.load())
        self._producer = transactional_producer(brokers, _GROUP)

    def write(self, partition: int, snapshot: Snapshot, lineage: str, after: str) -> Checkpoint:
        """Sign the state of a partition. after: the checkpoint that its replay began from."""
        parts = list(parts_of(snapshot.values))
        meta, state = meta_of(snapshot.values), digest_of(snapshot.values)
        place = (lineage, str(partition), str(snapshot.source_offset))
        made = Checkpoint(
            checkpoint_id=checkpoint_id(place, state, public_key_of(self._key)),
            partition=partition,
            position=snapshot.source_offset,
            lineage=lineage,
            tick_ms=meta.tick_ms,
            edition=meta.edition,
            engine=meta.engine,
            keys=len(snapshot.values),
            digest=state,
            parts=len(parts),
            after=after,
            made_at_ms=int(time.time() * 1000),
        )
        signature = sign(asdict(made), self._key)
        part, statement = self._writers(CHECKPOINTS, "CheckpointPart"), self._writers(CHECKPOINTS, "Checkpoint")
        told = {**asdict(made), "tick_at": made.tick_ms, "made_at": made.made_at_ms}
        told |= {"public_key": signature["public_key"], "signature": signature["value"]}
        with translated("writing a checkpoint"):
            self._producer.begin_transaction()
            for number, rows in enumerate(parts):
                value = part({"checkpoint_id": made.checkpoint_id, "number": number, "rows": rows})
                self._producer.produce(CHECKPOINTS, value, _part_key(made, number), partition)
                self._producer.poll(0)
            self._producer.produce(CHECKPOINTS, statement(told), made.checkpoint_id.encode(), partition)
            self._producer.commit_transaction(_ANSWER_SECONDS)
        return made

    def drop_state(self, checkpoint: Checkpoint) -> None:
        """Take the state of a checkpoint away; what was signed stays."""
        with translated("dropping the state of a checkpoint"):
            self._producer.begin_transaction()
            for number in range(checkpoint.parts):
                self._producer.produce(CHECKPOINTS, None, _part_key(checkpoint, number), checkpoint.partition)
            self._producer.commit_transaction(_ANSWER_SECONDS)


def public_key_of(key: bytes) -> str:
    """Hex of the public key of a secret one."""
    return KeyPair.from_bytes(key).public.hex()


def superseded(found: Sequence[Signed], made: Sequence[Checkpoint], keep: int) -> list[Checkpoint]:
    """Those of which the state is not needed any more, since there are so many later ones.

    found: what there was before, in order; made: what was written since; keep: how many to keep a partition.
    """
    whole = {one.checkpoint.checkpoint_id: one.checkpoint for one in found if one.has_state}
    whole |= {one.checkpoint_id: one for one in made}  # the same place made again is the same one
    by_partition: dict[int, list[Checkpoint]] = {}
    for one in whole.values():
        by_partition.setdefault(one.partition, []).append(one)
    return [old for of_one in by_partition.values() for old in of_one[:-keep]]


def _part_key(checkpoint: Checkpoint, number: int) -> bytes:
    return f"{checkpoint.checkpoint_id}|{number}".encode()


def _signed(value: dict[str, Any], public_key: str, there: Mapping[str, int]) -> Signed:
    fields = {name: value[name] for name in Checkpoint.__dataclass_fields__ if name in value}
    one = Checkpoint(**fields, tick_ms=value["tick_at"], made_at_ms=value["made_at"])
    signature = {"algorithm": ALGORITHM, "public_key": value["public_key"], "value": value["signature"]}
    return Signed(
        checkpoint=one,
        public_key=value["public_key"],
        is_trusted=is_signed(asdict(one), signature, public_key),
        has_state=there.get(one.checkpoint_id, 0) == one.parts,
    )


_Use = Callable[[bytes, str, dict[str, Any]], None]


def _read(brokers: str, types: Types, use: _Use, partition: int | None = None) -> None:
    """Key, type and value of each message that is there now; of one that was taken away no type. partition: or all."""
    bounds = bounds_of(brokers, _GROUP, CHECKPOINTS)
    ends = {number: end for number, (_, end) in bounds.items() if partition in (None, number)}

    def use_all(messages: Sequence[Any]) -> None:
        for message in messages:
            if message.value() is None:
                use(message.key(), "", {})
            else:
                schema, value = read_value(types, message.value())
                use(message.key(), schema.short_name, value)

    read_topic(brokers, CHECKPOINTS, use_all, ends=ends)
