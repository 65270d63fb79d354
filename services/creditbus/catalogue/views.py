"""Views: the files and databases that the plan names, as cuts of the same records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from creditbus.catalogue.errors import CatalogueError
from creditbus.catalogue.loader import DATA
from creditbus.catalogue.models import Catalogue, Named, SubjectKind
from creditbus.catalogue.yamltext import parse_yaml


class View(Named):
    """A file or database of the plan (信用档案、信用信息库). An empty list takes all."""

    plan: tuple[int, ...]
    """Rows of the plan that it serves."""
    subjects: tuple[SubjectKind, ...]
    kinds: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    """Domains of the departments that send what belongs to it."""
    items: tuple[str, ...] = ()


def load_views(catalogue: Catalogue, folder: Path | None = None) -> Mapping[str, View]:
    """Views by code. Raises CatalogueError for a domain or an item that the catalogue lacks."""
    rows = parse_yaml(((folder or DATA) / "views.yaml").read_text(encoding="utf-8"))["rows"]
    views = TypeAdapter(tuple[View, ...]).validate_python(rows)
    domains = {row.domain for row in catalogue.departments}
    items = {row.code for row in catalogue.items}
    for view in views:
        for unknown in (set(view.domains) - domains) | (set(view.items) - items):
            raise CatalogueError(f"views: {view.code}: {unknown} is not in the catalogue; add it or correct the row")
    return {view.code: view for view in views}


def senders_of(view: View, catalogue: Catalogue) -> list[str]:
    """Departments whose records belong to the view; empty when those of all do."""
    return sorted(row.code for row in catalogue.departments if row.domain in view.domains)
