"""The configuration of Prometheus for a lab."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from creditbus.bus.schemas import deploy_file
from creditbus.lab.artifacts import Artifacts
from creditbus.lab.settings import load_settings
from creditbus.lab.stack import parts_of, processes
from creditbus.lab.watching import FILE, write_config

HUB = {"CREDITBUS_LAB_MERGES": "baotou"}


@pytest.mark.parametrize("environment", [{}, HUB])
def test_every_process_with_metrics_is_watched_on_the_port_that_it_has(
    environment: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(
        {**environment, "CREDITBUS_LAB_DATA": str(tmp_path), "CREDITBUS_LAB_GATEWAY_PORT": "28080"}
    )
    artifacts = Artifacts(java=tmp_path, kafka_jars=(), registry_jar=tmp_path, cache=tmp_path, stamp="")
    write_config(tmp_path, processes(settings, artifacts, parts_of(settings)))
    (job,) = yaml.safe_load((tmp_path / FILE).read_text(encoding="utf-8"))["scrape_configs"]
    watched = {one["labels"]["part"]: one["targets"] for one in job["static_configs"]}
    assert watched == {part: [f"127.0.0.1:{settings.port_of(part)}"] for part in parts_of(settings)}
    assert watched["gateway"] == ["127.0.0.1:28080"]


def test_its_rules_are_those_of_the_release(tmp_path: Path) -> None:
    write_config(tmp_path, ())
    (rules,) = yaml.safe_load((tmp_path / FILE).read_text(encoding="utf-8"))["rule_files"]
    assert Path(rules) == deploy_file("prometheus/alerts.yml")
    assert yaml.safe_load(Path(rules).read_text(encoding="utf-8"))["groups"]
