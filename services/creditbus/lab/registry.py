"""The schema registry: Apicurio with its storage in Kafka, spoken to through its Confluent-compatible API."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from creditbus.lab.artifacts import Artifacts
from creditbus.lab.java import Jvm, java_command
from creditbus.lab.process import Process, answers_http

HOST = "127.0.0.1"
CONFLUENT_API = "/apis/ccompat/v7"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryNode:
    """One schema registry on this machine."""

    port: int
    brokers: str
    jvm: Jvm = field(default_factory=lambda: Jvm(max_heap_mb=192, min_heap_mb=64))

    @property
    def url(self) -> str:
        """What clients call schema.registry.url."""
        return f"http://{HOST}:{self.port}{CONFLUENT_API}"


def environment(node: RegistryNode) -> dict[str, str]:
    """Apicurio's configuration."""
    return {
        "APICURIO_STORAGE_KIND": "kafkasql",
        "APICURIO_KAFKASQL_BOOTSTRAP_SERVERS": node.brokers,
        "APICURIO_EVENTS_KAFKA_CONFIG_BOOTSTRAP_SERVERS": node.brokers,
        # how long a write waits for its own record to come back
        "APICURIO_KAFKASQL_CONSUMER_POLL_TIMEOUT": "200",
        "QUARKUS_HTTP_HOST": HOST,
        "QUARKUS_HTTP_PORT": str(node.port),
        "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
        # its own format writes the year of the week
        "QUARKUS_LOG_CONSOLE_FORMAT": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p [%c{1}] %m%n%e",
    }


def registry_process(node: RegistryNode, artifacts: Artifacts) -> Process:
    """The registry as a child process; Kafka has to answer before it starts."""
    # SerialGC and C1: it answers a few hundred requests a day, so start and memory are what counts
    options = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(artifacts.registry_jar))
    return Process(
        name="registry",
        argv=java_command("registry", node.jvm, artifacts, options),
        env=environment(node),
        is_ready=lambda: answers_http(f"{node.url}/subjects"),
        depends_on=("kafka",),
        port=node.port,
        address=node.url,
        memory_mb=node.jvm.max_heap_mb + 130,
        stop_within_seconds=60.0 if node.jvm.record_startup else 15.0,
        orphan_signal=signal.SIGKILL,  # told to stop it talks to Kafka, which ends with it; what it keeps is there
    )
