"""What codes are called: lists, measures, departments, authorities, regions and items of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from creditbus.catalogue.editions import authority_code
from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.purposes import load_purposes

Names = dict[str, dict[str, tuple[str, str]]]
"""By kind of code and code: the Chinese and the English name."""


def names_of(catalogue: Catalogue) -> Names:
    """Names of every code that a page shows, by kind of code."""
    return {
        "list": _named(catalogue.lists),
        # only these make a subject a severely dishonest one (严重失信主体)
        "severe_list": _named(row for row in catalogue.lists if row.severe),
        # no lists but orders of a court (限制消费令)
        "court_order": _named(row for row in catalogue.lists if row.nature == "ORDER"),
        "consumption": _named(catalogue.consumption),
        "measure": _named(catalogue.measures),
        "incentive": _named(catalogue.incentives),
        "deserving": _named(catalogue.honours)
        | {
            f"{row.code}:{grade}": (f"{row.zh} {grade}", f"{row.en or row.zh} {grade}")
            for row in catalogue.ratings
            for grade in row.grades
        },
        "department": _named(catalogue.departments),
        "authority": {
            authority_code(row.region, row.sequence): (row.zh, row.en or row.zh) for row in catalogue.departments
        },
        "region": _named(catalogue.regions),
        "item": _named(catalogue.items),
        "instrument": _named(catalogue.instruments),
        "grade": _named(catalogue.score.grades),
        # of look-ups; no edition has them, they are the deployment's
        "purpose": _named(load_purposes().values()),
        # decisions that have to come with the notice how to repair (两书同达): kind → first and last day, "" = open
        "repair_notice": {
            kind: (row.since.isoformat(), row.until.isoformat() if row.until is not None else "")
            for row in catalogue.repair
            if row.condition == "NOTICE"
            for kind in row.kinds
        },
    }


class _Named(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


def _named(rows: Iterable[_Named]) -> dict[str, tuple[str, str]]:
    return {row.code: (row.zh, row.en or row.zh) for row in rows}
