"""Files that are read again when they change, so that what operators put there counts without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from creditbus.core.errors import SettingsError

log = structlog.get_logger()

T = TypeVar("T")
_LOOK_AGAIN_SECONDS = 2.0
_NO_FILE = 0


class Reread(Generic[T]):
    """What a file holds. A change that cannot be read is told of, and what was read before stays."""

    def __init__(self, path: Path, read: Callable[[Path], T], missing: T | None = None) -> None:
        """missing: what a file that is not there yet stands for; None = it has to be there.

        Raises SettingsError when it is missing, or not as it should be.
        """
        self._path, self._read, self._may_come = path, read, missing is not None
        self._changed_at = _NO_FILE
        self._changed_at = self._modified()
        self._value = missing if self._changed_at == _NO_FILE and missing is not None else read(path)
        self._looked_at = time.monotonic()

    @property
    def value(self) -> T:
        """As the file was within the last seconds."""
        if time.monotonic() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self._looked_at = time.monotonic()
            self._refresh()
        return self._value

    def _refresh(self) -> None:
        try:
            changed_at = self._modified()
            if changed_at != self._changed_at:
                self._value = self._read(self._path)
                self._changed_at = changed_at
                log.info("read again", file=self._path.name)
        except SettingsError as error:
            log.error("a file stays as it was read", problem=str(error))

    def _modified(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self._may_come and self._changed_at == _NO_FILE:
                return _NO_FILE
            raise SettingsError(
                f"CREDITBUS_SECRETS: {self._path} cannot be read ({error.strerror}); `creditbus up` creates it"
            ) from error
