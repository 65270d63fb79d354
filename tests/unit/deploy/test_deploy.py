"""What is deployed elsewhere fits what is here: services, ports, metrics, rules."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from creditbus.bus.metrics import all_names
from creditbus.lab.stack import SERVICES

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
SERVICES_FOLDER = ROOT / "services" / "creditbus"
PROMETHEUS = DEPLOY / "prometheus"


def test_the_image_gets_everything_that_the_package_is_built_from() -> None:
    """The build stops at a file that is not there, and nobody notices where there is no engine."""
    copied = {
        source
        for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    included = wanted["targets"]["wheel"]["force-include"]
    assert {one for one in included if not any(Path(one).is_relative_to(source) for source in copied)} == set()
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"}
    assert copied <= let_in
    assert all((ROOT / source).exists() for source in copied)


def test_compose_runs_every_service() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    for service in SERVICES:
        assert compose["services"][service]["command"] == ["python", "-m", f"creditbus.{service}"]


def test_what_is_published_can_be_reached_from_outside_its_container() -> None:
    """A published port leads to the container's address on Docker's network, where nothing on loopback answers."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    published = {one.rsplit(":", 1)[1] for one in services["net"]["ports"]}
    for service in SERVICES:
        environment = services[service]["environment"]
        is_open = environment.get("CREDITBUS_HTTP_HOST") == "0.0.0.0"
        assert is_open == (str(environment["CREDITBUS_HTTP_PORT"]) in published), service


def test_prometheus_scrapes_every_service_where_compose_puts_it() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {one["labels"]["part"]: one["targets"][0] for one in scraped["scrape_configs"][0]["static_configs"]}
    for service in SERVICES:
        port = compose["services"][service]["environment"]["CREDITBUS_HTTP_PORT"]
        assert targets[service] == f"127.0.0.1:{port}"


def test_every_metric_of_the_rules_is_one_that_the_program_emits() -> None:
    named = set(re.findall(r"creditbus_[a-z_]+", (PROMETHEUS / "alerts.yml").read_text(encoding="utf-8")))
    assert named
    assert named <= all_names()


def test_every_metric_of_the_list_is_emitted_somewhere() -> None:
    """A name that nothing emits is an empty panel, and an alert that never fires."""
    sources = [path for path in SERVICES_FOLDER.rglob("*.py") if path.name != "metrics.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert {name for name in all_names() if f'"{name}"' not in text} == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: apt-get install prometheus")
def test_promtool_accepts_configuration_and_rules_and_each_rule_fires() -> None:
    for command in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts.test.yml"],
    ):
        done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
