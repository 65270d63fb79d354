"""What is raised for data that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from creditbus.core.errors import SettingsError


class CatalogueError(SettingsError):
    """The catalogue's data is wrong; the text names each file, row, field, problem and remedy."""


def told(error: ValidationError, values: dict[str, Any]) -> Iterator[str]:
    """File or theme, row by its code, field and problem of each thing that is wrong; values: what was validated."""
    for one in error.errors():
        file, *where = one["loc"]
        row = values[str(file)][where[0]] if where and isinstance(where[0], int) else None
        code = row.get("code", where[0]) if isinstance(row, dict) else None
        rest = where[1:] if row is not None else where
        parts = (file, code, ".".join(map(str, rest)), one["msg"])
        yield ": ".join(str(part) for part in parts if part not in (None, ""))
