"""What is raised for data that is wrong."""

from __future__ import annotations

from creditbus.core.errors import SettingsError


class CatalogueError(SettingsError):
    """The catalogue's data is wrong; the text names each file, row, field, problem and remedy."""
