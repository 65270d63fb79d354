"""The manifests of deploy/kubernetes fit the schema of Kubernetes and what the program is.

Strimzi's and Prometheus' own resources have their schema in a cluster and none here: of these the fields are checked
that we rely on. `kubectl kustomize` puts the files together, which needs no cluster; without kubectl that is skipped.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from deploy.kubernetes.rights import ALERT_RULE, OPERATOR, REGISTRY, USERS, alert_rule_text, users_text
from deploy.kubernetes.rights import SERVICES as ON_KAFKA

from creditbus.bus.settings import ServiceSettings
from creditbus.bus.topics import load_topics
from creditbus.commands.settings import parts
from creditbus.core.topics import RECORDS
from creditbus.dossier.app import GROUP as DOSSIER
from creditbus.intake.app import GROUP as INTAKE
from creditbus.lab.settings import LabSettings
from creditbus.lab.stack import SERVICES
from manifests import (
    COMPONENT,
    DEPLOY,
    KUBERNETES,
    PART_OF,
    Resource,
    container,
    documents,
    environment,
    held_back,
    is_core,
    needs_kubectl,
    of_kind,
    pod,
    render,
    secrets_of,
    validate,
    workloads,
)

PROGRAM = DEPLOY.parent / "services" / "creditbus"
PATCHES = {"common.yaml", "probes.yaml"}
SHARED = {
    "every service",
    "every client of Kafka",
    "every client of the registry",
    "every client of ClickHouse",
    "every client of the vault's server",
}
ONE_ONLY = {"breaker", "warehouse", "notifier"}
"""Two of them at a time would fence one another off, or do everything twice."""
READERS = {
    "Keyring": {"departments.json"},
    "SigningKeys": {"departments.json"},
    "keys_in": {"platform-token.key", "platform-token-2.key", "vault-master-1.key", "vault-index.key"},
    "read_subscriptions": {"webhooks.json"},
    "read_console_key": {"lab-keys.json"},
}
"""What reads which secret files, besides those that are named where a key is read."""
ALONGSIDE = {"signing-keys.json"}
"""In a Secret with what is read: it may be missing, and gateway and look-up have no use for it."""
FILES = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name not in PATCHES)


@pytest.fixture(scope="module", params=["base", "production"])
def rendered(request: pytest.FixtureRequest) -> list[Resource]:
    """What would be applied."""
    return render(KUBERNETES / request.param)


# -- schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda one: str(one.relative_to(KUBERNETES)))
def test_every_file_is_what_kubernetes_knows(path: Path) -> None:
    for resource in filter(is_core, documents(path)):
        validate(resource)


@needs_kubectl
def test_everything_together_is_what_kubernetes_knows(rendered: list[Resource]) -> None:
    core = [one for one in rendered if is_core(one)]
    assert len(core) > 30
    for resource in core:
        validate(resource)
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered]
    assert len(set(names)) == len(names)
    assert {one["metadata"].get("namespace") for one in rendered if one["kind"] != "Namespace"} == {"creditbus"}


def test_a_misspelt_field_is_found() -> None:
    (service, *_) = (one for one in documents(KUBERNETES / "base" / "registry.yaml") if one["kind"] == "Service")
    service["spec"]["selectors"] = service["spec"].pop("selector")
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(service)


# -- services ------------------------------------------------------------------------------------------


def test_every_service_has_exactly_one_workload() -> None:
    found = [
        one["metadata"]["name"]
        for path in (KUBERNETES / "base" / "services").glob("*.yaml")
        if path.name not in PATCHES
        for one in documents(path)
        if one["kind"] in ("Deployment", "StatefulSet")
    ]
    assert sorted(found) == sorted(SERVICES)


@needs_kubectl
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_started_and_asked_for_its_health_where_it_answers(rendered: list[Resource], service: str) -> None:
    workload = workloads(rendered)[service]
    one = container(workload)
    port = LabSettings().port_of(service)
    assert one["command"] == ["python", "-m", f"creditbus.{service}"]
    assert one["ports"] == [{"name": "http", "containerPort": port}]
    assert environment(workload, rendered)["CREDITBUS_HTTP_PORT"] == str(port)
    assert environment(workload, rendered)["CREDITBUS_HTTP_HOST"] == "0.0.0.0"
    probes = {name: one[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in probes.values()} == {"http"}
    paths = {name: probe["path"] for name, probe in probes.items()}
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}


@needs_kubectl
@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_of_a_service_is_a_setting_that_it_takes(
    rendered: list[Resource], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        name: value
        for name, value in environment(workloads(rendered)[service], rendered).items()
        if name.startswith("CREDITBUS_")
    }
    everybodys = set(_common_settings())
    known = {one.name for part in parts() if part.en in SHARED | {service} for one in part.variables}
    assert {name for name in given if name not in known | everybodys} == set()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    model: type[ServiceSettings] = getattr(
        importlib.import_module(f"creditbus.{service}.settings"), f"{service.capitalize()}Settings"
    )
    assert model().http_port == LabSettings().port_of(service)


def _common_settings() -> Iterator[str]:
    """Variables of the config map, which all services get: each is a setting of some of them."""
    (kustomization,) = documents(KUBERNETES / "base" / "services" / "kustomization.yaml")
    known = {one.name for part in parts() for one in part.variables if not one.name.startswith("CREDITBUS_LAB_")}
    for literal in kustomization["configMapGenerator"][0]["literals"]:
        name = literal.partition("=")[0]
        assert name in known
        yield name


@needs_kubectl
def test_whatever_a_setting_names_is_mounted(rendered: list[Resource]) -> None:
    for service in SERVICES:
        workload = workloads(rendered)[service]
        given, mounted = environment(workload, rendered), {m["mountPath"] for m in container(workload)["volumeMounts"]}
        assert {given["CREDITBUS_DATA"], str(Path(given["CREDITBUS_KAFKA_CA_FILE"]).parent), "/tmp"} <= mounted
        if service in ON_KAFKA:
            assert str(Path(given["CREDITBUS_KAFKA_SASL_PASSWORD_FILE"]).parent) in mounted
            assert given["CREDITBUS_KAFKA_SASL_USERNAME"] == f"creditbus-{service}"
        if service in ("warehouse", "lookup"):
            assert str(Path(given["CREDITBUS_CLICKHOUSE_PASSWORD_FILE"]).parent) in mounted
        for name in ("PASSWORD", "CA"):
            folder = str(Path(given[f"CREDITBUS_VAULT_{name}_FILE"]).parent)
            assert (folder in mounted) == (service in ("intake", "lookup"))
        volumes = {one["name"] for one in pod(workload)["volumes"]}
        volumes |= {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())}
        assert {one["name"] for one in container(workload)["volumeMounts"]} == volumes


@needs_kubectl
def test_slots_are_the_ordinals_and_the_state_of_the_dossier_stays(rendered: list[Resource]) -> None:
    sets = of_kind(rendered, "StatefulSet")
    for service in ("intake", "dossier"):
        (slot,) = (one for one in container(sets[service])["env"] if one["name"].endswith("_SLOT"))
        assert slot["name"] == f"CREDITBUS_{service.upper()}_SLOT"
        ordinal = "metadata.labels['apps.kubernetes.io/pod-index']"
        assert slot["valueFrom"]["fieldRef"]["fieldPath"] == ordinal
    (claim,) = sets["dossier"]["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    (partitions,) = (topic.partitions for topic in load_topics() if topic.name == RECORDS)
    assert sets["dossier"]["spec"]["replicas"] <= partitions


@needs_kubectl
def test_who_may_run_only_once_does_so_also_during_an_update(rendered: list[Resource]) -> None:
    for service in ONE_ONLY:
        spec = workloads(rendered)[service]["spec"]
        assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


@needs_kubectl
def test_the_vault_is_on_a_server_of_which_a_part_may_be_lost(rendered: list[Resource]) -> None:
    (server,) = of_kind(rendered, "Cluster").values()
    settings = urlsplit(of_kind(rendered, "ConfigMap")[_settings_map(rendered)]["data"]["CREDITBUS_VAULT"])
    assert (settings.scheme, settings.hostname) == ("postgresql", f"{server['metadata']['name']}-rw")
    made = server["spec"]["bootstrap"]["initdb"]
    assert (settings.username, settings.path) == (made["owner"], f"/{made['database']}")
    assert server["spec"]["postgresql"]["synchronous"]["number"] == 1
    assert server["spec"]["instances"] == 3
    policy = of_kind(rendered, "NetworkPolicy")["readers-of-the-vault"]["spec"]
    assert policy["podSelector"]["matchExpressions"][0]["values"] == ["intake", "lookup"]


def _settings_map(rendered: list[Resource]) -> str:
    (name,) = (name for name in of_kind(rendered, "ConfigMap") if name.startswith("creditbus-settings"))
    return name


@needs_kubectl
def test_the_one_command_that_makes_topics_is_a_job(rendered: list[Resource]) -> None:
    (job,) = of_kind(rendered, "Job").values()
    assert container(job)["command"] == ["creditbus", "deploy"]
    given = environment(job, rendered)
    assert given["CREDITBUS_KAFKA_SASL_USERNAME"] == f"creditbus-{OPERATOR}"
    writable = {one["mountPath"] for one in container(job)["volumeMounts"] if not one.get("readOnly")}
    assert given["CREDITBUS_SECRETS"] in writable
    assert not of_kind(rendered, "KafkaTopic")


# -- safety --------------------------------------------------------------------------------------------


@needs_kubectl
def test_no_process_may_more_than_it_has_to(rendered: list[Resource]) -> None:
    for workload in (*workloads(rendered).values(), *of_kind(rendered, "Job").values()):
        assert held_back(workload), workload["metadata"]["name"]


def test_the_example_of_secrets_names_keys_and_no_values() -> None:
    for secret in documents(KUBERNETES / "secrets.example.yaml"):
        assert secret["kind"] == "Secret"
        assert set(secret["stringData"].values()) == {""}


@needs_kubectl
def test_every_secret_is_in_the_example_or_made_by_strimzi_and_none_is_applied(rendered: list[Resource]) -> None:
    assert not of_kind(rendered, "Secret")
    example = {
        one["metadata"]["name"]: set(one["stringData"]) for one in documents(KUBERNETES / "secrets.example.yaml")
    }
    made = {*of_kind(rendered, "KafkaUser"), "creditbus-cluster-ca-cert"}
    made |= {f"{name}-{what}" for name in of_kind(rendered, "Cluster") for what in ("app", "ca")}
    asked = set()
    for workload in (*workloads(rendered).values(), *of_kind(rendered, "Job").values()):
        asked |= secrets_of(workload)
        for one in container(workload).get("env", ()):
            reference = one.get("valueFrom", {}).get("secretKeyRef")
            if reference is not None and reference["name"] not in made:
                assert reference["key"] in example[reference["name"]]
    assert example.keys() <= asked
    assert asked <= example.keys() | made


@needs_kubectl
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_secret_files_that_it_reads_and_no_others(rendered: list[Resource], service: str) -> None:
    """A key that a release brings is missed here, and not at the first start in a cluster."""
    secrets = documents(KUBERNETES / "secrets.example.yaml")
    example = {one["metadata"]["name"]: set(one["stringData"]) for one in secrets}
    (projected,) = [one for one in pod(workloads(rendered)[service])["volumes"] if one["name"] == "secrets"] or [{}]
    sources = projected.get("projected", {}).get("sources", ())
    given = {key for source in sources for key in example[source["secret"]["name"]]}
    text = "".join(path.read_text(encoding="utf-8") for path in (PROGRAM / service).rglob("*.py"))
    named = set(re.findall(r'read_key\([a-z.]+, "([a-z.-]+)"\)', text))
    read = named.union(*(files for reader, files in READERS.items() if f"{reader}(" in text))
    assert read == given - ALONGSIDE


@needs_kubectl
def test_a_disruption_budget_lets_a_node_be_drained_and_something_run(rendered: list[Resource]) -> None:
    running = workloads(rendered)
    for name, budget in of_kind(rendered, "PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"] == {COMPONENT: name}
        assert running[name]["spec"]["replicas"] > budget["spec"].get("minAvailable", 1)


@needs_kubectl
def test_network_policies_are_about_pods_and_ports_that_there_are(rendered: list[Resource]) -> None:
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in workloads(rendered).values()]
    assert {one[PART_OF] for one in labels} == {"creditbus"}
    components = {one[COMPONENT] for one in labels}
    ports: set[Any] = {container(one)["ports"][0]["containerPort"] for one in workloads(rendered).values()}
    kafka = {listener["port"] for listener in of_kind(rendered, "Kafka")["creditbus"]["spec"]["kafka"]["listeners"]}
    for name, policy in of_kind(rendered, "NetworkPolicy").items():
        for key, values in _selected(policy["spec"]):
            assert key != COMPONENT or values <= components, name
        named = {port["port"] for port in _ports(policy["spec"])}
        assert named <= ports | kafka | {5432, "http", 53, 443, 465, 587}, name


def _selected(part: Any) -> Iterator[tuple[str, set[str]]]:
    """Every label that a policy selects by, with its values."""
    if isinstance(part, Mapping):
        yield from ((key, {value}) for key, value in part.get("matchLabels", {}).items())
        yield from ((one["key"], set(one["values"])) for one in part.get("matchExpressions", ()))
        for value in part.values():
            yield from _selected(value)
    elif isinstance(part, list):
        for one in part:
            yield from _selected(one)


def _ports(spec: Resource) -> Iterator[Resource]:
    for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
        yield from rule.get("ports", ())


# -- Kafka, and what watches ---------------------------------------------------------------------------


def test_what_is_written_by_a_program_is_up_to_date() -> None:
    assert USERS.read_text(encoding="utf-8") == users_text(), "python -m deploy.kubernetes.rights"
    assert ALERT_RULE.read_text(encoding="utf-8") == alert_rule_text(), "python -m deploy.kubernetes.rights"


def test_a_service_may_read_and_write_the_topics_that_it_reads_and_writes_and_no_others() -> None:
    rights = {one["metadata"]["name"].removeprefix("creditbus-"): one for one in documents(USERS)}
    assert rights.keys() == {*ON_KAFKA, OPERATOR, REGISTRY}
    assert set(SERVICES) - rights.keys() == {"console"}
    for service in ON_KAFKA:
        for topic in load_topics():
            for operation, who in (("Read", topic.read_by), ("Write", topic.written_by)):
                assert may(rights[service], operation, "topic", topic.name) == (service in who), (service, topic.name)


def test_groups_and_transactions_of_the_loops_are_their_own() -> None:
    rights = {one["metadata"]["name"].removeprefix("creditbus-"): one for one in documents(USERS)}
    for service, group, other in (("intake", INTAKE, DOSSIER), ("dossier", DOSSIER, INTAKE)):
        assert may(rights[service], "Read", "group", group)
        assert may(rights[service], "Write", "transactionalId", f"{group}-3")
        assert not may(rights[service], "Read", "group", other)
        assert not may(rights[service], "Write", "transactionalId", f"{other}-0")


def test_every_group_that_a_service_reads_under_is_somebodys() -> None:
    sources = [path for folder in ("bus", *ON_KAFKA) for path in (PROGRAM / folder).rglob("*.py")]
    named = re.compile(r'^_?GROUP = "(creditbus-[a-z-]+)"', re.MULTILINE)
    groups = {name for path in sources for name in named.findall(path.read_text(encoding="utf-8"))}
    assert INTAKE in groups
    rights = documents(USERS)[: len(ON_KAFKA)]
    assert {name for name in groups if not any(may(one, "Read", "group", name) for one in rights)} == set()


def may(user: Resource, operation: str, kind: str, name: str) -> bool:
    """Whether Kafka lets the user do that."""
    acls = [one for one in user["spec"]["authorization"]["acls"] if {operation, "All"} & set(one["operations"])]
    resources = [one["resource"] for one in acls if one["resource"]["type"] == kind]
    return any(
        name.startswith(one["name"]) if one["patternType"] == "prefix" else one["name"] == name for one in resources
    )


def test_kafka_keeps_what_it_acknowledged_when_a_broker_is_lost() -> None:
    cluster = documents(KUBERNETES / "base" / "kafka" / "cluster.yaml")
    pools = of_kind(cluster, "KafkaNodePool")
    assert {name: (one["spec"]["replicas"], one["spec"]["roles"]) for name, one in pools.items()} == {
        "controller": (3, ["controller"]),
        "broker": (3, ["broker"]),
    }
    for one in (*pools.values(), *documents(USERS)):
        assert one["metadata"]["labels"]["strimzi.io/cluster"] == "creditbus"
    (kafka,) = of_kind(cluster, "Kafka").values()
    config = kafka["spec"]["kafka"]["config"]
    for name in ("default.replication.factor", "offsets.topic.replication.factor"):
        assert config[name] == 3
    assert config["transaction.state.log.replication.factor"] == 3
    assert config["transaction.state.log.min.isr"] == config["min.insync.replicas"] == 2
    assert config["auto.create.topics.enable"] is False
    assert config["offsets.retention.minutes"] >= 366 * 24 * 60
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    assert "topicOperator" not in kafka["spec"]["entityOperator"]
    listeners = {
        one["port"]: one["authentication"]["type"] for one in kafka["spec"]["kafka"]["listeners"] if one["tls"]
    }
    assert listeners == {9093: "scram-sha-512", 9094: "tls"}
    kinds = {one["metadata"]["name"]: one["spec"]["authentication"]["type"] for one in documents(USERS)}
    assert {name for name, kind in kinds.items() if kind == "tls"} == {f"creditbus-{REGISTRY}"}


@needs_kubectl
def test_strimzis_resources_do_not_have_the_label_that_our_network_policies_go_by(rendered: list[Resource]) -> None:
    """Strimzi hands labels of its resources on to its pods; Kafka would be shut in with us."""
    for one in rendered:
        if one["apiVersion"].startswith("kafka.strimzi.io/"):
            assert PART_OF not in one["metadata"].get("labels", {})


@needs_kubectl
def test_prometheus_reads_every_service_under_the_labels_of_the_rules(rendered: list[Resource]) -> None:
    (monitor,) = of_kind(rendered, "PodMonitor").values()
    (part_of, component) = monitor["spec"]["selector"]["matchExpressions"]
    assert part_of == {"key": PART_OF, "operator": "In", "values": ["creditbus"]}
    assert (component["key"], component["operator"]) == (COMPONENT, "NotIn")
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in workloads(rendered).items()}
    watched = {one[COMPONENT] for one in labels.values()} - set(component["values"])
    assert watched == set(SERVICES)
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    job, part = endpoint["relabelings"]
    assert (job["targetLabel"], job["replacement"]) == ("job", "creditbus")
    source = "__meta_kubernetes_pod_label_app_kubernetes_io_component"
    assert (part["targetLabel"], part["sourceLabels"]) == ("part", [source])


@needs_kubectl
def test_alerts_and_dashboards_are_those_of_compose(rendered: list[Resource]) -> None:
    (rule,) = of_kind(rendered, "PrometheusRule").values()
    assert rule["spec"] == yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    dashboards = of_kind(rendered, "ConfigMap")["creditbus-dashboards"]
    files = {path.name: path.read_text(encoding="utf-8") for path in (DEPLOY / "grafana" / "dashboards").iterdir()}
    assert dashboards["data"] == files


@needs_kubectl
def test_what_keeps_data_is_of_the_version_that_compose_has(rendered: list[Resource]) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name in ("clickhouse", "registry"):
        assert container(workloads(rendered)[name])["image"] == compose[name]["image"]
