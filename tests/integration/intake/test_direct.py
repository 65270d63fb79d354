"""A department that writes to Kafka itself: its signed batch is recorded, whatever else comes is one rejection each."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Producer

from creditbus.bus.editions import publish_edition
from creditbus.bus.kafka import consumer_config, producer_config
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.signing import KeyPair
from creditbus.bus.topics import ensure_topics, load_topics, schemas_of
from creditbus.bus.wire import Types, codecs_for, read_value
from creditbus.catalogue.editions import authority_code, edition_of
from creditbus.catalogue.loader import load
from creditbus.client.direct import DirectProducer, DirectSender, read_pair, signed_messages
from creditbus.core.processing import Output
from creditbus.core.sending import LARGEST_EVENT_BYTES, Sender, judge
from creditbus.core.topics import RECORDS, REJECTIONS
from creditbus.lab.secrets import ensure_secrets
from creditbus.lab.signingkeys import Registration, SigningKeyDesk, make_pair
from intake_harness import example
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DEPARTMENT, DOMAIN = "150100-scjg", "market"
OWN, FOREIGN = authority_code("150100", 19), authority_code("150000", 6)
SENDER = Sender(department=DEPARTMENT, domain=DOMAIN, roles=frozenset({"producer"}))
SINCE = {"good": date(2026, 1, 1), "revoked": date(2026, 1, 1), "early": date(2999, 1, 1)}
"""Keys of the department, each with its first day."""
SERVICES = Path(__file__).parents[3] / "services"


@dataclass(slots=True)
class Bus:
    """Kafka, registry and an intake, and what came of each event."""

    brokers: str
    registry_url: str
    folder: Path
    recorded: set[str] = field(default_factory=set)
    rejected: dict[str, list[str]] = field(default_factory=dict)

    def producer(self, name: str) -> DirectProducer:
        """The department's own, with the key of that name."""
        own = DirectSender(department=DEPARTMENT, domain=DOMAIN, key_file=self.folder / name)
        return DirectProducer(self.brokers, self.registry_url, own)

    def signed(self, events: list[dict[str, Any]], pair: KeyPair, sender: Sender = SENDER) -> list[Output]:
        """The messages of a batch."""
        with closing(Registry(self.registry_url)) as registry:
            codecs = codecs_for(sender.domain, registry, SchemaSet.load())
        judged = [judge(event, sender, codecs, LARGEST_EVENT_BYTES) for event in events]
        return signed_messages(judged, sender, pair)

    def write(self, message: Output, topic: str = "", headers: Mapping[str, bytes] | None = None) -> None:
        """Put a message on a topic as it is, or somewhere else, or with other headers."""
        told = {**dict(message.headers), **(headers or {})}
        producer = Producer(producer_config(self.brokers))
        producer.produce(topic or message.topic, message.value, message.key, headers=list(told.items()))
        assert producer.flush(15) == 0


@pytest.fixture(scope="module")
def bus(
    kafka_brokers: str, registry_url: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Bus]:
    """Topics, schemas, an edition, and an intake as a process."""
    folder = tmp_path_factory.mktemp("direct")
    topics = load_topics()
    ensure_topics(kafka_brokers, topics)
    with closing(Registry(registry_url)) as registry:
        registry.require_full_compatibility()
        assert list(registry.push(schemas_of(topics, SchemaSet.load())))
    publish_edition(kafka_brokers, edition_of(load()).text)
    ensure_secrets(folder, {DEPARTMENT: ("producer",)})
    for name, since in SINCE.items():
        register(folder, make_pair(folder / name), since)
    SigningKeyDesk(folder).revoke(read_pair(folder / "revoked").kid, date(2026, 1, 2))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CREDITBUS_")},
        "PYTHONPATH": str(SERVICES),
        "CREDITBUS_HTTP_PORT": str(port),
        "CREDITBUS_SECRETS": str(folder),
        "CREDITBUS_VAULT": str(folder / "vault.sqlite"),
        "CREDITBUS_DATA": str(folder / "data"),
        "CREDITBUS_BROKERS": kafka_brokers,
        "CREDITBUS_REGISTRY_URL": registry_url,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "creditbus.intake"], env=environment, stdout=log, stderr=log)
    try:
        wait_until("intake", lambda: is_ready(port))
        yield Bus(kafka_brokers, registry_url, folder)
    finally:
        process.terminate()
        process.wait(20)


def register(folder: Path, pair: KeyPair, since: date) -> None:
    """Have a key of the department count."""
    wanted = Registration(public_key=pair.public.hex(), department=DEPARTMENT, valid_from=since, valid_to=None)
    SigningKeyDesk(folder).register(wanted)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture
def followed(bus: Bus) -> Iterator[Callable[[], None]]:
    """Reads what intake has decided since."""
    with (
        closing(Consumer(consumer_config(bus.brokers, f"test-{uuid.uuid4()}"))) as consumer,
        closing(Registry(bus.registry_url)) as registry,
    ):
        types = Types(registry)
        consumer.subscribe([RECORDS, REJECTIONS])

        def read() -> None:
            for message in consumer.consume(1_000, 0.3):
                schema, value = read_value(types, message.value())
                if schema.short_name == "CreditRecord":
                    bus.recorded.add(value["event_id"])
                elif schema.short_name == "Rejection":
                    bus.rejected.setdefault(value["event_id"], []).extend(value["codes"])

        yield read


def own(**changes: Any) -> dict[str, Any]:
    """A penalty of the department's own."""
    return example("Penalty", event_id=str(uuid.uuid4()), authority=OWN, **changes)


def test_a_signed_batch_is_recorded_and_everything_else_is_refused_by_its_name(
    bus: Bus, followed: Callable[[], None]
) -> None:
    good, revoked, early = (read_pair(bus.folder / name) for name in SINCE)
    events = [own() for _ in range(300)]
    with bus.producer("good") as producer:
        receipts = producer.send([*events, {"kind": "Penalty"}])
    assert [receipt.status for receipt in receipts] == ["RECEIVED"] * 300 + ["REJECTED"]

    def expect(code: str, message: Output, **changes: Any) -> tuple[str, str]:
        bus.write(message, **changes)
        return (message.key or b"").decode(), code

    first, second = bus.signed([own(), own()], good)
    foreign = own()
    foreign["authority"] = FOREIGN
    other = Sender(department="150000-scjg", domain=DOMAIN, roles=SENDER.roles)
    wanted = dict(
        [
            expect("forged", bus.signed([own()], good)[0], headers={"sig": bytes(64)}),
            expect("forged", first, headers={"path": dict(second.headers)["root"]}),
            expect("forged", second, headers={"leaf": b"0/2"}),
            expect("forged", bus.signed([own()], good, other)[0]),
            expect("forged", bus.signed([own()], good)[0], headers={"sender": b"150000-scjg"}),
            expect("unknown-key", bus.signed([own()], KeyPair.from_bytes(b"u" * 32))[0]),
            expect("key-not-valid", bus.signed([own()], revoked)[0]),
            expect("key-not-valid", bus.signed([own()], early)[0]),
            expect("foreign-authority", bus.signed([foreign], good)[0]),
            expect("misplaced", bus.signed([own()], good)[0], topic="credit.events.food"),
        ]
    )
    ids = {event["event_id"] for event in events}

    def all_decided() -> bool:
        followed()
        return ids <= bus.recorded and wanted.keys() <= bus.rejected.keys()

    wait_until("everything to be decided", all_decided)
    assert {name: bus.rejected[name] for name in wanted} == {name: [code] for name, code in wanted.items()}
    assert not bus.recorded & wanted.keys()
    assert not bus.rejected.keys() & ids


def test_what_was_refused_for_its_key_is_recorded_once_the_key_is_registered(
    bus: Bus, followed: Callable[[], None]
) -> None:
    pair = KeyPair.from_bytes(b"l" * 32)
    event = own()
    (message,) = bus.signed([event], pair)
    bus.write(message)

    def is_refused() -> bool:
        followed()
        return event["event_id"] in bus.rejected

    wait_until("the refusal", is_refused)
    register(bus.folder, pair, date(2026, 1, 1))

    def is_recorded() -> bool:
        bus.write(message)
        followed()
        return event["event_id"] in bus.recorded

    wait_until("the record", is_recorded)
