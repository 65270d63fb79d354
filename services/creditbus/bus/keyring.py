"""Who holds which API key: the file of departments, read again when it changes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from creditbus.bus.reread import Reread
from creditbus.core.errors import SettingsError

FILE = "departments.json"


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
        self._rows = Reread(folder / FILE, read_departments)

    def holder_of(self, key: str) -> Holder | None:
        """Who holds the key, or None."""
        shown = hashlib.sha256(key.encode()).hexdigest()
        found = None
        # all are compared, each in constant time: how long it takes tells nothing
        for department, row in self._rows.value.items():
            if hmac.compare_digest(row.key_sha256, shown):
                found = Holder(department, row.roles)
        return found

    def roles_of(self, department: str) -> frozenset[str]:
        """What a department may do; nothing when it has no API key."""
        row = self._rows.value.get(department)
        return row.roles if row is not None else frozenset()


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
