"""What changed between two catalogues, row by row and field by field."""

from __future__ import annotations

from typing import Any

from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.themes import THEMES, fields_of, names_of, rows_of, shown

Difference = tuple[str, str, str, str, str]
"""Theme, code, field, before and after; a row that came or went has no field."""


def differences_of(old: Catalogue, new: Catalogue) -> list[Difference]:
    """Everything that differs, in the order of the themes."""
    return [
        (theme, *row) for theme in THEMES for row in _differences(dict(rows_of(old, theme)), dict(rows_of(new, theme)))
    ]


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    found = []
    for code in dict.fromkeys((*old, *new)):
        if code not in new:
            found.append((code, "", " · ".join(names_of(old[code])), "–"))
        elif code not in old:
            found.append((code, "", "–", " · ".join(names_of(new[code]))))
        else:
            before, after = fields_of(old[code]), fields_of(new[code])
            found += [(code, name, shown(before.get(name)), shown(after[name])) for name in after
                      if before.get(name) != after[name]]  # fmt: skip
    return found
