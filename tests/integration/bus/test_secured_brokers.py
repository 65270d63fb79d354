"""Brokers that take only who proves who it is, over TLS, and let each do what its rights say."""

from __future__ import annotations

import asyncio
import ipaddress
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import faust
import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from creditbus.bus.kafka import admin, consumer_config, end_offset, producer_config, transactional_producer
from creditbus.bus.security import KafkaSecurity
from creditbus.lab import kafka, process
from creditbus.lab.artifacts import Artifacts
from creditbus.monitor.app import credentials

pytestmark = pytest.mark.integration

SERVICE, DEPARTMENT = "creditbus", "150100-scjg"
OWN, FOREIGN = "credit.events.fiscal", "credit.events.medical"


@dataclass(frozen=True)
class Secured:
    """Brokers with a listener of their own for those who prove who they are."""

    brokers: str
    folder: Path


def make_certificate(folder: Path) -> Path:
    """A certificate for the loopback address with its key, signed by itself; the file of both, beside ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    now = datetime.now(tz=UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(pem)
    (folder / "broker.pem").write_bytes(private + pem)
    return folder / "broker.pem"


def listener(node: kafka.KafkaNode, port: int, certificate: Path) -> dict[str, str]:
    """A second listener, SASL over TLS, and rights that hold for everybody but the tests and our own services."""
    plain = kafka.properties(node)
    secure = "listener.name.secure"
    return {
        "listeners": f"{plain['listeners']},SECURE://127.0.0.1:{port}",
        "advertised.listeners": f"{plain['advertised.listeners']},SECURE://127.0.0.1:{port}",
        "listener.security.protocol.map": f"{plain['listener.security.protocol.map']},SECURE:SASL_SSL",
        f"{secure}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"{secure}.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        f"{secure}.ssl.keystore.type": "PEM",
        f"{secure}.ssl.keystore.location": str(certificate),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{SERVICE}",
    }


def grant(open_brokers: str) -> None:
    """Users with their passwords, two topics, and the right of a department to write to one of them."""
    client = AdminClient({"bootstrap.servers": open_brokers})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(name, scram, b"of " + name.encode()) for name in (SERVICE, DEPARTMENT)
    ]
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
        *client.alter_user_scram_credentials(users).values(),
        *client.create_topics([NewTopic(OWN, 1, 1), NewTopic(FOREIGN, 1, 1)]).values(),
        *client.create_acls([rights]).values(),
    ]
    for future in done:
        future.result(30)


@pytest.fixture(scope="module")
def secured(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], lab_artifacts: Artifacts
) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    node = kafka.KafkaNode(folder=folder / "kafka", port=free_port(), controller_port=free_port())
    port = free_port()
    more = listener(node, port, make_certificate(folder))

    def prepare() -> None:
        kafka.prepare(node, lab_artifacts)
        with node.properties_file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in more.items())

    with process.running(replace(kafka.kafka_process(node, lab_artifacts), prepare=prepare), folder / "kafka.log"):
        grant(node.brokers)
        yield Secured(f"127.0.0.1:{port}", folder)


def become(monkeypatch: pytest.MonkeyPatch, secured: Secured, user: str, password: str) -> None:
    file = secured.folder / f"{user}.password"
    file.write_text(f"{password}\n")
    for name, value in {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_USERNAME": user,
        "SASL_PASSWORD_FILE": str(file),
        "CA_FILE": str(secured.folder / "ca.pem"),
    }.items():
        monkeypatch.setenv(f"CREDITBUS_KAFKA_{name}", value)


def written(secured: Secured, topic: str) -> KafkaError | None:
    """What became of a message of the user that the environment names."""
    errors: list[KafkaError | None] = []
    producer = Producer(producer_config(secured.brokers))
    producer.produce(topic, b"event", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    return errors[0]


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


def test_the_monitor_reads_over_tls_with_a_password(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, secured, SERVICE, f"of {SERVICE}")
    assert written(secured, FOREIGN) is None
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
    assert written(secured, OWN) is None
    refused = written(secured, FOREIGN)
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


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
