"""What clients are told about TLS and SASL, and what is said of settings that cannot work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError

from creditbus.bus import kafka
from creditbus.bus.kafka import consumer_config, producer_config, reaching
from creditbus.bus.security import HubKafkaSecurity, KafkaSecurity
from creditbus.core.errors import SettingsError


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """SASL_SSL with a password and a CA, in files; the folder of both."""
    (tmp_path / "password").write_text("not told\n")
    (tmp_path / "ca.pem").write_text("no certificate")
    for name, value in {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_USERNAME": "intake",
        "SASL_PASSWORD_FILE": str(tmp_path / "password"),
        "CA_FILE": str(tmp_path / "ca.pem"),
    }.items():
        monkeypatch.setenv(f"CREDITBUS_KAFKA_{name}", value)
    return tmp_path


def test_plaintext_needs_nothing() -> None:
    assert reaching("here:1") == {"bootstrap.servers": "here:1"}
    assert KafkaSecurity().tls_context() is None


def test_every_kind_of_client_proves_who_it_is(secured: Path) -> None:
    proof = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "intake",
        "sasl.password": "not told",
        "ssl.ca.location": str(secured / "ca.pem"),
    }
    for config in (reaching("here:1"), consumer_config("here:1", "group"), producer_config("here:1")):
        assert {name: config.get(name) for name in proof} == proof


def test_java_is_told_the_same_with_what_its_syntax_asks_for(secured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secured / "password").write_text('a "quoted\\ one')
    for name, text in (("CERTIFICATE_FILE", "the certificate"), ("KEY_FILE", "its key")):
        (secured / name).write_text(text)
        monkeypatch.setenv(f"CREDITBUS_KAFKA_{name}", str(secured / name))
    assert KafkaSecurity().for_java() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
        r'username="intake" password="a \"quoted\\ one";',
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(secured / "ca.pem"),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.certificate.chain": "the certificate",
        "ssl.keystore.key": "its key",
    }
    assert HubKafkaSecurity().for_java() == {}, "the hub's brokers are others"


def test_a_password_that_changed_is_read_when_the_next_client_is_made(secured: Path) -> None:
    (secured / "password").write_text("another")
    assert reaching("here:1")["sasl.password"] == "another"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SECURITY_PROTOCOL", "TLS", "SECURITY_PROTOCOL: Input should be 'PLAINTEXT', 'SSL'"),
        ("SASL_USERNAME", "", "SASL_USERNAME is missing"),
        ("SASL_PASSWORD_FILE", "gone", "SASL_PASSWORD_FILE: gone cannot be read"),
        ("CA_FILE", "gone", "CA_FILE: gone cannot be read"),
        ("KEY_FILE", "gone", "CERTIFICATE_FILE is missing"),
    ],
)
def test_what_is_missing_is_named(
    secured: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"CREDITBUS_KAFKA_{name}", value)
    with pytest.raises(SettingsError, match=told) as raised:
        reaching("here:1")
    assert "not told" not in str(raised.value)


def test_a_ca_that_is_no_certificate_is_named(secured: Path) -> None:
    with pytest.raises(SettingsError, match="CA_FILE"):
        KafkaSecurity().tls_context()


def test_one_trouble_does_not_keep_another_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(kafka, "log", SimpleNamespace(warning=lambda text, problem: told.append(f"{text}: {problem}")))
    tell = kafka._Teller()
    for code in (KafkaError._TRANSPORT, KafkaError._AUTHENTICATION, KafkaError._AUTHENTICATION, KafkaError._TIMED_OUT):
        tell(KafkaError(code, "why"))
    assert [text.endswith(": why") for text in told] == [True, True]
    assert "CREDITBUS_KAFKA_SASL_USERNAME" in told[1]
