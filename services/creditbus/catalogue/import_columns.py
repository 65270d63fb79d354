"""The column table of `creditbus import`: headers and coded values of departments' files as data."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from creditbus.catalogue.loader import load
from creditbus.catalogue.yamltext import parse_yaml


class KindDefaults(BaseModel):
    """What stands for a value that the files of a kind have no column for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decided_on: str = ""
    """Column of the day that the decision is dated by."""
    document_number: tuple[str, ...] = ()
    """Columns that make up a number where documents have none."""
    basis: str = ""
    """Code of the instrument that every row rests on."""


NO_DEFAULTS = KindDefaults()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportColumns:
    """What headers and values of imported files mean."""

    by_header: Mapping[str, str]
    """Canonical header or code (see ``canonical_header``) → column."""
    ignored: frozenset[str]
    kinds: Mapping[str, frozenset[str]]
    """Kinds that a column belongs to; absent = all kinds."""
    values: Mapping[str, Mapping[str, str]]
    """For each coded column what may be written → code; longer words are looked for in this order."""
    endless: frozenset[str]
    """What is written for a term without end."""
    defaults: Mapping[str, KindDefaults]
    headers: Mapping[str, tuple[str, ...]]
    """Headers of each column, the usual one first."""


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: frozenset[str] = frozenset()
    codes: tuple[str, ...]
    headers: tuple[str, ...]


class _Ignored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: tuple[str, ...]
    headers: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    columns: dict[str, _Column]
    ignored: _Ignored
    values: dict[str, dict[str, str]]
    endless: frozenset[str]
    defaults: dict[str, KindDefaults]


def canonical_header(text: str) -> str:
    """A header without width, case, white space and the stars that mark required columns."""
    return "".join(unicodedata.normalize("NFKC", text).split()).strip("*:\ufeff").upper()


def load_import_columns() -> ImportColumns:
    """The table that comes with the package."""
    text = (files("creditbus.catalogue") / "data" / "import_columns.yaml").read_text(encoding="utf-8")
    table, catalogue = read_import_columns(text), load()
    named = {
        "list": {row.zh: row.code for row in catalogue.lists},
        "scheme": {row.zh: row.code for row in catalogue.ratings},
    }
    merged = {name: {**known, **table.values.get(name, {})} for name, known in named.items()}
    return replace(table, values={**table.values, **merged})


def read_import_columns(text: str) -> ImportColumns:
    """The table in the text of import_columns.yaml.

    Raises pydantic.ValidationError, or ValueError for a header that means two columns.
    """
    file = _File.model_validate(parse_yaml(text))
    by_header: dict[str, str] = {}
    for name, column in file.columns.items():
        for header in (*column.codes, *column.headers):
            if by_header.setdefault(canonical_header(header), name) != name:
                raise ValueError(
                    f"import_columns.yaml: {header} stands for {by_header[canonical_header(header)]} and {name}"
                )
    ignored = frozenset(canonical_header(header) for header in (*file.ignored.codes, *file.ignored.headers))
    if double := ignored & by_header.keys():
        raise ValueError(f"import_columns.yaml: {', '.join(sorted(double))} is both used and ignored")
    return ImportColumns(
        by_header=by_header,
        ignored=ignored,
        kinds={name: column.kinds for name, column in file.columns.items() if column.kinds},
        values=file.values,
        endless=file.endless,
        defaults=file.defaults,
        headers={name: column.headers for name, column in file.columns.items()},
    )
