"""Persons by their number, as the vault knows them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from creditbus.bus.privacy import Vault
from creditbus.core.errors import RetryLaterError


class Persons:
    """Finds persons. Requests run in many threads, the vault in one of its own, where it stays open.

    Keys that are rotated need no other opening: the index of numbers keeps its key.
    """

    def __init__(self, open_vault: Callable[[], Vault]) -> None:
        self._open_vault = open_vault
        self._vault: Vault | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vault")

    def key_of(self, number: str) -> str | None:
        """Key of the person that a normalised number leads to. Raises RetryLaterError while the disk is away."""
        return self._thread.submit(self._key_of, number).result()

    def close(self) -> None:
        """Nobody asks any more."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _key_of(self, number: str) -> str | None:
        if self._vault is None:
            self._vault = self._open_vault()
        try:
            found = self._vault.find(number)
        except RetryLaterError:
            self._close()  # what is back may be another file
            raise
        return found.subject_key if found is not None else None

    def _close(self) -> None:
        if self._vault is not None:
            self._vault.close()
            self._vault = None
