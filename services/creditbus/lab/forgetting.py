"""Forgetting a person: what would be deleted, and the order on the log that every replay obeys."""

from __future__ import annotations

import getpass
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from confluent_kafka import Message, Producer

from creditbus.bus.kafka import producer_config, translated
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.vaults import keys_in, open_vault
from creditbus.bus.wire import Types, Writer
from creditbus.core.errors import ReconnectError
from creditbus.core.framing import schema_id_of
from creditbus.core.identity import TOKEN, Forgotten, Identity
from creditbus.core.state import Summary
from creditbus.core.topics import IDENTITIES, RECORDS
from creditbus.dossier.view import PERSON_PREFIX, summary_key
from creditbus.lab.reading import read_topic
from creditbus.lab.snapshot import read_snapshots
from creditbus.lab.stack import LabAddresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What there is about a person, as the dossier's changelog has it."""

    subject_key: str
    records: Mapping[str, int]
    """Records in effect by kind."""
    lists: tuple[str, ...]
    """Lists that the person is on: their orders would be lifted."""
    parked: int


class Forgetting:
    """The vault and the log of one bus."""

    def __init__(self, places: LabAddresses, registry: Registry) -> None:
        self._brokers = places.brokers
        self._vault = open_vault(places.vault, keys_in(places.secrets))
        self._write = Writer(registry, RECORDS, SchemaSet.load().records["Forgotten"])

    def close(self) -> None:
        """Close the vault."""
        self._vault.close()

    def key_of(self, number: str) -> str | None:
        """Key of the person that a normalised number leads to."""
        found = self._vault.find(number)
        return found.subject_key if found is not None else None

    def known(self, subject_key: str) -> Known | None:
        """What there is about a person; None when nothing is, or it was forgotten."""
        for snapshot in read_snapshots(self._brokers, contains=subject_key.encode()).values():
            data = snapshot.values.get(summary_key(subject_key))
            if data is not None:
                summary = msgspec.msgpack.decode(data, type=Summary)
                return Known(
                    subject_key=subject_key,
                    records=dict(summary.counts),
                    lists=tuple(one.list_code for one in summary.in_force),
                    parked=summary.parked_to - summary.parked_from,
                )
        return None

    def forget(self, subject_key: str, reason: str) -> Forgotten:
        """Destroy the keys, then put the order on the log. Repeating it does no harm. Raises ReconnectError.

        The keys go first: from then on nothing is sealed for the person, and its number leads to another one.
        """
        if not subject_key.startswith(PERSON_PREFIX):
            raise ValueError("only natural persons are forgotten")
        self._vault.destroy(subject_key)
        order = Forgotten(uuid.uuid4().hex, subject_key, reason, getpass.getuser(), int(time.time() * 1000))
        row = Identity(TOKEN, subject_key, subject_key)
        producer = Producer(producer_config(self._brokers))
        with translated("giving the order"):
            producer.produce(RECORDS, self._write(msgspec.structs.asdict(order)), subject_key.encode())
            producer.produce(IDENTITIES, None, row.key.encode())
            if producer.flush(15):
                raise ReconnectError("Kafka: the order was not acknowledged; give it again")
        return order


def forgotten_persons(brokers: str, types: Types) -> frozenset[str]:
    """Keys of everybody whom an order on the log forgets."""
    found: set[str] = set()

    def use(messages: Sequence[Message]) -> None:
        for message in messages:
            value = message.value()
            if types.of(schema_id_of(value)).short_name == "Forgotten":
                found.add((message.key() or b"").decode())

    read_topic(brokers, RECORDS, use)
    return frozenset(found)
