"""The manifests of a region's node, and what its hub has for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from deploy.kubernetes.rights import (
    MERGING_USERS,
    NODE_USERS,
    OPERATOR,
    REGION,
    merging_users_text,
    node_users_text,
)
from typer.testing import CliRunner

from creditbus.bus.topics import load_topics, merge_changelog, mirrored_records
from creditbus.cli import build
from creditbus.commands.settings import parts
from creditbus.lab.settings import LabSettings
from creditbus.lab.stack import REGION_PARTS
from creditbus.merge.settings import MergeSettings
from manifests import (
    COMPONENT,
    DEPLOY,
    KUBERNETES,
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

pytestmark = needs_kubectl
EXAMPLES = (KUBERNETES / "secrets.example.yaml", KUBERNETES / "node" / "secrets.example.yaml")


@pytest.fixture(scope="module")
def node() -> list[Resource]:
    return render(KUBERNETES / "node")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """An installation with the component for a region, as docs/operate.md has it."""
    folder = tmp_path_factory.mktemp("hub")
    for name in ("kubernetes", "grafana"):
        shutil.copytree(DEPLOY / name, folder / name)
    file = folder / "kubernetes" / "production" / "kustomization.yaml"
    file.write_text(f"{file.read_text(encoding='utf-8')}components: [../merging]\n", encoding="utf-8")
    return render(file.parent)


def settings_of(rendered: list[Resource]) -> dict[str, str]:
    (found,) = (one["data"] for name, one in of_kind(rendered, "ConfigMap").items() if "settings" in name)
    return dict(found)


def test_what_is_written_by_a_program_is_up_to_date() -> None:
    told = "python -m deploy.kubernetes.rights"
    assert NODE_USERS.read_text(encoding="utf-8") == node_users_text(), told
    assert MERGING_USERS.read_text(encoding="utf-8") == merging_users_text(), told


@pytest.mark.parametrize("which", ["node", "hub"])
def test_everything_together_is_what_kubernetes_knows_and_nothing_may_more_than_it_has_to(
    which: str, request: pytest.FixtureRequest
) -> None:
    rendered: list[Resource] = request.getfixturevalue(which)
    for resource in filter(is_core, rendered):
        validate(resource)
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered]
    assert len(set(names)) == len(names)
    for one in (*workloads(rendered).values(), *of_kind(rendered, "Job").values()):
        assert held_back(one), one["metadata"]["name"]


def test_a_node_runs_what_a_lab_of_a_region_runs_and_has_nothing_that_is_about_others(node: list[Resource]) -> None:
    assert set(workloads(node)) == set(REGION_PARTS)
    labels = {one["spec"]["template"]["metadata"]["labels"][COMPONENT] for one in workloads(node).values()} | {"deploy"}
    for name, policy in of_kind(node, "NetworkPolicy").items():
        for term in policy["spec"]["podSelector"].get("matchExpressions", ()):
            assert set(term["values"]) & labels, name
    users = {name.removeprefix("creditbus-") for name in of_kind(node, "KafkaUser")}
    assert users == {*REGION_PARTS, OPERATOR} - {"clickhouse"}
    assert not of_kind(node, "Cluster"), "the vault is the hub's"


def test_a_node_s_services_are_told_that_they_are_of_a_region(node: list[Resource]) -> None:
    lab = {"CREDITBUS_INTAKE_RECORDS": "credit.records.local", "CREDITBUS_GATEWAY_TAKES_APPROVALS": "false"}
    assert lab.items() <= settings_of(node).items()
    known = {one.name for part in parts() for one in part.variables if not one.name.startswith("CREDITBUS_LAB_")}
    assert settings_of(node).keys() <= known
    assert urlsplit(settings_of(node)["CREDITBUS_VAULT"]).scheme == "postgresql"


def test_every_secret_of_a_node_is_in_an_example_or_made_by_an_operator(node: list[Resource]) -> None:
    example = {one["metadata"]["name"] for file in EXAMPLES for one in documents(file)}
    made = {*of_kind(node, "KafkaUser"), "creditbus-cluster-ca-cert"}
    for workload in workloads(node).values():
        assert secrets_of(workload) <= example | made


def test_the_mirror_is_told_by_the_command_and_finds_what_it_names(
    node: list[Resource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = workloads(node)["mirror"]
    (first,) = pod(mirror)["initContainers"]
    assert first["envFrom"][0]["configMapRef"]["name"] in of_kind(node, "ConfigMap")
    assert first["image"].startswith("registry.example.org/creditbus:")
    given = settings_of(node) | {one["name"]: one["value"] for one in first["env"]}
    mounted = {one["mountPath"] for one in first["volumeMounts"]}
    for name, value in given.items():
        if name.endswith("_FILE") and "KAFKA" in name:
            assert str(Path(value).parent) in mounted, name
            file = tmp_path / value.strip("/").replace("/", "-")
            file.write_text("of the user")
            value = str(file)
        monkeypatch.setenv(name, value)
    out = Path(first["command"][4])
    arguments = [str(tmp_path / out.name) if word == str(out) else word for word in first["command"][1:]]
    done = CliRunner().invoke(build(["mirror"]), arguments)
    assert done.exit_code == 0, done.output
    told = (tmp_path / out.name).read_text()
    assert f"{REGION}.security.protocol=SASL_SSL" in told
    assert "hub.bootstrap.servers=kafka.hub.example.org\\:9095" in told
    runs = container(mirror)
    assert runs["command"][1] == str(out)
    assert str(out.parent) in {one["mountPath"] for one in runs["volumeMounts"]}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert runs["image"] == compose["kafka"]["image"]


def test_the_hub_opens_its_doors_and_merges(
    hub: list[Resource], node: list[Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners = of_kind(hub, "Kafka")["creditbus"]["spec"]["kafka"]["listeners"]
    (door,) = (one for one in listeners if one["name"] == "regions")
    assert settings_of(node)["CREDITBUS_HUB_BROKERS"].endswith(f":{door['port']}")
    assert (door["tls"], door["authentication"]["type"]) == (True, "scram-sha-512")
    vault = of_kind(hub, "Cluster")["vault-db"]["spec"]
    assert urlsplit(settings_of(node)["CREDITBUS_VAULT"]).hostname in vault["certificates"]["serverAltDNSNames"]
    merge = workloads(hub)[f"merge-{REGION}"]
    given = environment(merge, hub)
    assert settings_of(hub)["CREDITBUS_MERGES"] == given["CREDITBUS_MERGE_REGION"] == REGION
    assert given["CREDITBUS_KAFKA_SASL_USERNAME"] in of_kind(hub, "KafkaUser")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert MergeSettings().http_port == LabSettings().port_of("merge")
    operator = of_kind(hub, "KafkaUser")[f"creditbus-{OPERATOR}"]["spec"]["authorization"]["acls"]
    own = {topic.name for topic in load_topics(regions=[REGION])} - {topic.name for topic in load_topics()}
    assert own == {mirrored_records(REGION), merge_changelog(REGION)}
    prefixes = tuple(one["resource"]["name"] for one in operator if one["resource"]["type"] == "topic")
    assert all(name.startswith(prefixes) for name in own)
