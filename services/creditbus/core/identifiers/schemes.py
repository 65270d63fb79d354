"""The vocabulary of identifiers: schemes, flags, the graded result, and the table of authorities."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """Which standard an identifier claims to follow."""

    USCC = "uscc"
    """统一社会信用代码, GB 32100-2015: 18 characters."""

    ORGANISATION = "organisation"
    """组织机构代码, GB 11714-1997: 8 characters and a check character."""

    CITIZEN = "citizen"
    """公民身份号码, GB 11643-1999: 18 characters, or 15 digits as issued until 1999."""

    REGISTRATION = "registration"
    """工商注册号, GS 15-2006: 15 digits."""

    TAX = "tax"
    """纳税人识别号: 6 digits of region and an organisation code, or (since 2015) the USCC."""


class Flag(StrEnum):
    """What grading found; see BLOCKING for those that forbid to derive a subject."""

    FORMAT = "format"
    """Wrong length, or a letter where the standard has a digit. Other checks were not made."""

    ALPHABET = "alphabet"
    """A character that the standard does not use (I, O, S, V, Z in a USCC). Other checks were not made."""

    CHECK18 = "check18"
    """The 18th character of a USCC or citizen number is not the computed one."""

    CHECK15 = "check15"
    """The 15th digit of a registration number is not the computed one."""

    CHECK_ORG = "check_org"
    """The check character of the organisation code, alone or inside a longer code, is not the computed one."""

    PROVINCE_UNKNOWN = "province_unknown"
    """The first two digits of the region are no province of GB/T 2260 and no registering body of the nation."""

    REGION_UNKNOWN = "region_unknown"
    """The province is held in detail and does not have this county. Possibly newer than the table."""

    REGION_RETIRED = "region_retired"
    """The region code was valid once and has been replaced; codes issued under it stay valid."""

    AUTH_TYPE_UNKNOWN = "auth_type_unknown"
    """The first two characters of a USCC are no known authority and type. Possibly newer than the table."""

    LEGACY_CHECK_MISMATCH = "legacy_check_mismatch"
    """Check character differs, organisation code right, province of the early pilot: legally issued, to be reviewed."""

    LEGACY_15 = "legacy_15"
    """Sent as a 15-digit citizen number and converted; the check digit is ours and proves nothing."""

    BIRTH_DATE = "birth_date"
    """The birth date of a citizen number is no date, before 1850, or after the day of grading."""

    NOT_IN_MASTER = "not_in_master"
    """Not in the national master feed of codes. Added by whoever holds that feed, never by grade()."""


BLOCKING: frozenset[Flag] = frozenset(
    {
        Flag.FORMAT,
        Flag.ALPHABET,
        Flag.CHECK18,
        Flag.CHECK15,
        Flag.CHECK_ORG,
        Flag.PROVINCE_UNKNOWN,
        Flag.BIRTH_DATE,
    }
)
"""Flags under which no subject may be derived. All others annotate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """An identifier after grading."""

    scheme: Scheme
    value: str
    """Normalised; a 15-digit citizen number is converted to 18."""
    flags: frozenset[Flag]
    organisation_code: str | None
    """9 characters without hyphen; only where its own check character is right."""
    region: str | None
    """6 digits of the registering authority or, for a citizen, of the first household registration."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AuthorityTypes:
    """Class of subject by registering authority and type of organisation (GB 32100, table 1 and amendments).

    Compared and hashed by identity, since grading memoises by it: build one per catalogue edition.
    """

    classes: Mapping[str, str]
    """First two characters of a USCC → class, such as "11" → "organ"."""
