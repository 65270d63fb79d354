"""Registration numbers (工商注册号, GS 15-2006): shape and check digit."""

import re

from stdnum.iso7064 import mod_11_10

_SHAPE = re.compile(r"[0-9]{15}")


def is_registration_shape(value: str) -> bool:
    """Whether `value` (normalised) is 15 digits."""
    return _SHAPE.fullmatch(value) is not None


def registration_check(body: str) -> str:
    """Check digit for the first 14 digits. Source: GS 15-2006, ISO 7064 MOD 11,10."""
    check: str = mod_11_10.calc_check_digit(body)
    return check


def is_registration_check_right(value: str) -> bool:
    """Whether the 15th digit of a number of the right shape is the computed one."""
    return registration_check(value[:14]) == value[14]
