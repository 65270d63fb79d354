"""Text as sent: spelling, document numbers, dates, amounts, masks and leaked citizen numbers."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc
from creditbus.core.identifiers.citizen import is_citizen_check_right, is_citizen_shape
from creditbus.core.identifiers.organisation import organisation_check
from creditbus.core.identifiers.uscc import uscc_check
from creditbus.core.text import (
    AmountUnit,
    find_citizen_numbers,
    mask_identifier,
    mask_name,
    normalise_document_number,
    normalise_text,
    parse_amount_fen,
    parse_date,
)

CITIZEN = "11010519491231002X"  # the example of the standard
WIDE = str.maketrans("0123456789X -.", "０１２３４５６７８９Ｘ　－．")
DAYS = st.dates(date(1949, 1, 1), date(2099, 12, 31))
tricky = st.text(
    st.one_of(
        st.characters(), st.sampled_from("0123456789０９Xx〔〕[]()（）【】 \u3000\u200b\u0301号年月日一十〇.,-/¥元万")
    )
)


class TestSpelling:
    def test_width_and_space_are_unified_and_punctuation_stays(self) -> None:
        assert normalise_text(" 内蒙古ＡＢＣ\u3000（集团），\u200b１２３\t号 ") == "内蒙古ABC （集团），123 号"

    @given(tricky)
    def test_twice_equals_once(self, raw: str) -> None:
        assert normalise_text(normalise_text(raw)) == normalise_text(raw)

    @given(st.text(st.sampled_from("内A１Ｂ \u3000\u00a0\t\n\x1c\u0085\u2028\u200b\u00ad\ufeff，")))
    def test_leaves_text_alone_only_where_nothing_is_to_be_done(self, raw: str) -> None:
        """White space as str.split has it, of which regular expressions need not have the same idea."""
        assert normalise_text(raw).split() == normalise_text(raw + "\t").split()
        assert normalise_text(raw) == normalise_text(raw + "\t")


class TestDocumentNumber:
    @pytest.mark.parametrize(
        "raw",
        [
            "呼市监罚字〔2024〕12号",
            "呼市监罚字[2024]12号",
            "呼市监罚字(2024)12号",
            "呼市监罚字（２０２４）１２号",
            "呼市监罚字【2024】12号",
            "呼市监罚字［2024］12 号",
            " 呼市监罚字 〔 2024 〕\u200b12号\n",
            "呼市监罚字[2024）12号",
        ],
    )
    def test_all_spellings_of_one_number_are_equal(self, raw: str) -> None:
        assert normalise_document_number(raw) == "呼市监罚字〔2024〕12号"

    def test_brackets_around_anything_but_a_year_stay(self) -> None:
        assert normalise_document_number("许可（经营）第12号") == "许可(经营)第12号"

    @given(tricky)
    def test_twice_equals_once_for_any_text(self, raw: str) -> None:
        once = normalise_document_number(raw)
        assert normalise_document_number(once) == once
        assert re.search(r"\s", once) is None


def in_numerals(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else "一二三四五六七八九"[tens - 1] + "十"
    return head + ("" if ones == 0 else "一二三四五六七八九"[ones - 1])


class TestDate:
    @given(DAYS)
    def test_every_usual_spelling_gives_the_same_day(self, day: date) -> None:
        year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))
        spellings = [
            f"{day:%Y-%m-%d}",
            f"{day:%Y/%m/%d}",
            f"{day:%Y.%m.%d}",
            f"{day:%Y%m%d}",
            f"{day:%Y年%m月%d日}",
            f"{day.year}年 {day.month}月 {day.day}日",
            f"{day.year}-{day.month}-{day.day}",
            f"{day:%Y-%m-%d} 00:00:00",
            f"{year}年{in_numerals(day.month)}月{in_numerals(day.day)}日",
        ]
        for spelling in spellings:
            assert parse_date(spelling) == day, spelling
            assert parse_date(spelling.translate(WIDE)) == day, spelling
        assert parse_date(int(f"{day:%Y%m%d}")) == day
        assert parse_date((day - date(1899, 12, 30)) // timedelta(days=1)) == day

    def test_known_days(self) -> None:
        assert parse_date("二〇二六年十一月二十三日") == date(2026, 11, 23)
        assert parse_date("二○二六年十一月廿三日") == date(2026, 11, 23)
        assert parse_date(46349) == date(2026, 11, 23)
        assert parse_date("2099-12-31") == date(2099, 12, 31)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "2026-02-30",
            "2026-13-01",
            "1948-12-31",
            "2100-01-01",
            "2026-11/23",
            "23.11.2026",
            "2026-W47-1",
            "2026-11-23T23:00:00Z",
            "2026-11-23T23:00:00+08:00",
            "二〇二六年十十月一日",
            "二〇二六年十三月一日",
            "长期",
            "46349",
            0,
            -1,
            1,
            20261323,
            10**30,
            True,
        ],
    )
    def test_what_is_no_day_gives_none(self, value: str | int) -> None:
        assert parse_date(value) is None

    @given(st.one_of(tricky, st.integers()))
    def test_any_value_gives_a_day_in_bounds_or_none(self, value: str | int) -> None:
        day = parse_date(value)
        assert day is None or 1949 <= day.year <= 2099


class TestAmount:
    @pytest.mark.parametrize(
        ("raw", "fen"),
        [
            ("1", 1_000_000),
            ("0.000001", 1),
            ("12.345678", 12_345_678),
            ("1,234.5", 1_234_500_000),
            ("0.5000000000", 500_000),
            ("１２．５万元", 12_500_000),
            ("¥1,234.56元", 123_456),
            ("0", 0),
        ],
    )
    def test_an_amount_becomes_whole_fen(self, raw: str, fen: int) -> None:
        assert parse_amount_fen(raw) == fen

    def test_the_unit_of_a_bare_number_is_the_callers(self) -> None:
        assert parse_amount_fen("12.34", AmountUnit.YUAN) == 1_234
        assert parse_amount_fen("12.34万元", AmountUnit.YUAN) == 12_340_000

    @pytest.mark.parametrize(
        "raw",
        ["", "-1", "－1", "0.0000001", "1.005元", "1,23", "1e3", "１２亿", "abc", ".5", "1.", "9" * 30, "9" * 5000],
    )
    def test_what_is_negative_inexact_or_no_amount_gives_none(self, raw: str) -> None:
        assert parse_amount_fen(raw) is None

    @given(st.integers(0, 10**17))
    def test_fen_written_in_either_unit_come_back(self, fen: int) -> None:
        assert parse_amount_fen(f"{Decimal(fen).scaleb(-6):f}") == fen
        assert parse_amount_fen(f"{Decimal(fen).scaleb(-2):,f}元") == fen

    @given(tricky)
    def test_any_text_gives_an_amount_or_none(self, raw: str) -> None:
        fen = parse_amount_fen(raw)
        assert fen is None or fen >= 0


class TestMasks:
    @pytest.mark.parametrize(
        ("name", "masked"),
        [("张三", "张*"), ("欧阳锋", "欧**"), ("阿拉坦苏和", "阿**"), ("李", "*"), ("", ""), (" 王 五 ", "王**")],
    )
    def test_a_name_keeps_its_first_character(self, name: str, masked: str) -> None:
        assert mask_name(name) == masked

    @pytest.mark.parametrize(
        ("value", "masked"),
        [
            (CITIZEN, "110105****"),
            (CITIZEN.translate(WIDE), "110105****"),
            ("110105491231002", "110105****"),
            ("E12345678", "E****78"),
            ("1101051949123100", "1****00"),
            ("1234567", "****"),
            ("", "****"),
        ],
    )
    def test_a_number_shows_no_more_than_its_region(self, value: str, masked: str) -> None:
        assert mask_identifier(value) == masked

    @given(tricky)
    def test_a_mask_never_shows_four_characters_of_what_is_not_a_citizen_number(self, raw: str) -> None:
        assert len(mask_name(raw)) <= 3
        assert len(mask_identifier(raw).replace("*", "")) <= 6


class TestCitizenNumbersInText:
    @pytest.mark.parametrize(
        "written",
        [
            CITIZEN,
            CITIZEN.lower(),
            CITIZEN.translate(WIDE),
            "110105 19491231 002X",
            "110105-19491231-002X",
            "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X",
        ],
    )
    def test_a_number_is_found_however_it_is_written(self, written: str) -> None:
        text = f"当事人张某（身份证号：{written}）于2024年3月销售，第3 条。"
        (found,) = find_citizen_numbers(text)
        assert found.value == CITIZEN
        assert text[found.start : found.end] == written

    def test_all_numbers_are_found_even_after_other_digits(self) -> None:
        other = synthetic_citizen("150102", date(1990, 1, 1))
        assert [found.value for found in find_citizen_numbers(f"共2 {CITIZEN}，{other}")] == [CITIZEN, other]

    @pytest.mark.parametrize(
        "text",
        [
            "呼市监罚字〔2024〕150102199001010001号",  # check character wrong
            "914403001922038216",
            "111500000115123431",
            "许可证编号JY" + CITIZEN,
            CITIZEN + "1",
            "9" + CITIZEN,
            "110105194913310025",
            "账号6222021234567890123",
            "二〇二四年",
            "",
        ],
    )
    def test_other_codes_do_not_fire(self, text: str) -> None:
        assert find_citizen_numbers(text) == ()

    @given(st.integers(0, 31**6 - 1), st.sampled_from(["11", "12", "51", "91", "92"]))
    def test_a_unified_code_does_not_fire(self, sequence: int, authority_type: str) -> None:
        assert find_citizen_numbers(synthetic_uscc(authority_type, "150102", sequence)) == ()

    def test_an_all_digit_unified_code_that_reads_as_a_citizen_number_does_not_fire(self) -> None:
        assert find_citizen_numbers(ambiguous_code()) == ()

    @given(tricky, st.dates(date(1900, 1, 1), date(2026, 1, 1)), tricky)
    def test_a_number_between_chinese_text_is_always_found(self, before: str, birth: date, after: str) -> None:
        number = synthetic_citizen("150102", birth)
        assert number in {found.value for found in find_citizen_numbers(f"{before}号{number}号{after}")}

    @given(tricky)
    def test_any_text_is_searched(self, text: str) -> None:
        for found in find_citizen_numbers(text):
            assert 18 <= found.end - found.start <= 35


def ambiguous_code() -> str:
    """A right USCC of a county in 延庆 (110119) that is a right citizen number too."""
    for sequence in range(10_000):
        # read as a citizen number: born in 19yy on the first of January
        body = f"{sequence % 100:02d}0101{sequence // 100:02d}"
        code = "11110119" + body + organisation_check(body)
        code += uscc_check(code)
        if is_citizen_shape(code) and is_citizen_check_right(code):
            return code
    raise AssertionError("no such code in the range")
