"""Unified social credit codes (统一社会信用代码, GB 32100-2015): alphabet and check character.

python-stdnum knows the same check but wants digits in front, which refuses the authorities A, N and Y, and is too
slow for the stream; the tests compare with it.

The weights are powers of 3 modulo 31, and 34 = 3 modulo 31: so the weighted sum is the remainder of the reversed code
read as a number of base 34, which int() does in a fraction of the time of a sum over characters.
"""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z. The value of a character is its index."""

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTU"
"""What int() reads as the values 0 to 30."""
_NO_DIGIT = 0x21
_TO_DIGITS = bytes(_DIGITS[ALPHABET.index(chr(byte))] if chr(byte) in ALPHABET else _NO_DIGIT for byte in range(256))


def uscc_check(body: str) -> str:
    """Check character for the first 17 characters.

    Raises ValueError when a character is outside the alphabet.
    Source: GB 32100-2015, weights 3^i mod 31 for i = 0 … 16.
    """
    return ALPHABET[-_weighted_sum(body) % 31]


def is_uscc_alphabet(value: str) -> bool:
    """Whether all characters are of the alphabet."""
    return _NO_DIGIT not in value.encode("ascii", "replace").translate(_TO_DIGITS)


def is_uscc_check_right(value: str) -> bool:
    """Whether the 18th character of a code of the right alphabet is the computed one."""
    return uscc_check(value[:17]) == value[17]


def _weighted_sum(body: str) -> int:
    return int(body.encode("ascii", "replace").translate(_TO_DIGITS)[::-1], 34) % 31
