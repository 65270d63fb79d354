"""A region stands for everything that belongs to it, whatever code that was reported under."""

from __future__ import annotations

import pytest

from creditbus.catalogue.editions import compile_rules, edition_of
from creditbus.catalogue.loader import load
from creditbus.core.identifiers import codes_in, lies_in

REGIONS = compile_rules(edition_of(load())).regions


@pytest.mark.parametrize("whole", sorted({code[:4] + "00" for code in REGIONS.spans} | {"150000"}))
def test_the_codes_of_a_region_are_those_that_lie_in_it(whole: str) -> None:
    codes = codes_in(REGIONS, whole)
    assert whole in codes
    assert set(codes) - {whole} == {code for code in REGIONS.spans if lies_in(REGIONS, code, whole)} - {whole}


def test_a_city_has_its_districts_and_a_place_elsewhere_only_itself() -> None:
    assert {"150100", "150102", "150105"} <= set(codes_in(REGIONS, "150100"))
    assert "150202" not in codes_in(REGIONS, "150100")
    assert codes_in(REGIONS, "110105") == ["110105"]
