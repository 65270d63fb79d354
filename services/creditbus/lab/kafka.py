"""Apache Kafka on one node (KRaft, broker and controller in one process): configuration, storage, command line."""

from __future__ import annotations

import base64
import hashlib
import logging
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from creditbus.lab.artifacts import Artifacts
from creditbus.lab.errors import NotReadyError
from creditbus.lab.java import DATED_LOG, Jvm, java_command
from creditbus.lab.process import Process

HOST = "127.0.0.1"
FORMAT_TIMEOUT_SECONDS = 60
# what this project sends is at most 1 MiB a message; the rest is head room for batches of readers
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

# what a client says of a broker that is not there yet is no news
silent_logger = logging.getLogger("creditbus.lab.kafka.probe")
silent_logger.addHandler(logging.NullHandler())
silent_logger.propagate = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaNode:
    """One Kafka on this machine."""

    folder: Path
    port: int
    controller_port: int
    jvm: Jvm = field(default_factory=lambda: Jvm(max_heap_mb=512, min_heap_mb=256))

    @property
    def brokers(self) -> str:
        """What clients call bootstrap.servers."""
        return f"{HOST}:{self.port}"

    @property
    def properties_file(self) -> Path:
        """Kafka's configuration, written at every start."""
        return self.folder / "server.properties"

    @property
    def log_folder(self) -> Path:
        """Where the topics are."""
        return self.folder / "logs"


def properties(node: KafkaNode) -> dict[str, str]:
    """Kafka's configuration: one replica, loopback only, topics by `deploy/topics.yaml` alone."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{node.controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(node.log_folder),
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(MAX_MESSAGE_BYTES),
        "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
        # internal topics: one replica because there is one node, few partitions because each costs files and start time
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        # a group whose process is away for longer starts from the first message; by default that is after a week
        "offsets.retention.minutes": str(366 * 24 * 60),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        # a group of one member on one machine has nobody to wait for
        "group.initial.rebalance.delay.ms": "0",
        # a restarted service takes over within 15 s (design 11.5): sessions of 6 s, transactions of 10 s are allowed
        "group.min.session.timeout.ms": "1000",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        # after kill -9 the controller lets the broker in again only when its old session has ended: 9 s by default
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
    }


def prepare(node: KafkaNode, artifacts: Artifacts) -> None:
    """Write the configuration and format the storage, once; raises NotReadyError with Kafka's own words."""
    node.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}={value}" for key, value in properties(node).items()]
    node.properties_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if (node.log_folder / "meta.properties").exists():
        return
    # formatting quickly matters more than running quickly: compile as little as possible
    options = ("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", artifacts.kafka_classpath)
    command = (str(artifacts.java), *options, "kafka.tools.StorageTool", "format", "--ignore-formatted")
    # with "=", since one id in 64 begins with a hyphen and would be taken for an option
    arguments = (f"--cluster-id={cluster_id(node)}", "--config", str(node.properties_file))
    done = subprocess.run(
        (*command, *arguments), capture_output=True, text=True, timeout=FORMAT_TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        raise NotReadyError(
            en=f"Kafka's storage in {node.log_folder} could not be formatted: {done.stderr.strip()[-500:]}",
            zh=f"无法初始化 Kafka 的存储目录 {node.log_folder}：{done.stderr.strip()[-500:]}",
        )


def cluster_id(node: KafkaNode) -> str:
    """A cluster id that belongs to the data folder: the same at every start, another one for another folder."""
    digest = hashlib.sha256(str(node.folder.absolute()).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def kafka_process(node: KafkaNode, artifacts: Artifacts) -> Process:
    """Kafka as a child process."""
    options = (
        *DATED_LOG,
        # the full configuration, three times a start
        *(
            f"-Dorg.slf4j.simpleLogger.log.{name}=warn"
            for name in ("kafka.server.KafkaConfig", "org.apache.kafka.common.config")
        ),
        "-cp",
        artifacts.kafka_classpath,
    )
    return Process(
        name="kafka",
        argv=java_command("kafka", node.jvm, artifacts, (*options, "kafka.Kafka", str(node.properties_file))),
        is_ready=lambda: answers(node.brokers),
        prepare=lambda: prepare(node, artifacts),
        port=node.port,
        address=node.brokers,
        memory_mb=node.jvm.max_heap_mb + 200,
        stop_within_seconds=60.0 if node.jvm.record_startup else 30.0,
    )


def answers(brokers: str, timeout_seconds: float = 1.0) -> bool:
    """Whether a broker answers a metadata request."""
    client = AdminClient(
        {"bootstrap.servers": brokers, "log_level": 0, "socket.timeout.ms": 1000}, logger=silent_logger
    )
    try:
        return bool(client.list_topics(timeout=timeout_seconds).brokers)
    except KafkaException:
        return False
