"""Who holds which API key: the file of departments, read again when it changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from creditbus.core.errors import SettingsError

log = structlog.get_logger()

FILE = "departments.json"
_LOOK_AGAIN_SECONDS = 2.0


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    roles: frozenset[str]


_FILE = TypeAdapter(dict[str, _Row])


@dataclass(frozen=True, slots=True)
class Holder:
    """A department whose key was shown, and its roles."""

    department: str
    roles: frozenset[str]


class Keyring:
    """API keys by their hashes; a key that is added or taken away counts within seconds, without a restart."""

    def __init__(self, folder: Path) -> None:
        """Raises SettingsError when the file is missing or not as it should be."""
        self._path = folder / FILE
        self._changed_at = self._modified()
        self._rows = read_departments(self._path)
        self._looked_at = time.monotonic()

    def holder_of(self, key: str) -> Holder | None:
        """Who holds the key, or None."""
        self._refresh()
        shown = hashlib.sha256(key.encode()).hexdigest()
        found = None
        # all are compared, each in constant time: how long it takes tells nothing
        for department, row in self._rows.items():
            if hmac.compare_digest(row.key_sha256, shown):
                found = Holder(department, row.roles)
        return found

    def _refresh(self) -> None:
        if time.monotonic() - self._looked_at < _LOOK_AGAIN_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            changed_at = self._modified()
            if changed_at != self._changed_at:
                self._rows = read_departments(self._path)
                self._changed_at = changed_at
                log.info("keys read again", departments=len(self._rows))
        except SettingsError as error:
            log.error("keys stay as they were", problem=str(error))

    def _modified(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError as error:
            raise SettingsError(
                f"CREDITBUS_SECRETS: {self._path} cannot be read ({error.strerror}); `creditbus up` creates it"
            ) from error


def read_departments(path: Path) -> Mapping[str, _Row]:
    """Rows of departments.json. Raises SettingsError that names file, place and problem."""
    try:
        return _FILE.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} is not JSON (line {error.lineno}); mend it") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(
            f'CREDITBUS_SECRETS: {path}: {where}: {first["msg"]}; each row is {{"key_sha256": hex, "roles": [...]}}'
        ) from error
