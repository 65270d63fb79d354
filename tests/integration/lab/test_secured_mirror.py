"""A mirror between two clusters that ask who you are, told by `creditbus mirror`, with its rights and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from deploy.kubernetes.rights import MERGING_USERS, NODE_USERS, REGION
from typer.testing import CliRunner

from creditbus.bus.reading import all_partitions, read_to_end
from creditbus.bus.topics import ensure_topics, load_topics, mirrored_records
from creditbus.cli import build
from creditbus.core.topics import EDITIONS, LOCAL_RECORDS
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.java import Jvm
from creditbus.lab.mirror import HUB, Mirroring, MirrorNode, mirror_process
from creditbus.lab.process import running
from ports import free_ports
from secured_kafka import Secured, give_rights, rights_in, secured_kafka
from waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
AT_HUB, AT_NODE = f"creditbus-mirror-{REGION}", "creditbus-mirror"


@dataclass(frozen=True)
class Both:
    """The hub and the node of a region."""

    hub: Secured
    node: Secured


@pytest.fixture
def both(tmp_path: Path, lab_artifacts: Artifacts) -> Iterator[Both]:
    with ExitStack() as started:

        def cluster(name: str, users: Path, regions: tuple[str, ...]) -> Secured:
            (tmp_path / name).mkdir()
            rights = rights_in(users)
            made = started.enter_context(secured_kafka(tmp_path / name, lab_artifacts, tuple(rights)))
            give_rights(made.open_brokers, {f"User:{user}": acls for user, acls in rights.items()})
            ensure_topics(made.open_brokers, load_topics(regions=regions), 1)
            return made

        yield Both(cluster(HUB, MERGING_USERS, (REGION,)), cluster("node", NODE_USERS, ()))


@pytest.fixture
def properties(both: Both, tmp_path: Path) -> str:
    """What the command writes for them."""
    with pytest.MonkeyPatch.context() as told:  # of the command, not of what the test reads with
        for name, value in both.node.proof(AT_NODE, f"of {AT_NODE}").items():
            told.setenv(name, value)
        for name, value in both.hub.proof(AT_HUB, f"of {AT_HUB}").items():
            told.setenv(name.replace("CREDITBUS_", "CREDITBUS_HUB_"), value)
        told.setenv("CREDITBUS_BROKERS", both.node.brokers)
        told.setenv("CREDITBUS_HUB_BROKERS", both.hub.brokers)
        (port,) = free_ports(1)
        file = tmp_path / "mirror.properties"
        arguments = [
            "mirror",
            REGION,
            "--out",
            str(file),
            "--replication",
            "1",
            "--listener",
            f"http://127.0.0.1:{port}",
        ]
        done = CliRunner().invoke(build(["mirror"]), arguments)
        assert done.exit_code == 0, done.output
    return file.read_text()


def test_records_go_up_and_what_the_hub_wrote_comes_down(
    both: Both, properties: str, tmp_path: Path, lab_artifacts: Artifacts
) -> None:
    write(both.node, LOCAL_RECORDS, b"a record")
    write(both.hub, EDITIONS, b"an edition")
    (port,) = (int(line.rsplit(":", 1)[1]) for line in properties.splitlines() if line.startswith("listeners"))
    told = Mirroring(region=REGION, brokers="", hub_brokers="", listener="")
    node = MirrorNode(mirroring=told, folder=tmp_path / "run", port=port, jvm=Jvm(max_heap_mb=256, min_heap_mb=64))
    process = mirror_process(node, lab_artifacts)

    def prepare() -> None:
        node.folder.mkdir()
        (node.folder / "mirror.properties").write_text(properties)

    log = tmp_path / "mirror.log"
    with running(replace(process, prepare=prepare), log):
        wait_until("the record at the hub", lambda: values(both.hub, mirrored_records(REGION)) == [b"a record"])
        wait_until("the edition at the node", lambda: values(both.node, EDITIONS) == [b"an edition"])
    assert "AuthorizationException" not in log.read_text(), "it lacks a right that it wants"


def write(cluster: Secured, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": cluster.open_brokers, "acks": "all"})
    producer.produce(topic, value, b"key", 0)
    assert producer.flush(30) == 0


def values(cluster: Secured, topic: str) -> list[bytes | None]:
    """Committed messages."""
    places = all_partitions(cluster.open_brokers, "test", topic)
    return [one.value() for batch in read_to_end(cluster.open_brokers, "test", places) for one in batch]
