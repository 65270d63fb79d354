"""The conditions (a) to (g) of domain.md 4.1: what is not met is refused with its reason, the rest follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builders import DAY
from creditbus.core.conditions import RIGHTS, Condition, Proposal, decide_measures
from creditbus.core.rules import Rules
from intake_harness import rules

RULES = rules()
MARKET, ABNORMAL = RULES.lists["L04"], RULES.lists["L20"]
PUBLISHED = date(2021, 12, 16)


def proposal(**changes: Any) -> Proposal:
    """A decision of the market regulator to put a firm on its list of severe dishonesty, with everything done."""
    values: dict[str, Any] = {
        "rule": MARKET, "subject_kind": "LEGAL_PERSON", "region": "150100", "decided_on": DAY, "conduct_on": DAY,
        "named": (), "noticed": frozenset(), "is_exempt": False,
    }  # fmt: skip
    return Proposal(**{**values, **changes})


def refused(about: Proposal, rules: Rules = RULES) -> dict[str, str]:
    return dict(decide_measures(about, rules)[1])


def test_a_decision_that_meets_every_condition_is_followed_by_the_catalogue_s_measures() -> None:
    ordered, others = decide_measures(proposal(), RULES)
    assert [one.code for one in ordered] == [one.code for one in RULES.measures if one.follows("L04", "LEGAL_PERSON")]
    assert others == []


def test_a_without_a_basis_in_force_on_the_day_there_is_no_measure() -> None:
    ended = {
        code: replace(row, span=replace(row.span, until=date(2026, 1, 1)))
        for code, row in RULES.instruments.items()
        if code == "ZFCGF"
    }
    without = replace(RULES, instruments={**RULES.instruments, **ended})
    assert refused(proposal(), without) == {"M11-PROCUREMENT": "BASIS"}


def test_b_a_measure_that_has_nothing_to_do_with_the_list_does_not_follow_though_the_decision_names_it() -> None:
    named = ("M11-PROCUREMENT", "M05-EXIT", "M06-SCHOOL")
    ordered, _ = decide_measures(proposal(named=named), RULES)
    assert [one.code for one in ordered] == ["M11-PROCUREMENT"]
    assert refused(proposal(named=named)) == {"M05-EXIT": "RELEVANCE", "M06-SCHOOL": "RELEVANCE"}


def test_c_what_takes_rights_follows_severe_lists_only() -> None:
    named = ("M01-LICENCE", "M10-SUPERVISION")
    ordered, _ = decide_measures(proposal(rule=ABNORMAL, named=named), RULES)
    assert [one.code for one in ordered] == ["M10-SUPERVISION"]
    assert refused(proposal(rule=ABNORMAL, named=named)) == {"M01-LICENCE": "PROPORTION"}


def test_d_a_measure_that_was_published_after_the_conduct_does_not_follow() -> None:
    assert set(refused(proposal(conduct_on=PUBLISHED - timedelta(1))).values()) == {"PUBLISHED"}
    assert refused(proposal(conduct_on=PUBLISHED)) == {}


def test_a_decision_of_before_there_was_the_measure_is_followed_by_none() -> None:
    early = PUBLISHED - timedelta(1)
    ordered, others = decide_measures(proposal(decided_on=early, conduct_on=early), RULES)
    assert ordered == []
    assert {condition for _, condition in others} <= {"PUBLISHED", "BASIS"}


def test_e_a_measure_that_the_notice_did_not_tell_of_does_not_follow() -> None:
    told = frozenset({"M01-LICENCE", "M08-HONOURS"})
    ordered, _ = decide_measures(proposal(noticed=told), RULES)
    assert {one.code for one in ordered} == told
    assert set(refused(proposal(noticed=told)).values()) == {"NOTICE"}


def test_g_first_minor_and_corrected_in_time_no_measure_follows() -> None:
    ordered, others = decide_measures(proposal(is_exempt=True), RULES)
    assert ordered == []
    assert {condition for _, condition in others} == {"EXEMPT"}


def test_what_the_decision_does_not_name_is_neither_ordered_nor_refused() -> None:
    ordered, others = decide_measures(proposal(named=("M08-HONOURS",)), RULES)
    assert ([one.code for one in ordered], others) == (["M08-HONOURS"], [])


def test_every_condition_has_a_text_in_both_languages() -> None:
    for condition in Condition:
        text = RULES.reasons[f"CONDITION_{condition}"].text
        assert text.zh.format(measure="甲", list="乙") != text.en.format(measure="a", list="b")


DAYS = st.dates(date(2015, 1, 1), date(2027, 12, 31))
CODES = st.sampled_from([measure.code for measure in RULES.measures])


@given(
    rule=st.sampled_from(sorted(RULES.lists.values(), key=lambda rule: rule.code)),
    kind=st.sampled_from(["LEGAL_PERSON", "SOLE_TRADER", "NATURAL_PERSON", "ORGAN"]),
    days=st.tuples(DAYS, DAYS),
    named=st.lists(CODES, unique=True).map(tuple),
    noticed=st.frozensets(CODES),
    is_exempt=st.booleans(),
)
def test_whatever_is_decided_each_measure_is_ordered_or_refused_once_and_no_right_is_taken_without_a_severe_list(
    rule: Any, kind: str, days: tuple[date, date], named: tuple[str, ...], noticed: frozenset[str], is_exempt: bool
) -> None:
    about = proposal(
        rule=rule, subject_kind=kind, decided_on=max(days), conduct_on=min(days), named=named, noticed=noticed,
        is_exempt=is_exempt,
    )  # fmt: skip
    ordered, others = decide_measures(about, RULES)
    told = [one.code for one in ordered] + [code for code, _ in others]
    wanted = set(named) or {one.code for one in RULES.measures if one.follows(rule.code, kind)}
    assert sorted(told) == sorted(wanted)
    assert all(one.follows(rule.code, kind) and one.span.covers(min(days)) for one in ordered)
    assert rule.severe or not any(one.effect == RIGHTS for one in ordered)
    assert not (is_exempt and ordered)
