"""A real Prometheus with the configuration that the lab writes sees every part, every alert, and fills every panel."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from creditbus.bus.schemas import deploy_file
from creditbus.catalogue.yamltext import parse_yaml
from creditbus.core.alerts import ALERT_KINDS
from dashboards import Shown, panels
from ports import free_ports
from running_lab import RunningLab
from waiting import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is missing: apt-get install prometheus"),
]
WATCHED = {
    "clickhouse", "gateway", "intake", "clock", "breaker", "dossier", "warehouse", "lookup", "console", "notifier",
    "monitor",
}  # fmt: skip


SILENT = {
    "overview: 状态恢复进度 Restore progress",
    "overview: 恢复剩余时间 Restore remaining",
    "way-back: 推送结果 Deliveries",
    "way-back: 推送失败 Failing webhooks",
}
"""Panels that show nothing while no state is restored, and no webhook delivers."""
PANELS: list[Shown] = [shown for shown in panels() if shown.title not in SILENT]


@pytest.fixture(scope="module")
def prometheus(running_lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Its API."""
    (port,), folder = free_ports(1), tmp_path_factory.mktemp("prometheus")
    command = [
        "prometheus",
        f"--config.file={running_lab.folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10) as client:
                yield client
        finally:
            process.terminate()
            process.wait(20)


def data(client: httpx.Client, path: str, **arguments: str) -> dict[str, Any]:
    """What Prometheus answers; nothing while it starts."""
    try:
        found: dict[str, Any] = client.get(path, params=arguments).raise_for_status().json()["data"]
    except httpx.HTTPError:
        return {}
    return found


def test_prometheus_sees_every_part_where_it_is(running_lab: RunningLab, prometheus: httpx.Client) -> None:
    def parts_that_are_up() -> set[str]:
        found = data(prometheus, "/query", query='up{job="creditbus"} == 1').get("result", [])
        return {one["metric"]["part"] for one in found}

    wait_until("every part to be seen", lambda: parts_that_are_up() == WATCHED, 60)
    targets = data(prometheus, "/targets", state="active")["activeTargets"]
    ports = {one["labels"]["part"]: one["scrapeUrl"] for one in targets}
    assert ports == {part: f"http://127.0.0.1:{running_lab.port(part)}/metrics" for part in WATCHED}


def test_every_alert_of_the_release_is_known_to_it(prometheus: httpx.Client) -> None:
    rules = parse_yaml(deploy_file("prometheus/alerts.yml").read_text(encoding="utf-8"))
    expected = {one["alert"] for one in rules["groups"][0]["rules"]}

    def known() -> set[str]:
        groups = data(prometheus, "/rules").get("groups", [])
        return {rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "ok"}

    wait_until("the rules", lambda: known() == expected, 60)


def test_every_panel_of_the_dashboards_shows_something(running_lab: RunningLab, prometheus: httpx.Client) -> None:
    """On a lab that has work. A name that is right in the list and never emitted is an empty panel for ever."""
    running_lab.creditbus("simulate", "--events", "300", "--days", "30")  # among them some that are rejected
    running_lab.cleared_firm()

    def empty() -> list[str]:
        return [shown.title for shown in PANELS if not all(filled(one) for one in shown.expressions)]

    def filled(expression: str) -> bool:
        return bool(data(prometheus, "/query", query=expression).get("result"))

    wait_until("every panel to show something", lambda: not empty(), 60)


def test_every_kind_of_alert_is_there_before_the_first_is_told(
    running_lab: RunningLab, prometheus: httpx.Client
) -> None:
    """An increase is seen from a value on; that a firm was cleared is one."""
    running_lab.any_cleared_firm()

    def told() -> dict[str, float]:
        found = data(prometheus, "/query", query="sum by (kind) (creditbus_alerts_total)").get("result", [])
        return {one["metric"]["kind"]: float(one["value"][1]) for one in found}

    wait_until("the alerts", lambda: told().keys() == ALERT_KINDS and told()["CLEARED_SUBJECT"] > 0, 60)
