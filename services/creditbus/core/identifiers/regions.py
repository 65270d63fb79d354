"""Region codes (GB/T 2260) as a dated value, and what may be said of one code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from creditbus.core.identifiers.schemes import Flag

PROVINCES: frozenset[str] = frozenset(
    str(code)
    for block in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(block[0], block[1] + 1)
)
"""First two digits of GB/T 2260; 83 is used in residence permits of Taiwan residents."""

REGISTRARS: frozenset[str] = frozenset({"10", "99"})
"""Registering bodies that are no province: the national level, and the Xinjiang corps (兵团)."""

NONE: frozenset[Flag] = frozenset()
_UNKNOWN = frozenset({Flag.REGION_UNKNOWN})
_RETIRED = frozenset({Flag.REGION_RETIRED})
_NO_PROVINCE = frozenset({Flag.PROVINCE_UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpan:
    """When a region code is valid, and what came after it."""

    valid_from: date | None = None
    """First day; None: since before any record."""
    valid_to: date | None = None
    """First day on which it is no longer valid; None: current."""
    successor: str | None = None
    """Code to look under today; None where the unit was dissolved or is current."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionTable:
    """The regions known to one catalogue edition.

    Only the provinces in `detailed` are held down to counties. Elsewhere the national rule applies alone: the first
    two digits must be a known province, and a county that is not in `spans` is no error.
    Compared and hashed by identity, since grading memoises by it: build one per catalogue edition.
    """

    spans: Mapping[str, RegionSpan]
    detailed: frozenset[str] = frozenset({"15"})
    provinces: frozenset[str] = PROVINCES
    registrars: frozenset[str] = REGISTRARS
    legacy_check_provinces: frozenset[str] = frozenset({"35"})
    """Provinces whose pilot issued USCCs with another check character (福建); see Flag.LEGACY_CHECK_MISMATCH."""


def registrar_flags(regions: RegionTable, code: str, as_of: date | None) -> frozenset[Flag]:
    """What is to be said of the region of a registering authority; `code` has six digits."""
    if code[:2] in regions.registrars:
        return NONE
    return region_flags(regions, code, as_of)


def region_flags(regions: RegionTable, code: str, as_of: date | None) -> frozenset[Flag]:
    """What is to be said of a region of people: nothing, unknown, retired by `as_of` (None: ever), no province."""
    province = code[:2]
    if province not in regions.provinces:
        return _NO_PROVINCE
    span = regions.spans.get(code)
    if span is not None:
        return _RETIRED if _is_over(span, as_of) else NONE
    if province not in regions.detailed:
        return NONE
    # old leagues are often held without their counties: a county of a retired league is retired, not unknown
    league = regions.spans.get(code[:4] + "00")
    return _RETIRED if league is not None and _is_over(league, as_of) else _UNKNOWN


def current_region(regions: RegionTable, code: str) -> str:
    """The code under which to look today: successors followed, a county of a retired league moved to its heir.

    Returns `code` itself where nothing is known of a successor.
    """
    seen = {code}
    while (successor := _successor(regions, code)) is not None and successor not in seen:
        seen.add(successor)
        code = successor
    return code


def wholes_of(code: str) -> tuple[str, str, str]:
    """A county, its league or city, and its region (GB/T 2260), from the nearest on; of a league itself twice."""
    return code, code[:4] + "00", code[:2] + "0000"


def covers(whole: str, part: str) -> bool:
    """Whether a region, league or county is part of another one, or the same."""
    return whole in wholes_of(part)


def lies_in(regions: RegionTable, code: str, whole: str) -> bool:
    """Whether what was decided under a region code belongs to a region of today; "" is everywhere."""
    return not whole or covers(whole, current_region(regions, code))


def codes_in(regions: RegionTable, whole: str) -> list[str]:
    """Every known code, of today or earlier, of what belongs to a region; the region's own code at least."""
    return sorted({whole, *(code for code in regions.spans if lies_in(regions, code, whole))})


def _successor(regions: RegionTable, code: str) -> str | None:
    span = regions.spans.get(code) or regions.spans.get(code[:4] + "00")
    return None if span is None or span.valid_to is None else span.successor


def _is_over(span: RegionSpan, as_of: date | None) -> bool:
    return span.valid_to is not None and (as_of is None or span.valid_to <= as_of)
