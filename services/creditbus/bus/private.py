"""Files with secrets."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str, *, is_new: bool = False) -> None:
    """Whole or not at all, never readable by others, not even for a moment, and durable when it returns.

    is_new: raise FileExistsError where there is a file already, instead of putting this one in its place.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        os.link(part, path)
        part.unlink()
    else:
        part.replace(path)
    settle(path.parent)


def settle(path: Path) -> None:
    """Have what was written to a file, or which files a folder has, on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
