"""Three brokers that are each other's replicas, as a production cluster has them; each can be killed and started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
from confluent_kafka.admin import AdminClient

from creditbus.lab import kafka
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.java import Jvm
from creditbus.lab.process import spawn, wait_ready
from ports import free_ports
from waiting import wait_until

_NUMBERS = (1, 2, 3)
_REPLICATED = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}


class Cluster:
    """The brokers, each under its number."""

    def __init__(self, folder: Path, artifacts: Artifacts) -> None:
        ports = free_ports(2 * len(_NUMBERS))
        self.nodes = {
            number: kafka.KafkaNode(
                folder=folder / f"broker-{number}",
                port=ports[number - 1],
                controller_port=ports[number + 2],
                jvm=Jvm(max_heap_mb=256, min_heap_mb=128),
            )
            for number in _NUMBERS
        }
        self.brokers = ",".join(node.brokers for node in self.nodes.values())
        self._folder, self._artifacts = folder, artifacts
        self._running: dict[int, Popen[bytes]] = {}

    def properties(self, plain: Mapping[str, str]) -> dict[str, str]:
        """Configuration of a broker of the three, from that of one that is alone."""
        number = next(number for number, node in self.nodes.items() if str(node.log_folder) == plain["log.dirs"])
        voters = [f"{one}@{kafka.HOST}:{node.controller_port}" for one, node in self.nodes.items()]
        return {**plain, **_REPLICATED, "node.id": str(number), "controller.quorum.voters": ",".join(voters)}

    def start(self, *numbers: int) -> None:
        """Start brokers, and wait until they answer."""
        commands = {number: kafka.kafka_process(self.nodes[number], self._artifacts) for number in numbers}
        logs = {number: self._folder / f"broker-{number}.log" for number in numbers}
        for number, command in commands.items():
            command.prepare()
            self._running[number] = spawn(command, logs[number])
        for number, command in commands.items():  # none of three answers before there are two
            wait_ready(command, self._running[number], logs[number])

    def kill(self, number: int) -> None:
        """As a crash would."""
        broker = self._running.pop(number)
        broker.kill()
        broker.wait(30)

    def close(self) -> None:
        """No broker outlives its test."""
        for number in list(self._running):
            self.kill(number)

    def wait_in_sync(self) -> None:
        """Until every partition has all of its replicas."""
        admin = AdminClient({"bootstrap.servers": self.brokers})

        def is_in_sync() -> bool:
            topics = admin.list_topics(timeout=10).topics.values()
            return all(len(one.isrs) == len(one.replicas) for topic in topics for one in topic.partitions.values())

        wait_until("the brokers to be in sync", is_in_sync)


@contextmanager
def three_brokers(folder: Path, artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster, all three of it in step."""
    cluster, plain = Cluster(folder, artifacts), kafka.properties
    monkeypatch.setattr(kafka, "properties", lambda node: cluster.properties(plain(node)))
    monkeypatch.setattr(kafka, "cluster_id", lambda _: "AAAAAAAAAAAAAAAAAAAAAA")
    try:
        cluster.start(*_NUMBERS)
        cluster.wait_in_sync()
        yield cluster
    finally:
        cluster.close()
