"""The manifests of deploy/kubernetes, as tests look at them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
VERSION = "1.32"
OURS = ("monitoring.coreos.com/", "kafka.strimzi.io/", "kustomize.config.k8s.io/", "postgresql.cnpg.io/")
"""Resources of operators, and files for kustomize alone."""
COMPONENT, PART_OF = "app.kubernetes.io/component", "app.kubernetes.io/part-of"
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is missing: it has kustomize")
Resource = dict[str, Any]


def documents(path: Path) -> list[Resource]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one is not None]


def render(folder: Path) -> list[Resource]:
    """What would be applied."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one is not None]


def validate(resource: Resource) -> None:
    """Raises ValidationError for what Kubernetes itself would not take."""
    kubernetes_validate.validate(resource, VERSION, strict=True)


def is_core(resource: Resource) -> bool:
    """Whether Kubernetes itself knows it."""
    return not resource["apiVersion"].startswith(OURS)


def of_kind(resources: list[Resource], *kinds: str) -> dict[str, Resource]:
    return {one["metadata"]["name"]: one for one in resources if one["kind"] in kinds}


def workloads(resources: list[Resource]) -> dict[str, Resource]:
    return of_kind(resources, "Deployment", "StatefulSet")


def pod(workload: Resource) -> Resource:
    found: Resource = workload["spec"]["template"]["spec"]
    return found


def container(workload: Resource) -> Resource:
    (found,) = pod(workload)["containers"]
    return dict(found)


def environment(workload: Resource, resources: list[Resource]) -> dict[str, str]:
    """Variables that the process gets; what the cluster fills in is an ordinal or an address."""
    maps = of_kind(resources, "ConfigMap")
    found: dict[str, str] = {}
    for source in container(workload).get("envFrom", ()):
        found |= maps[source["configMapRef"]["name"]]["data"]
    for one in container(workload).get("env", ()):
        found[one["name"]] = one.get("value", "0")
    return {name: value.replace("$(POD_IP)", "192.0.2.1") for name, value in found.items()}


def secrets_of(workload: Resource) -> set[str]:
    """Names of the Secrets that it mounts."""
    asked = set()
    for volume in pod(workload).get("volumes", ()):
        asked |= {volume["secret"]["secretName"]} if "secret" in volume else set()
        asked |= {one["secret"]["name"] for one in volume.get("projected", {}).get("sources", ())}
    return asked


def held_back(workload: Resource) -> bool:
    """Whether its processes may no more than they have to, and take no more than they are given."""
    spec = pod(workload)
    who = spec["securityContext"]
    alone = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return (
        who["runAsNonRoot"]
        and who["runAsUser"] > 0
        and who["seccompProfile"] == {"type": "RuntimeDefault"}
        and not spec["automountServiceAccountToken"]
        and not spec["enableServiceLinks"]
        and all(
            one["securityContext"] == alone
            and {"cpu", "memory"} <= one["resources"]["requests"].keys()
            and "memory" in one["resources"]["limits"]
            for one in (*spec["containers"], *spec.get("initContainers", ()))
        )
    )
