"""Purposes of look-ups: who may state them and what they show."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import TypeAdapter

from creditbus.catalogue.loader import DATA
from creditbus.catalogue.models import Named


class Purpose(Named):
    """A purpose (查询目的)."""

    roles: frozenset[str]
    shows: frozenset[str]


def load_purposes(folder: Path | None = None) -> dict[str, Purpose]:
    """Purposes by code. Raises pydantic's ValidationError for wrong data."""
    rows = yaml.safe_load(((folder or DATA) / "purposes.yaml").read_text(encoding="utf-8"))["rows"]
    return {row.code: row for row in TypeAdapter(tuple[Purpose, ...]).validate_python(rows)}
