"""Writes deploy/grafana/dashboards from what the modules beside it say: `python -m deploy.grafana.generate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from deploy.grafana.departments import DEPARTMENTS
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.panels import as_json
from deploy.grafana.way_back import WAY_BACK

PAGES = (OVERVIEW, DEPARTMENTS, WAY_BACK)
FOLDER = Path(__file__).parent / "dashboards"


def files() -> Iterator[tuple[Path, str]]:
    """Every dashboard's file and its text."""
    for page in PAGES:
        name = f"{page.uid.removeprefix('creditbus-')}.json"
        yield FOLDER / name, json.dumps(as_json(page), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, encoding="utf-8")
