"""Purposes of look-ups: who may state them and what they show."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from creditbus.catalogue.loader import DATA
from creditbus.catalogue.models import Named
from creditbus.catalogue.yamltext import parse_yaml


class Purpose(Named):
    """A purpose (查询目的)."""

    roles: frozenset[str]
    shows: frozenset[str]


class _Purposes(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    casework_kinds: tuple[str, ...]
    rows: tuple[Purpose, ...]


def load_purposes(folder: Path | None = None) -> dict[str, Purpose]:
    """Purposes by code. Raises pydantic's ValidationError for wrong data."""
    return {row.code: row for row in _read(folder).rows}


def load_casework_kinds(folder: Path | None = None) -> tuple[str, ...]:
    """Kinds of event that tell what became of another fact; shown with the history only."""
    return _read(folder).casework_kinds


def _read(folder: Path | None) -> _Purposes:
    text = ((folder or DATA) / "purposes.yaml").read_text(encoding="utf-8")
    return _Purposes.model_validate(parse_yaml(text))
