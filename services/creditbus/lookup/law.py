"""What look-ups take from the catalogue: the edition in force, and what other editions said of records that remain."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from creditbus.bus.editions import Published, read_editions
from creditbus.catalogue.editions import Edition, catalogue_from, compile_rules
from creditbus.catalogue.loader import ADVERSE_ARE_SHOWN
from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.purposes import load_casework_kinds
from creditbus.catalogue.views import View, senders_of
from creditbus.core.errors import BusError, StopError
from creditbus.core.rules import Rules
from creditbus.lookup.queries import Cut, Disclosure

log = structlog.get_logger()

_LOOK_SECONDS = 10.0
"""How often the edition in force is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One edition, as look-ups need it."""

    edition: Edition
    rules: Rules
    disclosure: Disclosure
    cuts: Mapping[str, Cut]
    """How each view is cut from the records."""


class LawInForce:
    """The edition in force; once it is followed, another one is noticed within seconds."""

    def __init__(self, brokers: str, views: Mapping[str, View], every_seconds: float = _LOOK_SECONDS) -> None:
        """Raises RetryLaterError while there is no edition or no broker."""
        self._brokers = brokers
        self._views = views
        self._every = every_seconds
        self._stopping = threading.Event()
        self.now = self._law(read_editions(brokers))

    def follow(self) -> None:
        """Begin to look for other editions."""
        threading.Thread(target=self._follow, name="editions", daemon=True).start()

    def disclosure(self) -> Disclosure:
        """What is not shown any more by the edition in force."""
        return self.now.disclosure

    def close(self) -> None:
        """Follow no longer."""
        self._stopping.set()

    def _follow(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                published = read_editions(self._brokers)
                if published.current != self.now.edition.hash:
                    self.now = self._law(published)
                    log.info("another edition is in force", edition=published.current)
            except BusError as error:
                log.warning("the edition in force cannot be read", problem=str(error), remedy="asked again")

    def _law(self, published: Published) -> Law:
        edition = published.present
        others = {name: text for name, text in published.texts.items() if name != edition.hash}
        try:
            return law_of(edition, readable(others), self._views)
        except ValidationError as error:
            raise StopError(
                f"edition {edition.hash} is in force and of another release: run look-ups of that one"
            ) from error


def readable(texts: Mapping[str, bytes]) -> list[Catalogue]:
    """Catalogues of those editions that this release can read. texts: by hash."""
    found = []
    for name, text in texts.items():
        try:
            found.append(catalogue_from(text))
        except ValidationError:
            log.warning("an edition of another release is left out: what it alone calls adverse is shown", edition=name)
    return found


def law_of(edition: Edition, others: Sequence[Catalogue], views: Mapping[str, View]) -> Law:
    """What holds under an edition.

    others: that were published too. What any of them calls adverse, a list or an order of a court stays so, and a
    department that sent what a view shows still does: records of theirs remain when the edition in force has no more
    of them, and must not come back into sight, nor be taken for something else.
    """
    catalogue = catalogue_from(edition.text)
    known = [catalogue, *others]
    lists = [row for one in known for row in one.lists]
    return Law(
        edition=edition,
        rules=compile_rules(edition),
        disclosure=Disclosure(
            adverse_items=sorted({item.code for one in known for item in one.items if item.nature == "ADVERSE"}),
            years=_years(known),
            listing_kinds=sorted({kind for row in lists for kind in row.entry_kinds}),
            casework_kinds=load_casework_kinds(),
            orders=sorted({row.code for row in lists if row.nature == "ORDER"}),
        ),
        cuts={code: _cut_of(view, known) for code, view in views.items()},
    )


def _years(known: Sequence[Catalogue]) -> int:
    """Years after which nobody is shown an adverse fact, by the first of these that has the row."""
    for catalogue in known:
        for row in catalogue.retention:
            if row.code == ADVERSE_ARE_SHOWN:
                return row.years
    raise StopError(f"no edition says for how long adverse facts are shown (retention, {ADVERSE_ARE_SHOWN})")


def _cut_of(view: View, known: Sequence[Catalogue]) -> Cut:
    """Which records belong to a view."""
    senders = sorted({sender for one in known for sender in senders_of(view, one)})
    return Cut(subjects=view.subjects, kinds=view.kinds, senders=senders, items=view.items)
