"""The whole bus, its commands among it, where everything takes only who proves who it is.

On Kafka each service is a user of its own, with the rights of deploy/kubernetes and no more; before the registry and
ClickHouse stand fronts that ask for a user, its password and a certificate.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from deploy.kubernetes.rights import OPERATOR, REGISTRY, USERS
from deploy.kubernetes.rights import SERVICES as ON_KAFKA

from creditbus.bus.registry import Registry
from creditbus.bus.schemas import SchemaSet
from creditbus.bus.topics import load_topics, schemas_of
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.clickhouse import CLICKHOUSE, clickhouse_process
from creditbus.lab.process import Process, running
from creditbus.lab.registry import RegistryNode, registry_process
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import SERVICES, addresses, service_process
from guarded_http import guarded
from ports import free_ports
from running_lab import PARTS, RunningLab
from secured_kafka import Secured, give_rights, make_certificate, rights_in, secured_kafka
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PREFIX = "creditbus-"
PASSWORD = "of a store"
BY_CERTIFICATE = (REGISTRY, "monitor")
"""Users without a password: the monitor, whose client is another one than that of all others, and what is not ours."""


def users() -> dict[str, list[dict[str, Any]]]:
    """Rights by user."""
    return rights_in(USERS)


def _principal(user: str) -> str:
    """How the broker calls it: some come with a certificate."""
    return f"User:CN={user}" if user.removeprefix(PREFIX) in BY_CERTIFICATE else f"User:{user}"


@pytest.fixture
def certificates(tmp_path: Path) -> Mapping[str, Path]:
    """Folders with the certificate and the key of whoever has one."""
    folders = {name: tmp_path / f"own-{name}" for name in BY_CERTIFICATE}
    for name, folder in folders.items():
        folder.mkdir()
        make_certificate(folder, f"{PREFIX}{name}")
    return folders


@pytest.fixture
def secured(tmp_path: Path, lab_artifacts: Artifacts, certificates: Mapping[str, Path]) -> Iterator[Secured]:
    known = tuple(folder / "ca.pem" for folder in certificates.values())
    with secured_kafka(tmp_path, lab_artifacts, tuple(users()), known) as made:
        # besides, the subscriber that the scenario plays
        group = {"resource": {"type": "group", "name": "scenario-", "patternType": "prefix"}, "operations": ["Read"]}
        rights = {user: [*acls, group] if user == f"{PREFIX}{OPERATOR}" else acls for user, acls in users().items()}
        give_rights(made.open_brokers, {_principal(user): acls for user, acls in rights.items()})
        yield made


@pytest.fixture
def bus(
    secured: Secured,
    certificates: Mapping[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    lab_artifacts: Artifacts,
) -> Iterator[RunningLab]:
    """Every service as its own user, commands as the operator. The registry uses the listener for everybody."""
    folder = secured.folder / "data"
    ports = {part: str(port) for part, port in zip(PARTS, free_ports(len(PARTS)), strict=True)}
    ports["kafka"] = str(secured.port)
    for name, value in {
        **{f"CREDITBUS_LAB_{part.upper()}_PORT": port for part, port in ports.items()},
        **_proof(secured, OPERATOR, certificates),
        "CREDITBUS_LAB_DATA": str(folder),
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    places = addresses(settings)
    with ExitStack() as started:

        def start(one: Process) -> None:
            started.enter_context(running(one, folder / "logs" / f"{one.name}.log"))

        start(registry_process(RegistryNode(port=settings.registry_port, brokers=secured.open_brokers), lab_artifacts))
        start(clickhouse_process(folder / CLICKHOUSE, settings.clickhouse_port))
        guards = {
            name: started.enter_context(guarded(url, secured.folder / f"before-{name}"))
            for name, url in (("registry", places.registry_url), ("clickhouse", places.clickhouse_url))
        }
        for name, guard in guards.items():
            for variable, value in guard.environment(f"CREDITBUS_{name.upper()}_").items():
                monkeypatch.setenv(variable, value)
        places = replace(places, registry_url=guards["registry"].url, clickhouse_url=guards["clickhouse"].url)
        lab = RunningLab(folder, {**os.environ, "COLUMNS": "200"})
        deploy = {"BROKERS": places.brokers, "REGISTRY_URL": places.registry_url, "SECRETS": str(places.secrets)}
        for name, value in deploy.items():
            lab.environment[f"CREDITBUS_{name}"] = value
        lab.creditbus("deploy")
        for service in SERVICES:
            one = service_process(service, settings, places)
            start(replace(one, env={**one.env, **_proof(secured, service, certificates)}))
        yield lab
        assert all(guard.let_in for guard in guards.values()), "nothing went through the fronts"


def _proof(secured: Secured, service: str, certificates: Mapping[str, Path]) -> dict[str, str]:
    """What a service shows the brokers; nothing where it has no user there."""
    user = f"{PREFIX}{service}"
    if service in certificates:
        return {**secured.certificate(certificates[service]), "CREDITBUS_BROKERS": secured.mutual_brokers}
    return secured.proof(user, f"of {user}") if user in users() else {}


def test_the_registry_keeps_schemas_by_its_certificate_with_the_variables_of_its_manifest(
    secured: Secured, certificates: Mapping[str, Path], lab_artifacts: Artifacts
) -> None:
    """Strimzi gives stores with passwords; so does this."""
    (port,) = free_ports(1)
    plain = registry_process(RegistryNode(port=port, brokers=secured.mutual_brokers), lab_artifacts)
    own = certificates[REGISTRY]
    stores = {"/kafka-ca/ca.p12": secured.folder / "ca.p12", "/kafka-user/user.p12": own / "user.p12"}
    _write_stores(secured.folder / "ca.pem", own, stores)
    given = {
        one["name"]: str(stores.get(one.get("value", ""), one.get("value", PASSWORD)))
        for one in _registry_variables()
        if one["name"].startswith(("APICURIO_KAFKASQL_SECURITY", "APICURIO_KAFKASQL_SSL"))
    }
    with running(replace(plain, env={**plain.env, **given}), secured.folder / "registry.log"):
        registry = Registry(plain.address or "")
        registry.require_full_compatibility()
        for _ in registry.push(schemas_of(load_topics()[:1], SchemaSet.load())):
            pass
        registry.close()


def _registry_variables() -> list[dict[str, Any]]:
    deployment = next(yaml.safe_load_all((USERS.parents[1] / "registry.yaml").read_text(encoding="utf-8")))
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


def _write_stores(ca: Path, own: Path, stores: dict[str, Path]) -> None:
    """What the broker is known by and the registry's own, as Java reads them."""
    trusted = x509.load_pem_x509_certificate(ca.read_bytes())
    certificate = x509.load_pem_x509_certificate((own / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((own / "key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    locked = serialization.BestAvailableEncryption(PASSWORD.encode())
    truststore = pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(trusted, b"ca")], locked)
    stores["/kafka-ca/ca.p12"].write_bytes(truststore)
    stores["/kafka-user/user.p12"].write_bytes(
        pkcs12.serialize_key_and_certificates(b"user", key, certificate, None, locked)
    )


def test_a_firm_is_listed_repaired_and_cleared_by_services_that_may_do_what_they_do_and_no_more(
    bus: RunningLab,
) -> None:
    bus.creditbus("scenario", "hohhot")
    assert [check["wrong"] for check in bus.verify() if check["wrong"]] == []
    monitor = f"http://127.0.0.1:{bus.port('monitor')}/metrics"
    counted = re.compile(r'^creditbus_messages_decided_total\{.*outcome="ok".*\} [1-9]', re.MULTILINE)
    wait_until("the monitor to count", lambda: counted.search(httpx.get(monitor).text) is not None)
    for service in ON_KAFKA:
        log = (bus.folder / "logs" / f"{service}.log").read_text(errors="replace")
        assert "AUTHORIZATION" not in log.upper(), f"{service}: {log[-2000:]}"
