"""The catalogue as pages show it: the edition in force."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import structlog
from pydantic import ValidationError

from creditbus.catalogue.editions import Edition, catalogue_from, named
from creditbus.catalogue.page import catalogue_page
from creditbus.console.lookup import Answer
from creditbus.console.names import Names, names_of
from creditbus.core.errors import RetryLaterError

log = structlog.get_logger()

_FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What pages take from an edition."""

    edition: str
    """Hash."""
    names: Names
    page: str
    """The catalogue to browse, HTML."""


class _Told(Protocol):
    async def catalogue(self, known: str) -> Answer: ...


def shown_of(edition: Edition) -> Shown:
    """An edition as pages show it. Raises ValidationError for one of another release."""
    catalogue = catalogue_from(edition.text)
    return Shown(edition.hash, names_of(catalogue), catalogue_page(catalogue, edition.hash, "/catalogue.css"))


class CatalogueInForce:
    """The edition in force, as the look-up API tells it, asked for again after seconds; for one event loop."""

    def __init__(self, lookup: _Told, first: Shown) -> None:
        """first: what is shown until the look-up API answers."""
        self._lookup = lookup
        self._shown = first
        self._known = first.edition
        """Edition that was told last, whether it can be shown or not."""
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def now(self) -> Shown:
        """The edition in force, or the last one that is known while the look-up API is away."""
        async with self._lock:
            if time.monotonic() - self._asked_at > _FRESH_SECONDS:
                await self._ask()
                self._asked_at = time.monotonic()
        return self._shown

    async def _ask(self) -> None:
        try:
            answer = await self._lookup.catalogue(self._known)
            if answer.status == 200:
                edition = named(answer.body)
                self._known = edition.hash
                self._shown = await asyncio.to_thread(shown_of, edition)
        except RetryLaterError as error:
            log.warning("the catalogue cannot be asked for", problem=str(error))
        except ValidationError:
            log.warning(
                "the edition in force is one of another release",
                edition=self._known,
                remedy="run the console of the release that the other services are of",
            )
