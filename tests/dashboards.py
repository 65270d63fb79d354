"""The dashboards as tests read them: every panel with its expressions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
INTERVAL = "1m"
_VARIABLES = {"$__rate_interval": INTERVAL, "$department": ".*"}
"""What Grafana puts in the place of its variables."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel of a dashboard; expressions as Prometheus gets them."""

    dashboard: str
    panel: dict[str, Any]
    expressions: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.dashboard}: {self.panel['title']}"


def dashboard(path: Path) -> dict[str, Any]:
    """A file's content."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def panels() -> Iterator[Shown]:
    """Every panel that shows something, of every dashboard."""
    for path in FILES:
        for panel in dashboard(path)["panels"]:
            if panel["type"] != "row":
                yield Shown(path.stem, panel, tuple(_filled_in(one["expr"]) for one in panel["targets"]))


def _filled_in(expression: str) -> str:
    for variable, value in _VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression
