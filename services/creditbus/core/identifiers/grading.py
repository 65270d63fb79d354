"""Grading of identifiers: from a text to flags, and from there to the subject that it names."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from creditbus.core.identifiers.citizen import (
    birth_date_of,
    is_citizen15_shape,
    is_citizen_check_right,
    is_citizen_shape,
    to_eighteen,
)
from creditbus.core.identifiers.normalising import normalise_identifier
from creditbus.core.identifiers.organisation import is_organisation_check_right, is_organisation_shape
from creditbus.core.identifiers.regions import NONE, RegionTable, region_flags, registrar_flags
from creditbus.core.identifiers.registration import is_registration_check_right, is_registration_shape
from creditbus.core.identifiers.schemes import BLOCKING, AuthorityTypes, Flag, Graded, Scheme
from creditbus.core.identifiers.uscc import is_uscc_alphabet, is_uscc_check_right

_USCC_LENGTH = 18
_SOLE_TRADER = "92"
_CACHED_CODES = 16_384
"""Departments and busy firms recur all day; an entry takes about half a kilobyte."""
_LONGEST_REMEMBERED = 32
"""A text of any length must not stay in memory."""

_FORMAT = frozenset({Flag.FORMAT})
_ALPHABET = frozenset({Flag.ALPHABET})
_LEGACY = frozenset({Flag.LEGACY_CHECK_MISMATCH})
_CHECK18 = frozenset({Flag.CHECK18})
_CHECK_ORG = frozenset({Flag.CHECK_ORG})
_AUTH_TYPE = frozenset({Flag.AUTH_TYPE_UNKNOWN})

_Grader: TypeAlias = Callable[[str, RegionTable, AuthorityTypes | None, date | None], Graded]


def grade(
    scheme: Scheme,
    raw: str,
    regions: RegionTable,
    authority_types: AuthorityTypes | None = None,
    as_of: date | None = None,
) -> Graded:
    """Grade any text as an identifier of `scheme`; never raises.

    authority_types: None leaves Flag.AUTH_TYPE_UNKNOWN out.
    as_of: business day; a region that ends later is not yet retired, a birth after it is impossible. None: a region
    that ever ended is retired, and births are not compared.
    """
    if scheme is Scheme.USCC and len(raw) <= _LONGEST_REMEMBERED:
        return _grade_again(raw, regions, authority_types, as_of)
    return _GRADERS[scheme](normalise_identifier(raw), regions, authority_types, as_of)


def is_blocked(graded: Graded) -> bool:
    """Whether a flag forbids to derive a subject."""
    return not BLOCKING.isdisjoint(graded.flags)


def subject_key_of(graded: Graded) -> str | None:
    """Key of a legal person or sole trader: the organisation code, 9 characters.

    None when a flag blocks, and for citizen and registration numbers: these need the identity table.
    """
    return None if is_blocked(graded) else graded.organisation_code


def is_sole_trader(uscc: str) -> bool:
    """Whether a normalised USCC is that of a sole trader (个体工商户, 92…), treated as a natural person."""
    return uscc.startswith(_SOLE_TRADER)


def subject_class_of(uscc: str, authority_types: AuthorityTypes) -> str | None:
    """Class of subject of a normalised USCC by authority and type; None when the table lacks them."""
    return authority_types.classes.get(uscc[:2])


@lru_cache(maxsize=_CACHED_CODES)
def _grade_again(raw: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    return _grade_uscc(normalise_identifier(raw), regions, types, as_of)


def _grade_uscc(value: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    if len(value) != _USCC_LENGTH:
        return _refused(Scheme.USCC, value, _FORMAT)
    if not is_uscc_alphabet(value):
        return _refused(Scheme.USCC, value, _ALPHABET)
    region = value[2:8]
    if not region.isdigit():
        return _refused(Scheme.USCC, value, _FORMAT)
    flags = registrar_flags(regions, region, as_of)
    organisation: str | None = value[8:17]
    if not is_organisation_check_right(value[8:17]):
        flags |= _CHECK_ORG
        organisation = None
    if not is_uscc_check_right(value):
        is_legacy = organisation is not None and region[:2] in regions.legacy_check_provinces
        flags |= _LEGACY if is_legacy else _CHECK18
    if types is not None and value[:2] not in types.classes:
        flags |= _AUTH_TYPE
    return Graded(scheme=Scheme.USCC, value=value, flags=flags, organisation_code=organisation, region=region)


def _grade_organisation(value: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    if not is_organisation_shape(value):
        return _refused(Scheme.ORGANISATION, value, _FORMAT)
    return _with_organisation(Scheme.ORGANISATION, value, value, NONE, None)


def _grade_tax(value: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    """Since 2015 the tax number of an organisation is its USCC, so 18 characters are graded as one."""
    if len(value) == _USCC_LENGTH:
        return _grade_again(value, regions, types, as_of)
    region, organisation = value[:6], value[6:]
    if not (region.isascii() and region.isdigit() and is_organisation_shape(organisation)):
        return _refused(Scheme.TAX, value, _FORMAT)
    return _with_organisation(Scheme.TAX, value, organisation, registrar_flags(regions, region, as_of), region)


def _grade_citizen(value: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    # never memoised: citizen numbers do not stay in memory
    flags = set()
    if is_citizen15_shape(value):
        value = to_eighteen(value)
        flags.add(Flag.LEGACY_15)
    if not is_citizen_shape(value):
        return _refused(Scheme.CITIZEN, value, _FORMAT)
    if not is_citizen_check_right(value):
        flags.add(Flag.CHECK18)
    birth = birth_date_of(value)
    if birth is None or (as_of is not None and birth > as_of):
        flags.add(Flag.BIRTH_DATE)
    region = value[:6]
    found = region_flags(regions, region, as_of).union(flags)
    return Graded(scheme=Scheme.CITIZEN, value=value, flags=found, organisation_code=None, region=region)


def _grade_registration(value: str, regions: RegionTable, types: AuthorityTypes | None, as_of: date | None) -> Graded:
    if not is_registration_shape(value):
        return _refused(Scheme.REGISTRATION, value, _FORMAT)
    flags = registrar_flags(regions, value[:6], as_of)
    if not is_registration_check_right(value):
        flags |= {Flag.CHECK15}
    return Graded(scheme=Scheme.REGISTRATION, value=value, flags=flags, organisation_code=None, region=value[:6])


def _with_organisation(
    scheme: Scheme, value: str, organisation: str, flags: frozenset[Flag], region: str | None
) -> Graded:
    if is_organisation_check_right(organisation):
        return Graded(scheme=scheme, value=value, flags=flags, organisation_code=organisation, region=region)
    return Graded(scheme=scheme, value=value, flags=flags | _CHECK_ORG, organisation_code=None, region=region)


def _refused(scheme: Scheme, value: str, flags: frozenset[Flag]) -> Graded:
    return Graded(scheme=scheme, value=value, flags=flags, organisation_code=None, region=None)


_GRADERS: MappingProxyType[Scheme, _Grader] = MappingProxyType(
    {
        Scheme.USCC: _grade_uscc,
        Scheme.ORGANISATION: _grade_organisation,
        Scheme.CITIZEN: _grade_citizen,
        Scheme.REGISTRATION: _grade_registration,
        Scheme.TAX: _grade_tax,
    }
)
