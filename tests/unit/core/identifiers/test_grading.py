"""Grading of identifiers: the vectors of the standards and of public registers, and what the checks must catch."""

from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc

from creditbus.core.identifiers import (
    AuthorityTypes,
    Flag,
    Graded,
    RegionSpan,
    RegionTable,
    Scheme,
    current_region,
    grade,
    is_blocked,
    is_sole_trader,
    normalise_identifier,
    subject_class_of,
    subject_key_of,
    synthetic_citizen,
    synthetic_uscc,
)
from creditbus.core.identifiers.uscc import ALPHABET

REGIONS = RegionTable(
    spans={
        "150000": RegionSpan(),
        "150100": RegionSpan(),
        "150102": RegionSpan(),
        "150200": RegionSpan(),
        "150500": RegionSpan(),
        "150602": RegionSpan(),
        "150921": RegionSpan(),
        "152201": RegionSpan(),
        "152222": RegionSpan(),
        "152300": RegionSpan(valid_to=date(1999, 1, 1), successor="150500"),
        "152701": RegionSpan(valid_to=date(2001, 4, 30), successor="150602"),
    }
)
TYPES = AuthorityTypes(classes={"11": "organ", "91": "enterprise", "92": "sole_trader", "N2": "village_collective"})

ISSUED = {
    "914403001922038216": "192203821",
    "9144030071526726XG": "71526726X",
    "91330100799655058B": "799655058",
    "91100000100003962T": "100003962",
    "911100001000044477": "100004447",
    "911000001000013428": "100001342",
    "911100001000054748": "100005474",
    "9131000010000595XD": "10000595X",
    "9144030010001686XA": "10001686X",
    "91110000710925462X": "710925462",
    "91110000710926094P": "710926094",
    "91440300192317458F": "192317458",
    "91440400192548256N": "192548256",
    "91440606722473344C": "722473344",
    "91440300192181490G": "192181490",
    "91150000701463622D": "701463622",
    "91370200264574251E": "264574251",
    "91110000600037341L": "600037341",
    "121200004013590816": "401359081",
    "911522010783762860": "078376286",
    "91152201078377449P": "078377449",
    "9115220107837941X1": "07837941X",
    "91152201078382010M": "078382010",
    "911522010783917502": "078391750",
    "91152201078394644D": "078394644",
    "91152201078395188Q": "078395188",
    "91620105L015101280": "L01510128",
    "92340603MA2PEPM83M": "MA2PEPM83",
}
SYNTHETIC = (
    "111500000115123431",
    "12150100460012344T",
    "5115000050001234X1",
    "52150200MJX0123423",
    "91150102MA0N123408",
    "92150602MA0P56783H",
    "93152222MA0Q43211W",
    "N2150921MF0123451E",
    "31150000MD0123454E",
)
LEGACY = ("91350100M0001TGQXM", "91350211M0000XUF46", "91350203M0001FUE2P")


def grade_uscc(raw: str) -> Graded:
    return grade(Scheme.USCC, raw, REGIONS)


class TestUnifiedSocialCreditCode:
    @pytest.mark.parametrize(("code", "organisation"), ISSUED.items())
    def test_an_issued_code_is_clean_and_names_its_organisation(self, code: str, organisation: str) -> None:
        graded = grade_uscc(code)
        assert graded.flags == frozenset()
        assert subject_key_of(graded) == organisation
        assert graded.region == code[2:8]

    @pytest.mark.parametrize("code", SYNTHETIC)
    def test_the_fixture_codes_are_clean(self, code: str) -> None:
        assert grade_uscc(code).flags == frozenset()

    @pytest.mark.parametrize(
        ("code", "flag"),
        [
            ("914403001922038217", Flag.CHECK18),
            ("91110000600037341N", Flag.CHECK18),
            ("A1110000600037341L", Flag.CHECK18),  # A is an authority since 2016; the check character is that of 9
            ("91440300192203821O", Flag.ALPHABET),
            ("9144030019220382", Flag.FORMAT),
            ("", Flag.FORMAT),
            ("91A40300192203821G", Flag.FORMAT),
        ],
    )
    def test_a_wrong_code_names_nobody(self, code: str, flag: Flag) -> None:
        graded = grade_uscc(code)
        assert graded.flags == {flag}
        assert subject_key_of(graded) is None

    @pytest.mark.parametrize("code", LEGACY)
    def test_an_early_fujian_code_is_accepted_and_flagged(self, code: str) -> None:
        graded = grade_uscc(code)
        assert graded.flags == {Flag.LEGACY_CHECK_MISMATCH}
        assert subject_key_of(graded) == code[8:17]

    def test_the_same_mismatch_elsewhere_is_no_legacy(self) -> None:
        assert Flag.CHECK18 in grade_uscc(LEGACY[0].replace("350100", "150100")).flags

    def test_a_wrong_organisation_part_is_found_behind_a_right_last_character(self) -> None:
        body = "91150102MA0N12341"
        assert grade_uscc(body + stdnum_uscc.calc_check_digit(body)).flags == {Flag.CHECK_ORG}

    @pytest.mark.parametrize(
        "raw",
        [
            "914403 0019 2203821-6",
            " 9144030071526726xg\n",
            "９１４４０３００７１５２６７２６ＸＧ",
            "91440300–1922038216\u200b",
        ],
    )
    def test_spelling_does_not_matter(self, raw: str) -> None:
        assert grade_uscc(raw).flags == frozenset()

    @given(sequence=st.integers(0, 31**6 - 1), position=st.integers(0, 17), other=st.sampled_from(ALPHABET))
    def test_every_single_substitution_is_caught(self, sequence: int, position: int, other: str) -> None:
        code = synthetic_uscc("91", "150102", sequence)
        assume(code[position] != other)
        graded = grade_uscc(code[:position] + other + code[position + 1 :])
        assert is_blocked(graded) or Flag.LEGACY_CHECK_MISMATCH in graded.flags

    @given(sequence=st.integers(0, 31**6 - 1), position=st.integers(0, 16))
    def test_every_transposition_of_neighbours_is_caught(self, sequence: int, position: int) -> None:
        code = synthetic_uscc("91", "150102", sequence)
        assume(code[position] != code[position + 1])
        swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
        graded = grade_uscc(swapped)
        assert is_blocked(graded) or Flag.LEGACY_CHECK_MISMATCH in graded.flags

    @given(st.text(ALPHABET, min_size=9, max_size=9), st.from_regex(r"[1-9][1-9][1-6][1-7][0-9]{4}", fullmatch=True))
    def test_the_check_agrees_with_python_stdnum(self, tail: str, head: str) -> None:
        code = head + tail + stdnum_uscc.calc_check_digit(head + tail)
        assert stdnum_uscc.is_valid(code)
        assert Flag.CHECK18 not in grade_uscc(code).flags

    def test_an_unknown_authority_annotates_only(self) -> None:
        code = synthetic_uscc("98", "150102", 7)
        graded = grade(Scheme.USCC, code, REGIONS, TYPES)
        assert graded.flags == {Flag.AUTH_TYPE_UNKNOWN}
        assert subject_key_of(graded) == code[8:17]
        assert grade(Scheme.USCC, synthetic_uscc("N2", "150102", 7), REGIONS, TYPES).flags == frozenset()

    def test_authority_and_type_tell_the_class_of_subject(self) -> None:
        assert subject_class_of("111500000115123431", TYPES) == "organ"
        assert subject_class_of("98", TYPES) is None
        assert is_sole_trader("92340603MA2PEPM83M")
        assert not is_sole_trader("914403001922038216")


class TestRegions:
    @pytest.mark.parametrize(
        ("region", "flags"),
        [
            ("150102", set()),
            ("100000", set()),
            ("990000", set()),
            ("440524", set()),  # only Inner Mongolia is held in detail
            ("449999", set()),
            ("150199", {Flag.REGION_UNKNOWN}),
            ("160100", {Flag.PROVINCE_UNKNOWN}),
            ("152300", {Flag.REGION_RETIRED}),
            ("152301", {Flag.REGION_RETIRED}),  # a county of a retired league
            ("152701", {Flag.REGION_RETIRED}),
        ],
    )
    def test_a_region_is_judged_by_the_detail_in_which_it_is_held(self, region: str, flags: set[Flag]) -> None:
        assert grade_uscc(synthetic_uscc("91", region, 1)).flags == flags

    def test_a_region_is_not_retired_before_its_end(self) -> None:
        code = synthetic_uscc("91", "152701", 1)
        assert grade(Scheme.USCC, code, REGIONS, as_of=date(2001, 4, 29)).flags == frozenset()
        assert grade(Scheme.USCC, code, REGIONS, as_of=date(2001, 4, 30)).flags == {Flag.REGION_RETIRED}

    def test_only_an_unknown_province_blocks(self) -> None:
        assert is_blocked(grade_uscc(synthetic_uscc("91", "160100", 1)))
        assert not is_blocked(grade_uscc(synthetic_uscc("91", "150199", 1)))

    def test_nobody_is_born_at_the_national_level(self) -> None:
        graded = grade(Scheme.CITIZEN, synthetic_citizen("100000", date(1990, 1, 1)), REGIONS)
        assert graded.flags == {Flag.PROVINCE_UNKNOWN}

    def test_an_old_code_leads_to_the_current_one(self) -> None:
        assert current_region(REGIONS, "152701") == "150602"
        assert current_region(REGIONS, "152301") == "150500"
        assert current_region(REGIONS, "150102") == "150102"

    def test_a_circle_of_successors_ends(self) -> None:
        over = date(2000, 1, 1)
        circle = RegionTable(
            spans={
                "150001": RegionSpan(valid_to=over, successor="150002"),
                "150002": RegionSpan(valid_to=over, successor="150001"),
            }
        )
        assert current_region(circle, "150001") == "150002"


class TestCitizenNumber:
    @pytest.mark.parametrize(
        ("number", "flags"),
        [
            ("11010519491231002X", set()),
            ("440524188001010014", set()),  # region no longer current, yet not ours to judge
            ("15010219000101000X", set()),
            ("152301190001010014", {Flag.REGION_RETIRED}),
            ("110105194912310021", {Flag.CHECK18}),
            ("1101051949123100", {Flag.FORMAT}),
            ("11010519491231002Y", {Flag.FORMAT}),
        ],
    )
    def test_the_vectors_of_the_standard(self, number: str, flags: set[Flag]) -> None:
        graded = grade(Scheme.CITIZEN, number, REGIONS)
        assert graded.flags == flags
        assert subject_key_of(graded) is None

    def test_fifteen_digits_are_converted_and_flagged(self) -> None:
        graded = grade(Scheme.CITIZEN, "110105491231002", REGIONS)
        assert graded.value == "11010519491231002X"
        assert graded.flags == {Flag.LEGACY_15}

    def test_a_birth_that_cannot_be_is_flagged(self) -> None:
        newborn = synthetic_citizen("150102", date(2026, 11, 23))
        assert grade(Scheme.CITIZEN, newborn, REGIONS, as_of=date(2026, 11, 23)).flags == frozenset()
        assert grade(Scheme.CITIZEN, newborn, REGIONS, as_of=date(2026, 11, 22)).flags == {Flag.BIRTH_DATE}
        assert Flag.BIRTH_DATE in grade(Scheme.CITIZEN, "150102199002300000", REGIONS).flags
        assert Flag.BIRTH_DATE in grade(Scheme.CITIZEN, synthetic_citizen("150102", date(1849, 1, 1)), REGIONS).flags

    @given(
        birth=st.dates(date(1900, 1, 1), date(2026, 1, 1)),
        position=st.integers(0, 17),
        other=st.sampled_from("0123456789X"),
    )
    def test_every_single_substitution_is_caught(self, birth: date, position: int, other: str) -> None:
        number = synthetic_citizen("150102", birth)
        assume(number[position] != other)
        assert is_blocked(grade(Scheme.CITIZEN, number[:position] + other + number[position + 1 :], REGIONS))

    @given(birth=st.dates(date(1900, 1, 1), date(2026, 1, 1)), position=st.integers(0, 16))
    def test_every_transposition_of_neighbours_is_caught(self, birth: date, position: int) -> None:
        number = synthetic_citizen("150102", birth)
        assume(number[position] != number[position + 1])
        swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
        assert is_blocked(grade(Scheme.CITIZEN, swapped, REGIONS))


class TestOtherCodes:
    @pytest.mark.parametrize("code", ["D2143569-X", "19220382-1", "71526726-X", "７１５２６７２６－Ｘ"])
    def test_an_organisation_code_is_its_own_subject(self, code: str) -> None:
        graded = grade(Scheme.ORGANISATION, code, REGIONS)
        assert graded.flags == frozenset()
        assert subject_key_of(graded) == normalise_identifier(code)

    @pytest.mark.parametrize(
        ("code", "flag"), [("19220382-2", Flag.CHECK_ORG), ("192203821A", Flag.FORMAT), ("19220382A", Flag.FORMAT)]
    )
    def test_a_wrong_organisation_code_names_nobody(self, code: str, flag: Flag) -> None:
        graded = grade(Scheme.ORGANISATION, code, REGIONS)
        assert graded.flags == {flag}
        assert subject_key_of(graded) is None

    @pytest.mark.parametrize(
        "number",
        [
            "330203000030639",
            "330200400070010",
            "110108000000016",
            "440301103097413",
            "150100000012349",
            "150000000000000",
        ],
    )
    def test_a_right_registration_number_is_clean_but_needs_the_identity_table(self, number: str) -> None:
        graded = grade(Scheme.REGISTRATION, number, REGIONS)
        assert graded.flags == frozenset()
        assert subject_key_of(graded) is None

    def test_a_wrong_registration_number_is_flagged(self) -> None:
        assert grade(Scheme.REGISTRATION, "150100000012345", REGIONS).flags == {Flag.CHECK15}
        assert grade(Scheme.REGISTRATION, "1501000000123", REGIONS).flags == {Flag.FORMAT}

    @given(position=st.integers(0, 14), other=st.sampled_from("0123456789"))
    def test_a_substituted_digit_of_a_registration_number_is_caught(self, position: int, other: str) -> None:
        number = "150100000012349"
        assume(number[position] != other)
        changed = number[:position] + other + number[position + 1 :]
        assert Flag.CHECK15 in grade(Scheme.REGISTRATION, changed, REGIONS).flags

    def test_an_old_tax_number_names_the_organisation_in_it(self) -> None:
        assert subject_key_of(grade(Scheme.TAX, "440300192203821", REGIONS)) == "192203821"
        assert grade(Scheme.TAX, "440300192203822", REGIONS).flags == {Flag.CHECK_ORG}
        assert grade(Scheme.TAX, "44030A192203821", REGIONS).flags == {Flag.FORMAT}

    def test_a_tax_number_of_today_is_a_unified_code(self) -> None:
        graded = grade(Scheme.TAX, "914403001922038216", REGIONS)
        assert (graded.scheme, subject_key_of(graded)) == (Scheme.USCC, "192203821")


class TestAnyText:
    @given(scheme=st.sampled_from(Scheme), raw=st.text())
    def test_any_text_is_graded(self, scheme: Scheme, raw: str) -> None:
        grade(scheme, raw, REGIONS, TYPES, date(2026, 11, 23))

    @given(scheme=st.sampled_from(Scheme), raw=st.text("0189AIXZ９Ｘ٣²一 -", min_size=9, max_size=19))
    def test_any_text_of_code_like_characters_is_graded(self, scheme: Scheme, raw: str) -> None:
        grade(scheme, raw, REGIONS, TYPES, date(2026, 11, 23))

    @given(raw=st.text())
    @example("e\u200b\u0301")  # the accent meets its letter only when the invisible space is gone
    def test_normalising_twice_changes_nothing(self, raw: str) -> None:
        once = normalise_identifier(raw)
        assert normalise_identifier(once) == once


class TestSynthetic:
    @given(
        authority_type=st.sampled_from(["11", "91", "92", "A1", "N3"]),
        region=st.sampled_from(["150000", "150102", "152222", "440300"]),
        sequence=st.integers(0, 31**6 - 1),
    )
    def test_a_synthetic_code_is_right_by_every_check(self, authority_type: str, region: str, sequence: int) -> None:
        code = synthetic_uscc(authority_type, region, sequence)
        graded = grade_uscc(code)
        assert graded.flags == frozenset()
        assert code[8:10] == "YY"

    def test_the_sequence_alone_decides_the_subject(self) -> None:
        keys = {subject_key_of(grade_uscc(synthetic_uscc("91", "150102", n))) for n in range(2000)}
        assert len(keys) == 2000
        assert synthetic_uscc("91", "150102", 5)[8:17] == synthetic_uscc("11", "150000", 5)[8:17]

    @pytest.mark.parametrize(
        "arguments", [("9", "150102", 1), ("9O", "150102", 1), ("91", "1501", 1), ("91", "150102", -1)]
    )
    def test_arguments_that_make_no_code_are_refused(self, arguments: tuple[str, str, int]) -> None:
        with pytest.raises(ValueError, match="use"):
            synthetic_uscc(*arguments)
