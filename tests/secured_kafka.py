"""Brokers with listeners that take only who proves who it is, by SASL over TLS or by a certificate; and rights."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
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

from creditbus.lab import kafka, process
from creditbus.lab.artifacts import Artifacts
from ports import free_ports

SERVICE = "creditbus"
"""User that may do everything."""
_NAME = "broker of a test"
OF_THE_CLUSTER = "kafka-cluster"


@dataclass(frozen=True)
class Secured:
    """Brokers and where their certificate and the passwords stand."""

    port: int
    """Of the listener for users with a password."""
    mutual_port: int
    """Of the listener for clients with a certificate."""
    open_brokers: str
    """Listener for everybody, for what has no such settings from us."""
    folder: Path

    @property
    def brokers(self) -> str:
        """The listener for users with a password."""
        return f"127.0.0.1:{self.port}"

    def proof(self, user: str, password: str) -> dict[str, str]:
        """Environment of somebody who says to be that user."""
        file = self.folder / f"{user}.password"
        file.write_text(f"{password}\n")
        settings = {
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_USERNAME": user,
            "SASL_PASSWORD_FILE": str(file),
            "CA_FILE": str(self.folder / "ca.pem"),
        }
        return {f"CREDITBUS_KAFKA_{name}": value for name, value in settings.items()}

    @property
    def mutual_brokers(self) -> str:
        """The listener for clients with a certificate."""
        return f"127.0.0.1:{self.mutual_port}"

    def certificate(self, own: Path | None = None) -> dict[str, str]:
        """Environment of somebody with a certificate. own: folder of it and of its key; by default the broker's."""
        settings = {
            "SECURITY_PROTOCOL": "SSL",
            "CA_FILE": str(self.folder / "ca.pem"),
            "CERTIFICATE_FILE": str((own or self.folder) / "ca.pem"),
            "KEY_FILE": str((own or self.folder) / "key.pem"),
        }
        return {f"CREDITBUS_KAFKA_{name}": value for name, value in settings.items()}


@contextmanager
def secured_kafka(
    folder: Path, artifacts: Artifacts, users: tuple[str, ...], trusted: tuple[Path, ...] = ()
) -> Iterator[Secured]:
    """A broker with users whose passwords are "of " and their names. trusted: PEM of clients' certificates besides."""
    port, mutual_port, open_port, controller_port = free_ports(4)
    node = kafka.KafkaNode(folder=folder / "kafka", port=open_port, controller_port=controller_port)
    more = listeners(node, {"SECURE": port, "MUTUAL": mutual_port}, make_certificate(folder))
    with (folder / "ca.pem").open("ab") as known:
        known.writelines(path.read_bytes() for path in trusted)

    def prepare() -> None:
        kafka.prepare(node, artifacts)
        with node.properties_file.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in more.items())

    with process.running(replace(kafka.kafka_process(node, artifacts), prepare=prepare), folder / "kafka.log"):
        make_users(node.brokers, users)
        yield Secured(port, mutual_port, node.brokers, folder)


def make_certificate(folder: Path, who: str = _NAME) -> Path:
    """A certificate for the loopback address with its key, signed by itself; ca.pem, key.pem, and the file of both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
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
    (folder / "key.pem").write_bytes(private)
    (folder / "broker.pem").write_bytes(private + pem)
    return folder / "broker.pem"


def listeners(node: kafka.KafkaNode, ports: dict[str, int], certificate: Path) -> dict[str, str]:
    """Two more listeners, and rights that hold for everybody but the tests and our own services."""
    plain = kafka.properties(node)
    more = "".join(f",{name}://127.0.0.1:{port}" for name, port in ports.items())
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    one_user = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{SERVICE}="of {SERVICE}";'
    secure, mutual = "listener.name.secure", "listener.name.mutual"
    return {
        "listeners": plain["listeners"] + more,
        "advertised.listeners": plain["advertised.listeners"] + more,
        "listener.security.protocol.map": f"{plain['listener.security.protocol.map']},SECURE:SASL_SSL,MUTUAL:SSL",
        f"{secure}.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        f"{secure}.scram-sha-512.sasl.jaas.config": scram,
        f"{secure}.scram-sha-256.sasl.jaas.config": scram,
        f"{secure}.plain.sasl.jaas.config": one_user,
        **{f"{name}.ssl.keystore.type": "PEM" for name in (secure, mutual)},
        **{f"{name}.ssl.keystore.location": str(certificate) for name in (secure, mutual)},
        f"{mutual}.ssl.client.auth": "required",
        f"{mutual}.ssl.truststore.type": "PEM",
        f"{mutual}.ssl.truststore.location": str(certificate.with_name("ca.pem")),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{SERVICE};User:CN={_NAME}",
    }


def make_users(open_brokers: str, users: tuple[str, ...]) -> None:
    client = AdminClient({"bootstrap.servers": open_brokers})
    for mechanism in (ScramMechanism.SCRAM_SHA_512, ScramMechanism.SCRAM_SHA_256):  # one request takes one of a user
        made: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, 4096), b"of " + name.encode())
            for name in users
        ]
        for future in client.alter_user_scram_credentials(made).values():
            future.result(30)


def rights_in(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Rights by user, as Strimzi would give them."""
    found = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in found if one}


def give_rights(open_brokers: str, rights: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Let everybody do what a user's rights say and no more. rights: by principal, in Strimzi's words."""
    client = AdminClient({"bootstrap.servers": open_brokers})
    made = [one for principal, acls in rights.items() for acl in acls for one in _bindings(principal, acl)]
    for future in client.create_acls(made).values():
        future.result(30)


def _bindings(principal: str, acl: Mapping[str, Any]) -> Iterator[AclBinding]:
    kinds = {
        "topic": ResourceType.TOPIC,
        "group": ResourceType.GROUP,
        "transactionalId": ResourceType.TRANSACTIONAL_ID,
        "cluster": ResourceType.BROKER,
    }
    patterns = {"literal": ResourcePatternType.LITERAL, "prefix": ResourcePatternType.PREFIXED}
    resource = acl["resource"]
    for operation in acl["operations"]:
        yield AclBinding(
            kinds[resource["type"]],
            resource.get("name", OF_THE_CLUSTER),
            patterns[resource.get("patternType", "literal")],
            principal,
            "*",
            AclOperation[_upper(operation)],
            AclPermissionType.ALLOW,
        )


def _upper(operation: str) -> str:
    """DescribeConfigs → DESCRIBE_CONFIGS."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in operation).upper().strip("_")
