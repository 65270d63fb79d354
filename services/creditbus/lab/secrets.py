"""The lab's secret files: API keys of departments, the gateway's stamp key, the platform's token key."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from creditbus.bus.keyfiles import INDEX_KEY, MASTER, PLATFORM, UNSALTED, file_of
from creditbus.lab.errors import SettingsError

DEPARTMENTS = "departments.json"
LAB_KEYS = "lab-keys.json"
RECEIPT_KEY = "receipt-signing.key"
SECRET_KEYS = ("gateway-hmac.key", "platform-token.key", INDEX_KEY, RECEIPT_KEY)
FIRST_VERSIONS = ((PLATFORM, UNSALTED + 1), (MASTER, 1))
"""Keys that can be rotated, each with the version that a new bus begins with."""


def ensure_secrets(folder: Path, holders: Mapping[str, Sequence[str]]) -> None:
    """Create what is missing, for this user alone; what is there stays as it is.

    holders: roles by department, or by service of the lab. A new one gets a key, one that is gone loses it.
    Raises SettingsError for a file that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in SECRET_KEYS:
        if not (folder / name).exists():
            _write(folder / name, secrets.token_bytes(32).hex())
    for kind, version in FIRST_VERSIONS:
        if not any(folder.glob(f"{kind}-*.key")):
            _write(file_of(folder, kind, version), secrets.token_bytes(32).hex())
    known = read_lab_keys(folder) if (folder / LAB_KEYS).exists() else {}
    keys = {code: known.get(code) or secrets.token_urlsafe(32) for code in sorted(holders)}
    if keys != known:
        _write_json(folder / LAB_KEYS, keys)
    _write_if_changed(folder / DEPARTMENTS, {code: _row(key, holders[code]) for code, key in keys.items()})


def read_lab_keys(folder: Path) -> dict[str, str]:
    """The API keys of the lab's departments, by code. Raises SettingsError that says what to do."""
    path = folder / LAB_KEYS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            en=f"{path} cannot be read. Start the lab, or remove the file to have new keys made",
            zh=f"无法读取 {path}。请启动 lab，或删除该文件以重新生成密钥",
        ) from error
    return {str(code): str(key) for code, key in found.items()}


def _row(key: str, roles: Sequence[str]) -> dict[str, object]:
    return {"key_sha256": hashlib.sha256(key.encode()).hexdigest(), "roles": list(roles)}


def _write_if_changed(path: Path, rows: dict[str, dict[str, object]]) -> None:
    text = _text(rows)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        _write(path, text)


def _write_json(path: Path, value: object) -> None:
    _write(path, _text(value))


def _text(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    opener: Callable[[str, int], int] = lambda name, flags: os.open(name, flags, 0o600)  # noqa: E731
    with open(part, "x", encoding="utf-8", opener=opener) as file:  # noqa: PTH123 - Path.open takes no opener
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
