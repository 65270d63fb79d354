"""What an operator can set of the console, and the key that it looks up with."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from creditbus.bus.settings import ServiceSettings
from creditbus.core.errors import SettingsError

KEYS_FILE = "lab-keys.json"


class ConsoleSettings(ServiceSettings):
    """Settings of the console."""

    lookup_url: str = Field("http://127.0.0.1:18090", description="look-up API")
    console_key_name: str = Field("console", description=f"name of the console's key in {KEYS_FILE}")
    console_timeout_seconds: float = Field(10.0, gt=0, le=60, description="how long the look-up API may take")
    console_hosts: tuple[str, ...] = Field(
        ("127.0.0.1", "localhost"), description="host names under which browsers may call it, as a JSON list"
    )
    console_streams: int = Field(50, ge=1, le=1000, description="most open streams of alerts; then 503")


def read_console_key(folder: Path, name: str) -> str:
    """The console's API key. Raises SettingsError that names file, key and remedy."""
    path = folder / KEYS_FILE
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"CREDITBUS_SECRETS: {path} cannot be read ({error.strerror}); `creditbus up` creates it"
        ) from error
    except ValueError as error:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} is not JSON; remove it and `creditbus up` makes it") from error
    key = keys.get(name) if isinstance(keys, dict) else None
    if not isinstance(key, str) or not key:
        raise SettingsError(f"CREDITBUS_SECRETS: {path} has no key {name!r}; `creditbus up` creates it")
    return key
