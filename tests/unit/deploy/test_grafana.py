"""The dashboards show what the program emits, and compose mounts them where Grafana looks for them."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from deploy.grafana.generate import files
from deploy.grafana.panels import DATASOURCE

from creditbus.bus.metrics import LABELS, HistogramName, all_names
from dashboards import FILES, Shown, dashboard, panels

DEPLOY = Path(__file__).parents[3] / "deploy"
PROVISIONING = DEPLOY / "grafana" / "provisioning"
PANELS = list(panels())
OF_PROMETHEUS = {"up": {"job", "part", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
"""What Prometheus itself says; `part` is given in prometheus.yml."""
GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
SELECTED = re.compile(r"\b(creditbus_[a-z_]+|up|ALERTS)\b(?:\{([^}]*)\})?")
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")


def labels_of(name: str) -> set[str]:
    """Labels that the series of this name have. Raises KeyError for a metric that there is not."""
    if name in OF_PROMETHEUS:
        return OF_PROMETHEUS[name]
    metric = re.sub(r"_(bucket|sum|count)$", "", name)
    is_histogram = metric in get_args(HistogramName)
    if (metric if is_histogram else name) not in all_names():
        raise KeyError(name)
    return {"service", *LABELS.get(metric if is_histogram else name, ()), *({"le"} if name.endswith("_bucket") else ())}


def misnamed(expression: str) -> list[str]:
    """Metrics that there are not, and labels that the expression's metrics do not have."""
    known: set[str] = set()
    wrong = []
    for name, matchers in SELECTED.findall(re.sub(GROUPED, "", expression)):
        try:
            own = labels_of(name)
        except KeyError:
            wrong.append(name)
            continue
        known |= own
        wrong += [f"{name}{{{label}}}" for label in re.findall(r"(\w+)\s*[=!]", matchers) if label not in own]
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",")}
    return wrong + sorted(grouped - known)


def test_there_are_dashboards() -> None:
    assert [path.stem for path in FILES] == ["departments", "overview", "way-back"]


def test_the_files_are_what_the_descriptions_say() -> None:
    for path, text in files():
        assert path.read_text(encoding="utf-8") == text, "python -m deploy.grafana.generate"
    assert sorted(path for path, _ in files()) == FILES


@pytest.mark.parametrize("shown", PANELS, ids=lambda one: one.title)
def test_every_metric_and_label_of_a_panel_is_one_that_the_program_emits(shown: Shown) -> None:
    assert shown.expressions
    for expression in shown.expressions:
        assert misnamed(expression) == []
        assert SELECTED.search(expression), expression


@pytest.mark.parametrize("shown", PANELS, ids=lambda one: one.title)
def test_the_legend_of_a_panel_names_labels_that_its_series_still_have(shown: Shown) -> None:
    for target in shown.panel["targets"]:
        grouped = {label.strip() for labels in GROUPED.findall(target["expr"]) for label in labels.split(",")}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= grouped


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("creditbus_lag_secs", ["creditbus_lag_secs"]),
        ('creditbus_ready{topic="x"}', ["creditbus_ready{topic}"]),
        ("sum by (kind) (creditbus_ready)", ["kind"]),
        ("rate(creditbus_ready_bucket[1m])", ["creditbus_ready_bucket"]),
    ],
)
def test_a_misnamed_metric_or_label_is_found(expression: str, wrong: list[str]) -> None:
    assert misnamed(expression) == wrong


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: apt-get install prometheus")
def test_promtool_can_read_every_expression(tmp_path: Path) -> None:
    expressions = [expression for shown in PANELS for expression in shown.expressions]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(expressions)} rules found" in done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda one: one.stem)
def test_panels_have_ids_of_their_own_and_do_not_cover_one_another(path: Path) -> None:
    shown = dashboard(path)["panels"]
    ids = [one["id"] for one in shown]
    assert len(set(ids)) == len(ids)
    for one in shown:
        place = one["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(shown, 2):
        assert not cover(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def cover(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two places have a square in common."""
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_dashboards_have_addresses_of_their_own_and_texts_in_both_languages() -> None:
    found = [dashboard(path) for path in FILES]
    assert len({one["uid"] for one in found}) == len(found)
    for one in found:
        assert_both_languages(one["title"])
        assert_both_languages(one["description"])
        for row in (panel for panel in one["panels"] if panel["type"] == "row"):
            assert_both_languages(row["title"])


@pytest.mark.parametrize("shown", PANELS, ids=lambda one: one.title)
def test_a_panel_says_what_it_shows_in_both_languages_and_in_which_unit(shown: Shown) -> None:
    assert_both_languages(shown.panel["title"])
    assert_both_languages(shown.panel["description"])
    defaults = shown.panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in {"s", "short", "percentunit", "cps"} or defaults["mappings"]
    in_seconds = all(re.search(r"_seconds(_bucket)?\b", one) for one in shown.expressions)
    assert in_seconds == (defaults["unit"] == "s")


def assert_both_languages(text: str) -> None:
    assert CHINESE.search(text), text
    assert ENGLISH.search(text), text


def test_every_panel_asks_the_datasource_that_is_provisioned() -> None:
    (source,) = _read(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE
    for shown in PANELS:
        assert shown.panel["datasource"] == DATASOURCE
        assert all(target["datasource"] == DATASOURCE for target in shown.panel["targets"])


def test_compose_mounts_what_grafana_is_told_to_read() -> None:
    grafana = _read(DEPLOY / "compose.yaml")["services"]["grafana"]
    mounts = {inside: DEPLOY / outside for outside, inside, _ in (one.split(":") for one in grafana["volumes"])}
    assert all(one.endswith(":ro") for one in grafana["volumes"])
    assert mounts["/etc/grafana/provisioning"] == PROVISIONING
    (provider,) = _read(PROVISIONING / "dashboards" / "creditbus.yml")["providers"]
    assert mounts[provider["options"]["path"]] == FILES[0].parent
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert mounts[str(home.parent)] / home.name in FILES


def test_grafana_asks_the_prometheus_of_compose() -> None:
    """Both share the network of one container, which publishes them on loopback."""
    services = _read(DEPLOY / "compose.yaml")["services"]
    (source,) = _read(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://127.0.0.1:9090"
    assert services["grafana"]["network_mode"] == services["prometheus"]["network_mode"]


def test_whoever_looks_can_change_nothing_and_there_is_no_password() -> None:
    services = _read(DEPLOY / "compose.yaml")["services"]
    environment = services["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert not any("PASSWORD" in name for name in environment)
    assert "127.0.0.1:3000:3000" in services["net"]["ports"]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
