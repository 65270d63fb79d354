"""Organisation codes (组织机构代码, GB 11714-1997): alphabet and check character.

The weights 3 7 9 10 5 8 4 2 are falling powers of 2 modulo 11, and 13 = 2 modulo 11: so the weighted sum is twice the
remainder of the code read as a number of base 13, each character standing for its value modulo 11.
"""

import re

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_DIGIT = 0x21
_TO_DIGITS = bytes(
    b"0123456789A"[_ALPHABET.index(chr(byte)) % 11] if chr(byte) in _ALPHABET else _NO_DIGIT for byte in range(256)
)
_CHECKS = "0X987654321"
"""Check character by remainder: 11 - r, with 10 written X and 11 written 0."""

_SHAPE = re.compile(r"[0-9A-Z]{8}[0-9X]")


def organisation_check(body: str) -> str:
    """Check character for the first 8 characters, which are ASCII digits and capitals.

    Raises ValueError for any other character. Source: GB 11714-1997.
    """
    return _CHECKS[int(body.encode("ascii", "replace").translate(_TO_DIGITS), 13) * 2 % 11]


def is_organisation_shape(code: str) -> bool:
    """Whether `code` (normalised, no hyphen) has 8 digits or capitals and a digit or X."""
    return _SHAPE.fullmatch(code) is not None


def is_organisation_check_right(code: str) -> bool:
    """Whether the 9th character of a code of the right shape is the computed one."""
    return organisation_check(code[:8]) == code[8]
