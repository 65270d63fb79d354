"""Text as departments send it, made comparable: spelling, document numbers, dates, amounts, masks, leaked numbers."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from creditbus.core.identifiers.citizen import (
    birth_date_of,
    is_citizen15_shape,
    is_citizen_check_right,
    is_citizen_shape,
)
from creditbus.core.identifiers.normalising import normalise_identifier
from creditbus.core.identifiers.organisation import is_organisation_check_right
from creditbus.core.identifiers.regions import PROVINCES
from creditbus.core.identifiers.uscc import is_uscc_alphabet, is_uscc_check_right

_INVISIBLE = dict.fromkeys(
    [0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF]
)
"""Soft hyphen, zero-width and direction marks: pasted from web pages, seen by nobody, break every comparison."""

_WIDE_TO_ASCII = {
    wide: wide - 0xFEE0
    for start, end in (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))
    for wide in range(ord(start), ord(end) + 1)
}
_SPELLING = _INVISIBLE | _WIDE_TO_ASCII
_UNTIDY = re.compile(rf"[{''.join(map(chr, _SPELLING))}]|[^\S ]|  |^ | $")
"""What ``normalise_text`` mends: in hardly any text."""


def normalise_text(raw: str) -> str:
    """Full-width digits, letters and spaces as ASCII, white space collapsed, invisible marks removed. Idempotent.

    Chinese punctuation stays: full NFKC would turn ，（） into , ( ) in text that is published.
    """
    return raw if _UNTIDY.search(raw) is None else " ".join(raw.translate(_SPELLING).split())


_PLAIN = re.compile(r"[\u4e00-\u9fa5〔〕0-9A-Za-z-]*")
"""Document numbers that nothing is to be done about: nearly all."""
_UNSEEN = re.compile(rf"[\s{''.join(map(chr, _INVISIBLE))}]+")
_BRACKETED_YEAR = re.compile(r"[〔\[(【{〈《]([12][0-9]{3})[〕\])】}〉》]")


def normalise_document_number(raw: str) -> str:
    """Canonical document number (文号): NFKC, no white space, the year in 〔〕, 号 as sent. Idempotent.

    "呼市监罚字 [２０２４] 第12号" → "呼市监罚字〔2024〕第12号". Any text is accepted.
    """
    if _PLAIN.fullmatch(raw) is not None:
        return raw
    text = unicodedata.normalize("NFKC", raw)
    if _UNSEEN.search(text) is not None:
        # what stood apart may compose now: hence the second NFKC
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return _BRACKETED_YEAR.sub(r"〔\1〕", text)


_EARLIEST_YEAR, _LATEST_YEAR = 1949, 2099
_EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's 1900 system for all days after its imagined 1900-02-29."""
_FIRST_COMPACT_DATE = 10_000_000

_TIME = r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_SEPARATED = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})" + _TIME)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_CHINESE = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})[日号]?" + _TIME)
_NUMERALS = re.compile(
    r"([〇零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十廿卅]{1,3})[日号]?"
)

_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_CIRCLES_AS_ZERO = dict.fromkeys(map(ord, "○◯O"), "〇")


def parse_date(value: str | int) -> date | None:
    """The day that a text or a spreadsheet cell means, or None.

    Texts: 2026-11-23, 2026/11/23, 2026.11.23 (also 2026-1-3, and with a time of day, which is dropped), 20261123,
    2026年11月23日, 二〇二六年十一月二十三日, full-width too. A time with a zone is refused: its day is unclear.
    Integers: YYYYMMDD, or Excel's serial day. Years 1949 to 2099 (2099-12-31 = 长期, without end).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _date_of_number(value)
    text = normalise_text(unicodedata.normalize("NFKC", value))
    if (match := _SEPARATED.fullmatch(text)) is not None:
        return _day(int(match[1]), int(match[3]), int(match[4]))
    if (match := _COMPACT.fullmatch(text) or _CHINESE.fullmatch(text.replace(" ", ""))) is not None:
        return _day(int(match[1]), int(match[2]), int(match[3]))
    return _date_of_numerals(text)


def _date_of_number(value: int) -> date | None:
    if value >= _FIRST_COMPACT_DATE:
        return _day(value // 10_000, value // 100 % 100, value % 100)
    if value < 1:
        return None
    try:
        day = _EXCEL_EPOCH + timedelta(days=value)
    except OverflowError:
        return None
    return day if _EARLIEST_YEAR <= day.year <= _LATEST_YEAR else None


def _date_of_numerals(text: str) -> date | None:
    match = _NUMERALS.fullmatch(text.replace(" ", "").translate(_CIRCLES_AS_ZERO))
    if match is None:
        return None
    year = int("".join(str(_DIGITS[numeral]) for numeral in match[1]))
    month, day = _below_hundred(match[2]), _below_hundred(match[3])
    return None if month is None or day is None else _day(year, month, day)


def _below_hundred(numerals: str) -> int | None:
    """Value of 一 … 九十九, also with 廿 and 卅; None when badly formed."""
    tens, ten, ones = numerals.replace("廿", "二十").replace("卅", "三十").partition("十")
    if not ten:
        return _DIGITS.get(tens)
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return None
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)


def _day(year: int, month: int, day: int) -> date | None:
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


class AmountUnit(StrEnum):
    """Unit of an amount of yuan renminbi."""

    YUAN = "元"
    """1 yuan = 100 fen; at most 2 decimals."""

    WAN_YUAN = "万元"
    """10,000 yuan, as in the 双公示 fields; at most 6 decimals."""


_DECIMALS = {AmountUnit.YUAN: 2, AmountUnit.WAN_YUAN: 6}
_AMOUNT = re.compile(r"[¥￥]?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(元|万元)?")
_MOST_FEN = 2**63 - 1


def parse_amount_fen(raw: str, unit: AmountUnit = AmountUnit.WAN_YUAN) -> int | None:
    """Whole fen (分) of an amount of money, or None.

    unit: of a bare number; a unit in the text goes before it. Commas group thousands, full-width is accepted.
    None for a negative amount, a fraction of a fen, more than 64 bits, or any other text.
    """
    text = "".join(unicodedata.normalize("NFKC", raw).split())
    match = _AMOUNT.fullmatch(text)
    if match is None or len(text) > 40:
        return None
    decimals = _DECIMALS[AmountUnit(match[3]) if match[3] else unit]
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        return None
    fen = int(match[1].replace(",", "") + fraction.ljust(decimals, "0"))
    return fen if fen <= _MOST_FEN else None


_STARS = "****"
_SHORTEST_SHOWN_NUMBER = 8


def mask_name(name: str) -> str:
    """A person's name as it may be shown: the first character, then one star, or two for all longer names.

    张三 → 张*, 欧阳锋 → 欧**, 阿拉坦苏和 → 阿**. The stars do not tell the length of long (Mongolian) names.
    """
    name = normalise_text(name)
    return name[:1] + "*" * min(len(name) - 1, 2) if len(name) > 1 else "*" * len(name)


def mask_identifier(value: str) -> str:
    """A person's document number as it may be shown.

    Citizen numbers: region and four stars (150102****); the usual 150102********0000 would show four of the seven
    characters that a birthday does not give away. Any other text of 8 or more: first and last two (E****78), also a
    mistyped citizen number; shorter: stars. Codes of legal persons are public and need no mask.
    """
    value = normalise_identifier(value)
    if is_citizen_shape(value) or is_citizen15_shape(value):
        return value[:6] + _STARS
    return value[:1] + _STARS + value[-2:] if len(value) >= _SHORTEST_SHOWN_NUMBER else _STARS


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNumber:
    """A citizen number in a text; start and end are positions in the text as given."""

    start: int
    end: int
    value: str


SHORTEST_CITIZEN_NUMBER = 18
"""Characters of a citizen number; a shorter text holds none."""
_GAP = r"[ \t\u00a0\u2000-\u200b\u3000\-‐-―－]?"
_CANDIDATE = re.compile(rf"[0-9０-９](?:{_GAP}[0-9０-９]){{16}}{_GAP}[0-9０-９XxＸｘ]")
_CODE_CHARACTER = re.compile(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]")


def find_citizen_numbers(text: str) -> tuple[FoundNumber, ...]:
    """Citizen numbers (18 characters) in free text, full-width or with single gaps too; for the ingest filter.

    A number counts when province, birth date and check character are right, it is not part of a longer code, and it
    is not a right USCC as well (of the citizen numbers of a few prefectures one in 300 is, and is missed).
    """
    found = []
    match = _CANDIDATE.search(text)
    while match is not None:
        value = normalise_identifier(match[0])
        is_found = _stands_alone(text, match) and _is_citizen_number(value)
        if is_found:
            found.append(FoundNumber(start=match.start(), end=match.end(), value=value))
        match = _CANDIDATE.search(text, match.end() if is_found else match.start() + 1)
    return tuple(found)


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not (_CODE_CHARACTER.match(before) or _CODE_CHARACTER.match(after))


def _is_citizen_number(value: str) -> bool:
    return (
        value[:2] in PROVINCES
        and birth_date_of(value) is not None
        and is_citizen_check_right(value)
        and not _is_uscc(value)
    )


def _is_uscc(value: str) -> bool:
    return (
        value[2:4] in PROVINCES
        and is_uscc_alphabet(value)
        and is_uscc_check_right(value)
        and is_organisation_check_right(value[8:17])
    )
