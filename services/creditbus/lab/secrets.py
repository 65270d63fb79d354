"""The lab's secret files: API keys of departments, the gateway's stamp key, the platform's token key."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from creditbus.bus.keyfiles import INDEX_KEY, MASTER, PLATFORM, UNSALTED, file_of
from creditbus.bus.private import write_private
from creditbus.lab.errors import SettingsError

DEPARTMENTS = "departments.json"
LAB_KEYS = "lab-keys.json"
RECEIPT_KEY = "receipt-signing.key"
SECRET_KEYS = ("gateway-hmac.key", "gateway-evidence.key", "platform-token.key", INDEX_KEY, RECEIPT_KEY)
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
            write_private(folder / name, secrets.token_bytes(32).hex())
    for kind, version in FIRST_VERSIONS:
        if not any(folder.glob(f"{kind}-*.key")):
            write_private(file_of(folder, kind, version), secrets.token_bytes(32).hex())
    known = read_lab_keys(folder) if (folder / LAB_KEYS).exists() else {}
    keys = {code: known.get(code) or secrets.token_urlsafe(32) for code in sorted(holders)}
    if keys != known:
        write_private(folder / LAB_KEYS, _text(keys))
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
        write_private(path, text)


def _text(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
