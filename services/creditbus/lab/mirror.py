"""MirrorMaker 2 between a region's node and its hub: records go up, what the hub decides comes down (design.md 7).

Up, the hub sees the region's records on a topic with the region's name before it. Down, the topics keep their names, so
that every reader at the region works as at the hub, and goes on with what it has while the hub is away.
Both ways exactly once: the mirror reads what is committed, and its offsets are part of its transactions.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import javaproperties

from creditbus.bus.private import write_private
from creditbus.bus.topics import load_topics
from creditbus.core.topics import IDENTITIES, LOCAL_RECORDS, RECORDS
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.java import DATED_LOG, Jvm, java_command
from creditbus.lab.process import Process

HOST = "127.0.0.1"
MIRROR, HUB = "mirror", "hub"
_FROM_ALL = frozenset({RECORDS, IDENTITIES})
"""Come down although intake writes them too: at a region, elsewhere; or there too, and then the same row by its key."""
_AT_HUB = frozenset({"clock", "dossier", "breaker", "operator"})
"""Who writes at the hub alone."""
_AT_REGION = frozenset({"intake", "warehouse", "lookup", "subscribers"})
"""Who reads at a region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What a mirror is told."""

    region: str
    brokers: str
    hub_brokers: str
    listener: str
    """URL on which its workers reach each other."""
    security: Mapping[str, str] = field(default_factory=dict)
    """How it proves to the region's brokers who it is, as Kafka's own clients name it."""
    hub_security: Mapping[str, str] = field(default_factory=dict)
    """The same for the hub's."""
    replication: int = 1
    """Replicas of the topics that it makes for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorNode:
    """One mirror on this machine."""

    mirroring: Mirroring
    folder: Path
    port: int
    """Of its listener; loopback only."""
    jvm: Jvm


def topics_down() -> list[str]:
    """Topics that every region has a copy of: written at the hub, read at a region, and not written there too."""
    return [
        topic.name
        for topic in load_topics()
        if _AT_HUB.intersection(topic.written_by)
        and _AT_REGION.intersection(topic.read_by)
        and (topic.name in _FROM_ALL or "intake" not in topic.written_by)
    ]


def properties(told: Mirroring) -> dict[str, str]:
    """MirrorMaker's configuration: which topics, both ways, exactly once; nothing of groups and rights."""
    up, down = f"{told.region}->{HUB}", f"{HUB}->{told.region}"
    internal = (
        "offset.storage", "status.storage", "config.storage", "offset-syncs.topic", "checkpoints.topic",
        "heartbeats.topic",
    )  # fmt: skip
    replicas = str(told.replication)
    return {
        "clusters": f"{HUB}, {told.region}",
        **dict(_cluster(HUB, told.hub_brokers, told.hub_security)),
        **dict(_cluster(told.region, told.brokers, told.security)),
        f"{up}.enabled": "true",
        f"{up}.topics": _pattern(LOCAL_RECORDS),
        f"{down}.enabled": "true",
        f"{down}.topics": "|".join(map(_pattern, topics_down())),
        f"{down}.replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "dedicated.mode.enable.internal.rest": "true",
        "listeners": told.listener,
        "consumer.isolation.level": "read_committed",
        "consumer.fetch.max.wait.ms": "100",
        "tasks.max": "2",
        "replication.factor": replicas,
        **{f"{name}.replication.factor": replicas for name in internal},
        "emit.heartbeats.enabled": "false",
        "sync.topic.configs.enabled": "false",
        "sync.topic.acls.enabled": "false",
        # nobody moves a group's offsets from one cluster to the other
        "groups": "none",
        "refresh.groups.enabled": "false",
        "refresh.topics.interval.seconds": "30",
    }


def write_properties(file: Path, told: Mirroring) -> None:
    """Write the configuration, which may have passwords in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, javaproperties.dumps(properties(told), timestamp=False))


def _cluster(name: str, brokers: str, security: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield f"{name}.bootstrap.servers", brokers
    yield f"{name}.exactly.once.source.support", "enabled"
    yield from ((f"{name}.{key}", value) for key, value in security.items())


def _pattern(topic: str) -> str:
    """Java's regular expression of this name and no other."""
    return topic.replace(".", "\\.")


def mirror_process(node: MirrorNode, artifacts: Artifacts) -> Process:
    """The mirror as a child process; it waits by itself for a hub that is away."""
    file = node.folder / "mirror.properties"
    options = (
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        *DATED_LOG,
        # the configuration of each of its thirty clients, and a line a second while the hub is away
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.connect.mirror=info",
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.connect.mirror.MirrorMakerConfig=warn",
        "-cp",
        artifacts.kafka_classpath,
    )
    main = ("org.apache.kafka.connect.mirror.MirrorMaker", str(file))
    return Process(
        name=MIRROR,
        argv=java_command(MIRROR, node.jvm, artifacts, (*options, *main)),
        env={},
        prepare=lambda: write_properties(file, node.mirroring),
        is_ready=lambda: _answers(node.port),
        depends_on=("kafka",),
        port=node.port,
        address=f"{HOST}:{node.port}",
        memory_mb=node.jvm.max_heap_mb + 150,
        stop_within_seconds=60.0 if node.jvm.record_startup else 15.0,
        orphan_signal=signal.SIGKILL,  # told to stop it talks to Kafka, which ends with it; what it keeps is there
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
