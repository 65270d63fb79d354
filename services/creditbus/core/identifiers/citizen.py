"""Citizen numbers (公民身份号码, GB 11643-1999): shape, check, birth date, conversion of 15 digits."""

import re
from datetime import date

from stdnum.cn import ric

_EARLIEST_BIRTH_YEAR = 1850

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN = re.compile(r"[0-9]{15}")


def is_citizen_shape(value: str) -> bool:
    """Whether `value` (normalised) is 17 digits and a digit or X."""
    return _EIGHTEEN.fullmatch(value) is not None


def is_citizen15_shape(value: str) -> bool:
    """Whether `value` (normalised) is 15 digits, as issued until 1999."""
    return _FIFTEEN.fullmatch(value) is not None


def citizen_check(body: str) -> str:
    """Check character for the first 17 digits. Source: GB 11643-1999, ISO 7064 MOD 11-2."""
    # the library wants the whole number and leaves its last character out
    check: str = ric.calc_check_digit(body + "0")
    return check


def is_citizen_check_right(value: str) -> bool:
    """Whether the 18th character of a number of the right shape is the computed one."""
    return citizen_check(value[:17]) == value[17]


def to_eighteen(fifteen: str) -> str:
    """The 18 characters of a 15-digit number: century 19 inserted, check character appended.

    Source: GB 11643-1999; the few holders born before 1900 (sequence 996 to 999) are not told apart.
    """
    body = fifteen[:6] + "19" + fifteen[6:]
    return body + citizen_check(body)


def birth_date_of(value: str) -> date | None:
    """Birth date in a number of the right shape; None when there is no such day or it is before 1850."""
    year = int(value[6:10])
    if year < _EARLIEST_BIRTH_YEAR:
        return None
    try:
        return date(year, int(value[10:12]), int(value[12:14]))
    except ValueError:
        return None
