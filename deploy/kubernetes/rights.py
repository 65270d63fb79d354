"""What each service may do on Kafka, as users of Strimzi: by topics.yaml, and by the groups and transactions below.

`python -m deploy.kubernetes.rights` writes base/kafka/users.yaml, the users of a region's node and of its hub (node,
merging), and base/monitoring/prometheus-rule.yaml anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from creditbus.bus.topics import mirrored_records
from creditbus.core.topics import LOCAL_RECORDS
from creditbus.lab.mirror import HUB, MIRROR, topics_down

DEPLOY = Path(__file__).parents[1]
USERS = DEPLOY / "kubernetes" / "base" / "kafka" / "users.yaml"
NODE_USERS = DEPLOY / "kubernetes" / "node" / "users.yaml"
"""Of Kafka at a region's node, besides those of the services."""
MERGING_USERS = DEPLOY / "kubernetes" / "merging" / "users.yaml"
"""Of Kafka at the hub, for each region."""
REGION = "baotou"
"""The region of the examples."""
ALERT_RULE = DEPLOY / "kubernetes" / "base" / "monitoring" / "prometheus-rule.yaml"
OPERATOR = "operator"
"""The user of `creditbus deploy` and of whoever types the commands."""
REGISTRY = "registry"
_MARKS = "<"
_TWIN = ".person"

Resource = Literal["topic", "group", "transactionalId", "cluster"]
Pattern = Literal["literal", "prefix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a service uses besides topics. A name that ends in a hyphen or dot stands for all that begin so."""

    groups: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()
    sees_topics: tuple[str, ...] = ()
    """Topics whose ends it may see, without reading them."""
    sees_groups: tuple[str, ...] = ()
    """Groups of others whose position it may see."""


EDITIONS = "creditbus-editions"
_RESTORE = ("creditbus-restore", "creditbus-watermarks")
"""Groups of who has a state that is restored."""
SERVICES: Mapping[str, Rights] = {
    "gateway": Rights(groups=(EDITIONS,)),
    "intake": Rights(
        groups=("creditbus-intake", "creditbus-other-numbers", "creditbus-loads", EDITIONS),
        transactions=("creditbus-intake-",),
    ),
    "clock": Rights(groups=("creditbus-clock",)),
    "breaker": Rights(groups=("creditbus-breaker", EDITIONS), transactions=("creditbus-breaker",)),
    "dossier": Rights(
        groups=("creditbus-dossier", "creditbus-reading", *_RESTORE, EDITIONS),
        transactions=("creditbus-dossier-",),
    ),
    "warehouse": Rights(groups=("creditbus-warehouse",)),
    "lookup": Rights(
        groups=("creditbus-lookup-feed", EDITIONS),
        sees_topics=("credit.",),
        sees_groups=("creditbus-intake", "creditbus-dossier", "creditbus-warehouse"),
    ),
    "notifier": Rights(groups=("creditbus-webhook-", EDITIONS)),
    "monitor": Rights(groups=("creditbus-monitor", EDITIONS)),
}
"""Every service that speaks to Kafka; the console asks the look-up only."""


@dataclass(frozen=True, slots=True)
class Acl:
    """A right: what may be done with which resource."""

    resource: Resource
    name: str
    pattern: Pattern
    operations: tuple[str, ...]

    def line(self) -> str:
        """As Strimzi reads it, on one line."""
        name = "" if self.resource == "cluster" else f", name: {json.dumps(self.name)}, patternType: {self.pattern}"
        return f"{{resource: {{type: {self.resource}{name}}}, operations: [{', '.join(self.operations)}]}}"


def acls_of(service: str, topics: Sequence[Mapping[str, Any]]) -> Iterator[Acl]:
    """The rights of a service. topics: rows of topics.yaml."""
    rights = SERVICES[service]
    for row in topics:
        if not row["name"].startswith(_MARKS):
            yield from _of_topic(service, row, names_of(row))
    yield from (Acl("topic", *_pattern(name), ("Describe",)) for name in rights.sees_topics)
    yield from (Acl("group", *_pattern(name), ("Describe",)) for name in rights.sees_groups)
    yield from _of_groups(rights)


def acls_of_merge(region: str, topics: Sequence[Mapping[str, Any]]) -> Iterator[Acl]:
    """What merges a region's records at the hub. topics: rows of topics.yaml."""
    for row in topics:
        yield from _of_topic("merge", row, [row["name"].replace("<region>", region)])
    group = f"creditbus-merge-{region}"
    yield from _of_groups(Rights(groups=(group, *_RESTORE), transactions=(f"{group}-",)))


def _of_topic(service: str, row: Mapping[str, Any], names: Iterable[str]) -> Iterator[Acl]:
    kinds = (("Read", "read_by"), ("Write", "written_by"))
    operations = [operation for operation, who in kinds if service in row[who]]
    if operations:
        yield from (Acl("topic", *_pattern(name), ("Describe", *operations)) for name in names)


def _of_groups(rights: Rights) -> Iterator[Acl]:
    yield from (Acl("group", *_pattern(name), ("Describe", "Read")) for name in rights.groups)
    yield from (Acl("transactionalId", *_pattern(name), ("Describe", "Write")) for name in rights.transactions)


def acls_of_the_operator() -> Iterator[Acl]:
    """Whoever deploys makes topics, and reads and writes all of them; not a right on the cluster itself."""
    yield Acl("topic", "credit.", "prefix", ("All",))
    yield Acl("group", "creditbus-", "prefix", ("All",))
    yield Acl("transactionalId", "creditbus-", "prefix", ("All",))
    yield Acl("cluster", "", "literal", ("Describe", "DescribeConfigs"))


def acls_of_the_registry() -> Iterator[Acl]:
    """Apicurio keeps what it knows on topics that it makes itself; its group has another name at each start."""
    for name in ("kafkasql-", "registry-events"):
        yield Acl("topic", *_pattern(name), ("Create", "Describe", "DescribeConfigs", "Read", "Write"))
    yield Acl("group", "apicurio-", "prefix", ("Describe", "Read"))


def acls_of_the_mirror_at_the_hub(region: str) -> Iterator[Acl]:
    """A region's mirror reads there what the hub decides, and writes the region's records."""
    return _acls_of_a_mirror(region, reads=topics_down(), writes=[mirrored_records(region)])


def acls_of_the_mirror_at_the_node() -> Iterator[Acl]:
    """At its own end it reads the region's records, and writes what the hub decided."""
    return _acls_of_a_mirror(HUB, reads=[LOCAL_RECORDS], writes=topics_down())


def _acls_of_a_mirror(other: str, reads: Iterable[str], writes: Iterable[str]) -> Iterator[Acl]:
    """MirrorMaker names what it keeps for itself by the cluster at its other end."""
    for operation, names in (("Read", reads), ("Write", writes)):
        yield from (Acl("topic", name, "literal", ("Describe", "DescribeConfigs", operation)) for name in names)
    own = ("Create", "Describe", "DescribeConfigs", "Read", "Write")
    for kind in ("configs", "offset-syncs", "offsets", "status"):
        yield Acl("topic", f"mm2-{kind}.{other}.internal", "literal", own)
    yield Acl("group", f"{other}-mm2", "literal", ("Describe", "Read"))
    for prefix in ("", "connect-cluster-"):
        yield Acl("transactionalId", f"{prefix}{other}-mm2", "prefix", ("Describe", "Write"))


def names_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Names of a row of topics.yaml; one that has a mark is cut there, before its hyphen or dot."""
    name = row["name"].split(_MARKS)[0]
    yield name
    if row.get("twin") and _MARKS not in row["name"]:
        yield f"{name}{_TWIN}"


def _pattern(name: str) -> tuple[str, Pattern]:
    return name, "prefix" if name[-1] in "-." else "literal"


def users_text() -> str:
    """The text of users.yaml."""
    users = [(service, "scram-sha-512", acls_of(service, _topics())) for service in SERVICES]
    users += [(OPERATOR, "scram-sha-512", acls_of_the_operator()), (REGISTRY, "tls", acls_of_the_registry())]
    return _users(users)


def node_users_text() -> str:
    """The text of the node's users.yaml."""
    return _users([(MIRROR, "scram-sha-512", acls_of_the_mirror_at_the_node())])


def merging_users_text() -> str:
    """The text of the users.yaml that a hub has for each region."""
    users = (("merge", acls_of_merge(REGION, _topics())), (MIRROR, acls_of_the_mirror_at_the_hub(REGION)))
    return _users([(f"{name}-{REGION}", "scram-sha-512", acls) for name, acls in users])


def _topics() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "topics.yaml").read_text(encoding="utf-8"))["topics"]
    return rows


def _users(users: Iterable[tuple[str, str, Iterator[Acl]]]) -> str:
    head = "# Written by `python -m deploy.kubernetes.rights` from topics.yaml; Strimzi makes a Secret for each user.\n"
    return head + "".join(_user(name, kind, tuple(acls)) for name, kind, acls in users)


def _user(name: str, authentication: str, acls: Sequence[Acl]) -> str:
    lines = "".join(f"      - {acl.line()}\n" for acl in acls)
    return (
        "---\n"
        "apiVersion: kafka.strimzi.io/v1\n"
        "kind: KafkaUser\n"
        f"metadata: {{name: creditbus-{name}, labels: {{strimzi.io/cluster: creditbus}}}}\n"
        "spec:\n"
        f"  authentication: {{type: {authentication}}}\n"
        "  authorization:\n"
        "    type: simple\n"
        f"    acls:\n{lines}"
    )


def alert_rule_text() -> str:
    """The alert rules as Prometheus' operator takes them."""
    rules = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    groups = rules[rules.index("groups:") :]
    indented = "".join(f"  {line}\n" for line in groups.splitlines())
    return (
        "# Written by `python -m deploy.kubernetes.rights` from deploy/prometheus/alerts.yml.\n"
        "apiVersion: monitoring.coreos.com/v1\n"
        "kind: PrometheusRule\n"
        "metadata: {name: creditbus}\n"
        f"spec:\n{indented}"
    )


if __name__ == "__main__":
    USERS.write_text(users_text(), encoding="utf-8")
    NODE_USERS.write_text(node_users_text(), encoding="utf-8")
    MERGING_USERS.write_text(merging_users_text(), encoding="utf-8")
    ALERT_RULE.write_text(alert_rule_text(), encoding="utf-8")
