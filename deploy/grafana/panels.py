"""What a dashboard is made of, and the JSON of Grafana that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

DATASOURCE = {"type": "prometheus", "uid": "creditbus-prometheus"}
"""As deploy/grafana/provisioning names it."""
_SCHEMA_VERSION = 41
_GRID_WIDTH = 24
_GREEN, _ORANGE, _RED = "green", "orange", "red"

Unit = Literal["s", "short", "percentunit", "cps", "none"]
"""As Grafana calls them: seconds, a number, a share from 0 to 1, counts per second, nothing."""
Kind = Literal["timeseries", "stat", "bargauge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A PromQL expression, and what each of its series is called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. Texts are in Chinese and English."""

    zh: str
    en: str
    about_zh: str
    about_en: str
    unit: Unit
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    width: int = 12
    height: int = 8
    warn: float | None = None
    alarm: float | None = None
    """Values from which on it is orange, or red."""
    words: tuple[str, str] | None = None
    """What 0 and 1 are shown as; 0 is red then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels under one headline."""

    zh: str
    en: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Values of a label that whoever looks can choose among; all of them at first."""

    name: str
    zh: str
    en: str
    values: str
    """A query of Grafana, such as label_values(metric, label)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page. uid: its id in addresses, for ever."""

    uid: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    sections: tuple[Section, ...]
    choices: tuple[Choice, ...] = ()


def as_json(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it from a file."""
    return {
        "uid": dashboard.uid,
        "title": f"{dashboard.zh} {dashboard.en}",
        "description": f"{dashboard.about_zh} {dashboard.about_en}",
        "tags": ["creditbus"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "信用记录总线 Credit record bus",
                "tags": ["creditbus"],
                "asDropdown": False,
            }
        ],
        "templating": {"list": [_choice(one) for one in dashboard.choices]},
        "panels": list(_panels(dashboard.sections)),
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "type": "query",
        "name": choice.name,
        "label": f"{choice.zh} {choice.en}",
        "datasource": DATASOURCE,
        "definition": choice.values,
        "query": {"query": choice.values, "refId": "choice"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels(sections: Sequence[Section]) -> Iterator[dict[str, Any]]:
    """Panels from left to right, as many in a line as there is room for."""
    ids, y = count(1), 0
    for section in sections:
        yield {
            "id": next(ids),
            "type": "row",
            "title": f"{section.zh} {section.en}",
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": _GRID_WIDTH, "h": 1},
            "panels": [],
        }
        x, y, line_height = 0, y + 1, 0
        for panel in section.panels:
            if x + panel.width > _GRID_WIDTH:
                x, y, line_height = 0, y + line_height, 0
            yield _panel(panel, next(ids), {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x, line_height = x + panel.width, max(line_height, panel.height)
        y += line_height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": f"{panel.zh} {panel.en}",
        "description": f"{panel.about_zh}\n\n{panel.about_en}",
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": [_target(query, chr(ord("A") + place)) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(query: Query, ref_id: str) -> dict[str, Any]:
    return {"refId": ref_id, "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend, "range": True}


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": list(_steps(panel))},
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
    }
    if panel.kind == "timeseries":
        is_marked = panel.alarm is not None or panel.warn is not None
        defaults["custom"] = {
            "fillOpacity": 10,
            "showPoints": "never",
            "spanNulls": False,
            "thresholdsStyle": {"mode": "dashed" if is_marked else "off"},
        }
    if panel.words is not None:
        texts = {str(value): {"text": text, "index": value} for value, text in enumerate(panel.words)}
        defaults["mappings"] = [{"type": "value", "options": texts}]
    return defaults


def _steps(panel: Panel) -> Iterator[dict[str, Any]]:
    if panel.words is not None:
        yield from ({"color": _RED, "value": None}, {"color": _GREEN, "value": 1})
        return
    yield {"color": _GREEN, "value": None}
    if panel.warn is not None:
        yield {"color": _ORANGE, "value": panel.warn}
    if panel.alarm is not None:
        yield {"color": _RED, "value": panel.alarm}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    shown = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "auto"}
    if panel.kind == "bargauge":
        return {**shown, "displayMode": "gradient", "showUnfilled": True, "orientation": "horizontal"}
    return {**shown, "colorMode": "background", "graphMode": "none", "textMode": "auto", "wideLayout": True}
