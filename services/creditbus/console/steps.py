"""What the console decides: which texts can be identifiers, and how the stated purpose goes to the look-up API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote

from creditbus.core.identifiers import Flag, Graded, RegionTable, Scheme, grade, is_blocked, normalise_identifier

_LONGEST_CHARACTERS = 128
_LONGEST_BASIS = 200
_PERSON_KEY = "p:"
"""Beginning of the key of a natural person: a token that tells nothing, as orders and listings quote it."""


class Fault(StrEnum):
    """Why a text is not looked up; problems.py has the words."""

    EMPTY = "no-identifier"
    """Nothing was entered."""
    NOT_AN_IDENTIFIER = "not-an-identifier"
    """No standard has such a shape: a name, or a code with characters missing."""
    CITIZEN = "citizen-number"
    """A person's number, which must not stand in an address."""
    ALPHABET = "alphabet"
    """A character that unified codes do not use."""
    CHECK_ORGANISATION = "check-organisation"
    """The check character of the organisation code, alone or within a longer code."""
    CHECK_LAST = "check-last"
    """The 18th character."""
    CHECK_FIFTEEN = "check-fifteen"
    """The 15th digit of a registration number."""
    PROVINCE = "province"
    """The region that the code names."""


_BY_FLAG: Mapping[Flag, Fault] = {
    Flag.ALPHABET: Fault.ALPHABET,
    Flag.CHECK_ORG: Fault.CHECK_ORGANISATION,
    Flag.CHECK18: Fault.CHECK_LAST,
    Flag.CHECK15: Fault.CHECK_FIFTEEN,
    Flag.PROVINCE_UNKNOWN: Fault.PROVINCE,
}
_BY_LENGTH: Mapping[int, tuple[Scheme, ...]] = {
    9: (Scheme.ORGANISATION,),
    15: (Scheme.REGISTRATION, Scheme.TAX),
    18: (Scheme.USCC,),
}
_REGIONS = RegionTable(spans={}, detailed=frozenset())
"""Provinces only: which counties there are is the look-up's to say."""


def check_identifier(text: str) -> str | Fault:
    """The identifier as it is looked up, or what is wrong with it. Nothing is looked up, so nothing is audited."""
    if text.startswith(_PERSON_KEY) and len(text) <= _LONGEST_CHARACTERS:
        return text
    value = normalise_identifier(text[:_LONGEST_CHARACTERS])
    if not value:
        return Fault.EMPTY
    graded = [grade(scheme, value, _REGIONS) for scheme in _BY_LENGTH.get(len(value), ())]
    if any(not is_blocked(one) for one in graded):
        return value
    if not is_blocked(grade(Scheme.CITIZEN, value, _REGIONS)):
        return Fault.CITIZEN
    return _fault_of(graded)


def _fault_of(graded: list[Graded]) -> Fault:
    return next((_BY_FLAG[flag] for one in graded for flag in _BY_FLAG if flag in one.flags), Fault.NOT_AN_IDENTIFIER)


def stated(purpose: str, basis: str) -> dict[str, str]:
    """Purpose and basis as headers. A header holds ASCII only, so the basis is percent-encoded UTF-8."""
    return {"X-Purpose": quote(purpose[:40]), "X-Basis": quote(basis.strip()[:_LONGEST_BASIS], safe=" :/()[]-_.,")}


def comes_from_elsewhere(fetch_site: str | None) -> bool:
    """Whether another site's page asks: it could not read the answer, but the look-up would be in the ledger.

    fetch_site: the header Sec-Fetch-Site, which pages cannot set; programs without it are no browsers.
    """
    return fetch_site in ("cross-site", "same-site")
