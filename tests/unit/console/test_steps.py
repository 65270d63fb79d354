"""Which texts are looked up, and how the purpose is told."""

from __future__ import annotations

from datetime import date
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbus.console.problems import OF_FAULT
from creditbus.console.steps import Fault, check_identifier, comes_from_elsewhere, stated
from creditbus.core.identifiers import synthetic_citizen, synthetic_uscc

CODE = synthetic_uscc("91", "150102", 42)


@given(st.text(max_size=200))
def test_any_text_gives_an_identifier_or_a_fault_that_has_words(text: str) -> None:
    checked = check_identifier(text)
    assert checked in OF_FAULT if isinstance(checked, Fault) else checked


@given(st.sampled_from(["91", "92", "51"]), st.integers(0, 10**6))
def test_every_right_code_is_looked_up_in_any_spelling(authority_type: str, sequence: int) -> None:
    code = synthetic_uscc(authority_type, "150102", sequence)
    spelt = f" {code[:8].lower()}-{code[8:]}\u3000"
    assert check_identifier(spelt) == code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        ("   ", Fault.EMPTY),
        ("包头市鹿城建材有限公司", Fault.NOT_AN_IDENTIFIER),
        (CODE[:-1], Fault.NOT_AN_IDENTIFIER),
        (CODE[:-1] + ("0" if CODE[-1] != "0" else "1"), Fault.CHECK_LAST),
        ("O" + CODE[1:], Fault.ALPHABET),
        (CODE[8:16] + ("0" if CODE[16] != "0" else "1"), Fault.CHECK_ORGANISATION),
        ("150102000012345", Fault.CHECK_FIFTEEN),
    ],
)
def test_what_is_wrong_is_named(text: str, fault: Fault) -> None:
    assert check_identifier(text) is fault


def test_a_persons_number_never_gets_into_an_address() -> None:
    assert check_identifier(synthetic_citizen("150102", date(1980, 5, 17))) is Fault.CITIZEN


def test_a_persons_key_is_looked_up_as_it_is() -> None:
    assert check_identifier("p:v1:0f3c") == "p:v1:0f3c"


def test_every_problem_is_told_in_both_languages() -> None:
    assert set(OF_FAULT) == set(Fault)
    for problem in OF_FAULT.values():
        texts = problem.to_json()
        assert all(texts[name] for name in ("title", "title_zh", "detail", "detail_zh"))
        assert problem.status == 422


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_purpose_and_basis_survive_the_header(text: str) -> None:
    headers = stated("supervision", text)
    assert headers["X-Basis"].isascii()
    assert headers["X-Basis"].isprintable()
    assert unquote(headers["X-Basis"]) == text.strip()[:200]


@pytest.mark.parametrize(
    ("site", "elsewhere"),
    [("cross-site", True), ("same-site", True), ("same-origin", False), ("none", False), (None, False)],
)
def test_only_pages_of_other_sites_are_refused(site: str | None, elsewhere: bool) -> None:
    assert comes_from_elsewhere(site) is elsewhere
