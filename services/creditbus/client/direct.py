"""Writing events to Kafka without the gateway, each batch signed with the department's own key.

own = DirectSender(department="150100-scjg", domain="market", key_file=Path("own.key"))
with DirectProducer("127.0.0.1:19092", registry_url, own) as bus:
    for receipt in bus.send(events):
        if receipt.status != "RECEIVED":
            print(receipt.event_id, receipt.faults)

Intake checks what the gateway would have checked, and says so on look-up; a receipt from here says only that the
brokers have the event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Producer

from creditbus.bus.kafka import producer_config, translated
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.signing import KeyPair
from creditbus.bus.wire import codecs_for
from creditbus.client.producer import RECEIVED, REJECTED, UNKNOWN, Event, Receipt, SendError
from creditbus.core.batches import batch_of, direct_statement, headers_of
from creditbus.core.errors import SettingsError
from creditbus.core.processing import Output
from creditbus.core.sending import LARGEST_EVENT_BYTES, PRODUCER, Judged, Sender, judge

_REFUSED = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
_BATCHES_SECONDS = 5.0
"""How much longer than a message may take is waited for the reports of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectSender:
    """Who writes: a department, its domain as the catalogue has it, and the file of its private key."""

    department: str
    domain: str
    key_file: Path


class DirectProducer:
    """A connection to the brokers for one department. Settings CREDITBUS_KAFKA_* say how it proves who it is.

    For one thread at a time.
    """

    def __init__(self, brokers: str, registry_url: str, sender: DirectSender, timeout_seconds: float = 60.0) -> None:
        """timeout_seconds: how long the brokers may take; then the status is UNKNOWN.

        Asks the registry for the schemas of this release and registers none. Raises SettingsError for a key file that
        is none, RetryLaterError while the registry is away, UnknownSchemaError when it has other schemas.
        """
        self._sender = Sender(department=sender.department, domain=sender.domain, roles=frozenset({PRODUCER}))
        self._pair = read_pair(sender.key_file)
        self._timeout_seconds = timeout_seconds
        with closing(Registry(registry_url)) as registry:
            self._codecs = codecs_for(sender.domain, registry, SchemaSet.load())
        with translated("starting the producer"):
            self._producer = Producer(producer_config(brokers, message_timeout_ms=int(timeout_seconds * 1000)))

    def send(self, events: Sequence[Event]) -> list[Receipt]:
        """Sign a batch, write it, and return a receipt for each event, in order; at most 10,000 events.

        REJECTED does not fit its schema and was not written. UNKNOWN was not acknowledged in time: send it again under
        the same event_id. ``track`` is a path of the look-up.
        Raises SendError when the brokers do not let the department write to its topic.
        """
        judged = [judge(event, self._sender, self._codecs, LARGEST_EVENT_BYTES) for event in events]
        messages = signed_messages([one for one in judged if not one.faults], self._sender, self._pair)
        written = iter(self._write(messages))
        return [_receipt(one, bool(one.faults) or next(written)) for one in judged]

    def close(self) -> None:
        """Wait for what is on its way."""
        self._producer.flush(self._timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write(self, messages: Sequence[Output]) -> list[bool]:
        """For each message whether all in-sync replicas have it."""
        errors: list[KafkaError | str | None] = ["not reported"] * len(messages)
        for number, message in enumerate(messages):
            with translated("writing events"):
                self._producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    headers=list(message.headers),
                    on_delivery=_noting(errors, number),
                )
            self._producer.poll(0)
        self._producer.flush(self._timeout_seconds + _BATCHES_SECONDS)
        if any(isinstance(error, KafkaError) and error.code() in _REFUSED for error in errors):
            raise SendError(
                f"the brokers do not let this user write to {self._sender.topic}; have the right granted to the user "
                "of CREDITBUS_KAFKA_SASL_USERNAME, or correct the domain"
            )
        return [error is None for error in errors]


def signed_messages(judged: Sequence[Judged], sender: Sender, pair: KeyPair) -> list[Output]:
    """The messages of well-formed events, as one batch with one signature."""
    if not judged:
        return []
    tree = batch_of(sender.department, [one.value for one in judged])
    signature = pair.sign(direct_statement(tree.root, sender.department, len(judged)))
    headers = headers_of(sender.department, pair.kid, tree, signature)
    return [
        Output(sender.topic, one.event_id.encode(), one.value, None, proof)
        for one, proof in zip(judged, headers, strict=True)
    ]


def read_pair(file: Path) -> KeyPair:
    """The key that `creditbus keys create` wrote. Raises SettingsError that does not show it."""
    try:
        return KeyPair.from_bytes(bytes.fromhex(file.read_text(encoding="ascii").strip()))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read ({error.strerror}); `creditbus keys create` writes one") from error
    except ValueError:
        raise SettingsError(f"{file} is no key of 64 hex digits, as `creditbus keys create` writes one") from None


def _noting(errors: list[KafkaError | str | None], number: int) -> Callable[[KafkaError | None, object], None]:
    def note(error: KafkaError | None, _message: object) -> None:
        errors[number] = error

    return note


def _receipt(judged: Judged, is_written: bool) -> Receipt:
    status = REJECTED if judged.faults else RECEIVED if is_written else UNKNOWN
    return Receipt(event_id=judged.event_id, status=status, faults=judged.faults, track=f"/v1/events/{judged.event_id}")
