"""Synthetic identifiers for fixtures and the simulator: right by every check, from sequences not known to be issued."""

from datetime import date

from creditbus.core.identifiers.citizen import citizen_check
from creditbus.core.identifiers.organisation import organisation_check
from creditbus.core.identifiers.uscc import ALPHABET, uscc_check

SYNTHETIC_PREFIX = "YY"
"""First characters of every synthetic organisation code."""

_SEQUENCE_LENGTH = 6
_SEQUENCES = 31**_SEQUENCE_LENGTH


def synthetic_uscc(authority_type: str, region: str, sequence: int) -> str:
    """A USCC with right check characters, from a sequence that is not known to be issued.

    authority_type: two characters, such as "91"; region: six digits; sequence: 0 to 31^6 - 1, written in base 31.
    The body is YY and the sequence: no issued body is known to begin so (digits, or L or M first). The MA0
    of hand-made fixtures is a prefix that real firms have, so thousands of generated codes could hit some of them.
    The organisation code, hence the subject, depends on the sequence alone.
    Raises ValueError when an argument does not fit.
    """
    if not 0 <= sequence < _SEQUENCES:
        raise ValueError(f"sequence is {sequence}; use 0 to {_SEQUENCES - 1}")
    if len(authority_type) != 2 or any(character not in ALPHABET for character in authority_type):
        raise ValueError(f"authority_type is {authority_type!r}; use two characters of {ALPHABET}")
    _require_region(region)
    body = SYNTHETIC_PREFIX + _in_base_31(sequence)
    code = authority_type + region + body + organisation_check(body)
    return code + uscc_check(code)


def synthetic_citizen(region: str, birth: date) -> str:
    """A citizen number with the sequence 000, which is never issued, and a right check character.

    Raises ValueError when the region is not six digits.
    """
    _require_region(region)
    body = f"{region}{birth:%Y%m%d}000"
    return body + citizen_check(body)


def _require_region(region: str) -> None:
    if not (len(region) == 6 and region.isascii() and region.isdigit()):
        raise ValueError(f"region is {region!r}; use six digits")


def _in_base_31(number: int) -> str:
    digits = ""
    for _ in range(_SEQUENCE_LENGTH):
        number, value = divmod(number, 31)
        digits = ALPHABET[value] + digits
    return digits
