"""How Prometheus watches the lab: a configuration with the ports that the lab has, written at each start."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from creditbus.bus.schemas import deploy_file
from creditbus.lab.process import Process
from creditbus.lab.stack import HOST

FILE = "prometheus.yml"
_WITHOUT_METRICS = frozenset({"kafka", "registry", "mirror"})
_SECONDS = "5s"


def write_config(folder: Path, processes: Iterable[Process]) -> None:
    """Write how to watch these processes into the lab's data folder."""
    text = yaml.safe_dump(
        config_of(processes, deploy_file("prometheus/alerts.yml")), sort_keys=False, allow_unicode=True
    )
    (folder / FILE).write_text(f"# Written by `creditbus up`; the next start writes it anew.\n{text}", encoding="utf-8")


def config_of(processes: Iterable[Process], rules: Path) -> dict[str, object]:
    """Prometheus' configuration: every process with metrics, by its part, and the alert rules."""
    targets = [
        {"targets": [f"{HOST}:{one.port}"], "labels": {"part": one.name}}
        for one in processes
        if one.port is not None and one.name not in _WITHOUT_METRICS
    ]
    return {
        "global": {"scrape_interval": _SECONDS, "evaluation_interval": _SECONDS},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "creditbus", "static_configs": targets}],
    }
