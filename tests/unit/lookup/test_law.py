"""What look-ups take from the editions of the catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from creditbus.catalogue.editions import edition_of
from creditbus.catalogue.loader import ADVERSE_ARE_SHOWN, load, problems_of
from creditbus.catalogue.models import Catalogue
from creditbus.catalogue.views import load_views
from creditbus.core.errors import StopError
from creditbus.core.subscribers import families_of
from creditbus.lookup.law import Law, law_of, readable

PRESENT = load()
VIEWS = load_views(PRESENT)
PENALTY = "C03-PENALTY"
ORDER = "X01"


def law(catalogue: Catalogue, *others: Catalogue) -> Law:
    return law_of(edition_of(catalogue), others, VIEWS)


def changed(**rows: Any) -> Catalogue:
    return PRESENT.model_copy(update=rows)


def test_what_an_edition_adds_holds_when_it_is_in_force() -> None:
    penalty = next(item for item in PRESENT.items if item.code == PENALTY)
    builder = next(row for row in PRESENT.departments if row.domain == "construction")
    row = PRESENT.subscribers[0].model_copy(update={"code": "S-NEW", "department": "nobody", "families": ("M09",)})
    new = changed(
        items=(*PRESENT.items, penalty.model_copy(update={"code": "C03-NEW"})),
        departments=(*PRESENT.departments, builder.model_copy(update={"code": "150000-new"})),
        subscribers=(*PRESENT.subscribers, row),
    )
    before, after = law(PRESENT), law(new, PRESENT)
    assert set(after.disclosure.adverse_items) - set(before.disclosure.adverse_items) == {"C03-NEW"}
    senders = [set(one.cuts["construction"].senders) for one in (before, after)]
    assert senders[1] - senders[0] == {"150000-new"}
    assert families_of("nobody", None, before.rules) == {}
    assert list(families_of("nobody", None, after.rules)) == ["M09"]


def test_what_an_edition_leaves_out_stays_hidden_and_is_not_taken_for_something_else() -> None:
    without = changed(
        items=tuple(item for item in PRESENT.items if item.code != PENALTY),
        lists=tuple(row for row in PRESENT.lists if row.code != ORDER),
        departments=tuple(row for row in PRESENT.departments if row.domain != "construction"),
    )
    before, after = law(PRESENT), law(without, PRESENT)
    assert PENALTY in after.disclosure.adverse_items
    assert ORDER in after.disclosure.orders
    assert after.disclosure.listing_kinds == before.disclosure.listing_kinds
    assert after.cuts == before.cuts


def test_the_edition_in_force_says_for_how_long_adverse_facts_are_shown() -> None:
    def for_years(years: int) -> Catalogue:
        rows = (
            row.model_copy(update={"years": years}) if row.code == ADVERSE_ARE_SHOWN else row
            for row in PRESENT.retention
        )
        return changed(retention=tuple(rows))

    without = changed(retention=())
    assert law(for_years(3), PRESENT).disclosure.years == 3
    assert law(without, for_years(3)).disclosure.years == 3, "an edition of before there was such a row"
    with pytest.raises(StopError, match=ADVERSE_ARE_SHOWN):
        law(without)
    assert [one for one in problems_of(without) if ADVERSE_ARE_SHOWN in one], "nobody can propose it"


def test_an_edition_that_this_release_cannot_read_is_left_out() -> None:
    assert readable({"theirs": b'{"of": "another release"}', "ours": edition_of(PRESENT).text}) == [PRESENT]
