"""Receipts: every number adds up, the reasons are the main ones, and the way back really leads there."""

from __future__ import annotations

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from builders import DAY, make_rules
from creditbus.core.receipt import MOST_REASONS, Receipt, receipt_of
from creditbus.core.records import day_of
from creditbus.core.score import score_subject
from creditbus.core.state import Entry, ListingState, Summary

RULES = make_rules()
TODAY = day_of(DAY)


def an_entry(number: int, points: int = -120, until: int | None = None, **changes: object) -> Entry:
    values: dict[str, object] = {
        "record_id": f"{number:032x}",
        "natural_key": f"{number:032x}",
        "kind": "Penalty",
        "authority": "x",
        "document_number": f"No {number}",
        "rule": "P-SERIOUS",
        "reason": "R302" if points < -50 else "R301" if points < 0 else "P104",
        "dimension": "compliance" if number % 2 else "other",
        "points": points,
        "decays": number % 3 == 0,
        "since": TODAY - 30 * number,
        "until": until,
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def a_subject(*entries: Entry, kind: str = "LEGAL_PERSON", listed: bool = False) -> Summary:
    summary = Summary(subject_key="S", kind=kind, name="虚构公司", identifier="", region="", entries=list(entries))
    if listed:
        summary.listings.append(
            ListingState(
                listing_id="l", list_code="L01", severe=True, reason="R101", natural_key="n", record_id="r",
                authority="", region="", document_number="", basis=[], effective_on=TODAY, until=TODAY + 100,
                fictitious=True, disputed=False, orders=[],
            )
        )  # fmt: skip
    return summary


def receipt(summary: Summary) -> Receipt:
    found = receipt_of(summary, RULES, TODAY)
    assert found is not None
    return found


entries = st.builds(
    an_entry,
    st.integers(1, 12),
    st.sampled_from([-120, -40, 60]),
    st.none() | st.integers(TODAY - 10, TODAY + 900),
    disputed=st.booleans(),
)
subjects = st.builds(
    lambda some, listed: a_subject(*{e.record_id: e for e in some}.values(), listed=listed),
    st.lists(entries, max_size=8),
    st.booleans(),
)


@given(subjects)
def test_the_lines_add_up_to_the_score_of_the_dossier(subject: Summary) -> None:
    found = receipt(subject)
    score = score_subject(subject, RULES, TODAY)
    assert score is not None
    assert (found.score, found.grade, found.receipt_hash) == (score.score, score.grade, score.receipt)
    assert found.sum == found.base + sum(line.points for line in found.lines)
    assert found.score == max(RULES.score.floor, min(RULES.score.ceiling, found.sum))
    assert {line.record_id for line in found.lines} == {entry.record_id for entry in subject.entries}


@given(subjects)
def test_what_is_disputed_or_over_counts_nothing_but_stays_visible(subject: Summary) -> None:
    for line in receipt(subject).lines:
        is_over = line.ends_on is not None and date.fromisoformat(line.ends_on) < DAY
        if line.disputed or is_over:
            assert line.points == 0


@given(subjects)
def test_the_way_to_the_next_grade_leads_there_and_no_shorter_one_does(subject: Summary) -> None:
    found = receipt(subject)
    order = [grade.code for grade in RULES.score.grades]
    if found.next_grade is None:
        spotless = a_subject(*(entry for entry in subject.entries if entry.points > 0))
        assert order.index(receipt(spotless).grade) >= order.index(found.grade)
        return
    ended = set(found.next_grade.end_records)
    left = a_subject(*(entry for entry in subject.entries if entry.record_id not in ended))
    assert order.index(receipt(left).grade) < order.index(found.grade)
    for record in ended:  # with one of them back, the grade is not reached
        kept = a_subject(*(entry for entry in subject.entries if entry.record_id not in ended - {record}))
        assert order.index(receipt(kept).grade) >= order.index(found.grade)


@given(subjects)
def test_there_are_at_most_four_reasons_each_with_its_remedy_and_severe_lists_first(subject: Summary) -> None:
    found = receipt(subject)
    assert len(found.reasons) <= MOST_REASONS
    assert all(reason.text_zh and reason.remedy_en and reason.record_ids for reason in found.reasons)
    if subject.listings:
        assert found.reasons[0].code == "R101"


def test_a_severe_list_caps_the_grade_and_is_named_instead_of_hidden_in_points() -> None:
    found = receipt(a_subject(listed=True))
    assert (found.score, found.grade_by_points, found.grade) == (800, "B", "D")
    assert found.severe_lists == ("L01",)
    assert found.next_grade is not None
    assert (found.next_grade.end_listings, found.next_grade.end_records) == (("L01",), ())


def test_a_natural_person_and_a_sole_trader_have_no_receipt() -> None:
    for kind in ("NATURAL_PERSON", "SOLE_TRADER"):
        assert receipt_of(a_subject(an_entry(1), kind=kind), RULES, TODAY) is None


def test_the_end_of_a_reason_is_that_of_its_last_record() -> None:
    found = receipt(a_subject(an_entry(1, until=TODAY + 5), an_entry(3, until=TODAY + 9)))
    assert found.reasons[0].ends_on == date.fromordinal(DAY.toordinal() + 9).isoformat()
    open_ended = receipt(a_subject(an_entry(1, until=TODAY + 5), an_entry(3)))
    assert open_ended.reasons[0].ends_on is None


def test_several_listings_of_one_list_are_one_reason_that_names_the_list() -> None:
    subject = a_subject(listed=True)
    subject.listings.append(msgspec.structs.replace(subject.listings[0], listing_id="m", record_id="s"))
    found = receipt(subject)
    assert found.severe_lists == ("L01",)
    (reason,) = found.reasons
    assert reason.record_ids == ("r", "s")
    assert RULES.lists["L01"].name.zh in reason.text_zh
