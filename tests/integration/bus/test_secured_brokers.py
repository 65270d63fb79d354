"""Brokers that take only who proves who it is, over TLS, and let each do what its rights say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import faust
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from creditbus.bus.kafka import admin, consumer_config, end_offset, producer_config, transactional_producer
from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.security import KafkaSecurity
from creditbus.client.direct import DirectProducer, DirectSender
from creditbus.client.producer import SendError
from creditbus.core.topics import EVENTS_START
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.signingkeys import make_pair
from creditbus.monitor.app import credentials
from intake_harness import example
from secured_kafka import SERVICE, Secured, secured_kafka

pytestmark = pytest.mark.integration

DEPARTMENT = "150100-scjg"
OWN, FOREIGN = "credit.events.fiscal", "credit.events.medical"


def grant(open_brokers: str) -> None:
    """Two topics, and the right of a department to write to one of them."""
    client = AdminClient({"bootstrap.servers": open_brokers})
    rights = AclBinding(
        ResourceType.TOPIC,
        OWN,
        ResourcePatternType.LITERAL,
        f"User:{DEPARTMENT}",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    done = [
        *client.create_topics([NewTopic(OWN, 1, 1), NewTopic(FOREIGN, 1, 1)]).values(),
        *client.create_acls([rights]).values(),
    ]
    for future in done:
        future.result(30)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, lab_artifacts: Artifacts) -> Iterator[Secured]:
    with secured_kafka(tmp_path_factory.mktemp("secured"), lab_artifacts, (SERVICE, DEPARTMENT)) as made:
        grant(made.open_brokers)
        yield made


def become(monkeypatch: pytest.MonkeyPatch, secured: Secured, user: str, password: str) -> None:
    for name, value in secured.proof(user, password).items():
        monkeypatch.setenv(name, value)


def written(brokers: str, topic: str) -> KafkaError | None:
    """What became of a message of the user that the environment names."""
    errors: list[KafkaError | None] = []
    producer = Producer(producer_config(brokers))
    producer.produce(topic, b"event", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    return errors[0]


def admin_answers(brokers: str) -> bool:
    """Whether the user that the environment names is let in."""
    try:
        admin(brokers).list_topics(timeout=5)
    except KafkaException:
        return False
    return True


def test_services_work_over_tls_with_a_password(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, secured, SERVICE, f"of {SERVICE}")
    topic = "credit.records"
    client = admin(secured.brokers)  # kept: its futures fail when it is collected
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = transactional_producer(secured.brokers, "intake-0")
    producer.begin_transaction()
    producer.produce(topic, b"record")
    producer.commit_transaction(30)
    with closing(Consumer(consumer_config(secured.brokers, "group"))) as consumer:
        consumer.subscribe([topic])
        message = consumer.poll(30)
        assert message is not None
        assert message.value() == b"record"
    assert end_offset(secured.brokers, topic, 0) == 2  # the record, and the end of the transaction


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_a_password_is_proven_in_each_way(secured: Secured, monkeypatch: pytest.MonkeyPatch, mechanism: str) -> None:
    become(monkeypatch, secured, SERVICE, f"of {SERVICE}")
    monkeypatch.setenv("CREDITBUS_KAFKA_SASL_MECHANISM", mechanism)
    assert written(secured.brokers, FOREIGN) is None


def test_a_certificate_is_proof_enough_and_needed(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in secured.certificate().items():
        monkeypatch.setenv(name, value)
    brokers = secured.mutual_brokers
    assert written(brokers, FOREIGN) is None
    monkeypatch.delenv("CREDITBUS_KAFKA_CERTIFICATE_FILE")
    monkeypatch.delenv("CREDITBUS_KAFKA_KEY_FILE")
    assert not admin_answers(brokers)


def test_the_monitor_reads_over_tls_with_a_password(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, secured, SERVICE, f"of {SERVICE}")
    assert written(secured.brokers, FOREIGN) is None
    values: list[bytes] = []

    async def read() -> None:
        app = faust.App(
            "monitor",
            broker=[f"aiokafka://{secured.brokers}"],
            broker_credentials=credentials(KafkaSecurity()),
            datadir=str(secured.folder / "monitor"),
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            value_serializer="raw",
        )

        async def take(stream: faust.StreamT[bytes]) -> None:
            async for value in stream:
                values.append(value)

        app.agent(app.topic(FOREIGN, value_type=bytes, value_serializer="raw"), name="take")(take)
        async with app:
            deadline = asyncio.get_running_loop().time() + 30
            while not values and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.1)

    asyncio.run(read())
    assert values
    assert values[0] == b"event"


def test_a_department_writes_to_its_own_topic_and_to_no_other(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, secured, DEPARTMENT, f"of {DEPARTMENT}")
    assert written(secured.brokers, OWN) is None
    refused = written(secured.brokers, FOREIGN)
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_department_s_own_producer_proves_itself_and_says_which_right_is_missing(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, registry_url: str, tmp_path: Path
) -> None:
    become(monkeypatch, secured, DEPARTMENT, f"of {DEPARTMENT}")
    make_pair(tmp_path / "own.key")
    with closing(Registry(registry_url)) as registry:
        assert list(registry.push((topic, one) for topic in (OWN, FOREIGN) for one in SchemaSet.load().events.values()))

    def producer(domain: str) -> DirectProducer:
        own = DirectSender(department=DEPARTMENT, domain=domain, key_file=tmp_path / "own.key")
        return DirectProducer(secured.brokers, registry_url, own)

    with producer(OWN.removeprefix(EVENTS_START)) as bus:
        assert [receipt.status for receipt in bus.send([example("Penalty")])] == ["RECEIVED"]
    with producer(FOREIGN.removeprefix(EVENTS_START)) as bus, pytest.raises(SendError, match="SASL_USERNAME"):
        bus.send([example("Penalty")])


_SENDS = """
import sys
from confluent_kafka import Producer
from creditbus.bus.kafka import producer_config
producer = Producer(producer_config(sys.argv[1], message_timeout_ms=3000))
producer.produce(sys.argv[2], b"event")
producer.flush(10)
"""


def test_a_wrong_password_is_told_with_the_remedy_and_never_shown(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: what a process has told a moment ago it does not tell again."""
    become(monkeypatch, secured, "nobody", "a wrong password")
    command = (sys.executable, "-c", _SENDS, secured.brokers, OWN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "CREDITBUS_KAFKA_SASL_USERNAME" in done.stdout
    assert "a wrong password" not in done.stdout + done.stderr
