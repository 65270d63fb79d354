"""Disputes, repairs and lifts have terms; who misses one is told of, and a missed dispute suspends what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from builders import DAY, DAY_MS, make_record, target_of
from creditbus.core.calendar import add_working_days
from creditbus.core.records import Alert, CreditRecord, ListingChange, MeasureOrder, day_of
from creditbus.dossier.steps import Tick
from intake_harness import rules
from partition import COURT_FACTS, DAY_LENGTH, PENALTY, Bus, a_bus

RULES = replace(rules(), subscribers=())
"""Nobody is registered: only who said that it applies a measure is asked to stop (the others: test_subscribers.py)."""
COURT = make_record("CourtEnforcement")
PENALIZED = make_record()
Told = tuple[CreditRecord, Mapping[str, Any]]


def dispute(stage: str, outcome: str | None = None, about: CreditRecord = COURT, number: str = "") -> Told:
    record = make_record("Dispute", number=f"异{stage}{number}", **target_of(about))
    return record, {"stage": stage, "outcome": outcome}


def repair(stage: str) -> Told:
    facts = {"stage": stage, "performed_on": DAY, "commitment": "诺1"}
    return make_record("Repair", number=f"修{stage}", **target_of(COURT)), facts


def acknowledgement(bus: Bus, action: str, sender: str = "150100-ggzy", family: str = "M01") -> Told:
    order = next(one for one in bus.emissions if isinstance(one, MeasureOrder) and one.family == family)
    record = make_record("MeasureAcknowledgement", number=f"回执{action}{sender}", sender=sender)
    return record, {"order_id": order.order_id, "action": action, "family": family, "state": "APPLIED"}


FILED, EXTENDED, UPHELD, REJECTED = (
    dispute("FILED"),
    dispute("EXTENDED"),
    dispute("DECIDED", "UPHELD"),
    dispute("DECIDED", "REJECTED"),
)


def a_listed_firm(*told: Told) -> Bus:
    bus = a_bus((COURT, COURT_FACTS), (PENALIZED, PENALTY), *told, rules=RULES)
    bus.send(COURT)
    return bus


def days_pass(bus: Bus, first: int, last: int) -> None:
    """Ticks from the start of one day after DAY to the end of another."""
    bus.send(
        *(Tick(at, at) for at in range(DAY_MS + first * DAY_LENGTH + 600_000, DAY_MS + last * DAY_LENGTH + 1, 600_000))
    )


def last_day(working_days: int) -> int:
    """Days after DAY on which a term of so many working days ends."""
    return (add_working_days(RULES.calendar, DAY, working_days).day - DAY).days


def alarms(bus: Bus) -> list[str]:
    """Kinds of the alerts so far, without the reminders that a term ends soon."""
    return [kind for kind in bus.alerts() if kind != "DEADLINE_NEAR"]


def terms(bus: Bus) -> list[str]:
    return [state.term for state in bus.summary().terms]


def test_a_dispute_is_annotated_at_once_and_its_term_runs_in_working_days() -> None:
    bus = a_listed_firm(FILED)
    bus.send(FILED[0])
    assert bus.summary().listings[0].disputed
    [state] = bus.summary().terms
    assert (state.term, state.until) == ("DISPUTE", day_of(DAY) + last_day(5))


def test_a_dispute_decided_in_time_suspends_nothing() -> None:
    bus = a_listed_firm(FILED, REJECTED)
    bus.send(FILED[0])
    days_pass(bus, 0, last_day(5))
    bus.send(REJECTED[0])
    days_pass(bus, last_day(5), last_day(20))
    assert {action for action, _ in bus.orders()} == {"ORDER"}
    assert alarms(bus) == ["DISHONEST_SUBJECT"]
    assert not bus.summary().listings[0].disputed


def states(bus: Bus) -> list[tuple[str, str]]:
    """(state, cause) of every change of a listing so far."""
    return [(one.state, one.cause) for one in bus.emissions if isinstance(one, ListingChange)]


def test_readers_of_listings_are_told_what_is_disputed_and_what_stands_still() -> None:
    bus = a_listed_firm(FILED, dispute("FILED", number="二"), REJECTED)
    bus.send(FILED[0])
    bus.send(dispute("FILED", number="二")[0])
    assert states(bus) == [("LISTED", "DECIDED"), ("DISPUTED", "DISPUTE_OPEN")], "once, however many dispute it"
    days_pass(bus, 0, last_day(5) + 1)
    bus.send(REJECTED[0])
    assert states(bus)[2:] == [
        ("SUSPENDED", "DISPUTE_OVERDUE"),
        ("UNDISPUTED", "DISPUTE_DECIDED"),
        ("RESUMED", "DISPUTE_DECIDED"),
    ]
    changes = [one for one in bus.emissions if isinstance(one, ListingChange)]
    assert len({one.change_id for one in changes}) == len(changes)
    assert all(one.text_zh and COURT.document_number in one.text_en for one in changes)


def test_a_listing_that_is_disputed_before_it_is_told_says_so_with_it() -> None:
    bus = a_bus((COURT, COURT_FACTS), FILED, rules=RULES)
    bus.send(FILED[0], COURT)
    assert states(bus) == [("LISTED", "DECIDED"), ("DISPUTED", "DISPUTE_OPEN")]


def test_an_edition_without_words_for_these_states_tells_as_it_always_did() -> None:
    """Old parts of the log give the same answer."""
    old = {code: text for code, text in RULES.reasons.items() if code != "EMIT_DISPUTED"}
    bus = a_bus((COURT, COURT_FACTS), FILED, rules=replace(RULES, reasons=old))
    bus.send(COURT, FILED[0])
    assert states(bus) == [("LISTED", "DECIDED")]
    assert bus.summary().listings[0].disputed


def test_a_missed_term_suspends_every_measure_and_alarms_the_office_until_the_decision() -> None:
    bus = a_listed_firm(FILED, REJECTED)
    ordered = [family for _, family in bus.orders()]
    assert bus.summary().grade == "D"
    bus.send(FILED[0])
    days_pass(bus, 0, last_day(5))
    assert alarms(bus) == ["DISHONEST_SUBJECT"], "the last day is not over"
    days_pass(bus, last_day(5), last_day(5) + 1)
    assert alarms(bus) == ["DISHONEST_SUBJECT", "DISPUTE_OVERDUE"]
    assert bus.orders()[len(ordered) :] == [("SUSPEND", family) for family in ordered]
    assert bus.changes[-1].outcome == "OVERDUE"
    assert bus.summary().grade != "D", "a suspended list does not keep the grade down"
    days_pass(bus, last_day(5) + 1, last_day(20))
    assert len(alarms(bus)) == 2, "told once"
    bus.send(REJECTED[0])
    assert bus.orders()[2 * len(ordered) :] == [("RESUME", family) for family in ordered]
    assert bus.summary().grade == "D"
    assert terms(bus) == []


def test_an_extended_dispute_has_until_the_longest_term_of_the_law() -> None:
    bus = a_listed_firm(FILED, EXTENDED)
    bus.send(FILED[0], EXTENDED[0])
    days_pass(bus, 0, last_day(20))
    assert alarms(bus) == ["DISHONEST_SUBJECT"]
    days_pass(bus, last_day(20), last_day(20) + 1)
    assert alarms(bus) == ["DISHONEST_SUBJECT", "DISPUTE_OVERDUE"]


@pytest.mark.parametrize(
    ("outcome", "is_listed"),
    [
        ("UPHELD", False), ("DELETED", False), ("STOPPED", False), ("DELISTED", False), ("REJECTED", True),
        ("CORRECTED", True), ("SUPPLEMENTED", True),
    ],
)  # fmt: skip
def test_each_outcome_ends_the_listing_or_lets_it_go_on(outcome: str, is_listed: bool) -> None:
    decided = dispute("DECIDED", outcome)
    bus = a_listed_firm(FILED, decided)
    bus.send(FILED[0], decided[0])
    assert bool(bus.summary().listings) is is_listed
    assert terms(bus) == []
    assert not any(listing.disputed for listing in bus.summary().listings)


@pytest.mark.parametrize("answer", [UPHELD, REJECTED], ids=["upheld", "rejected"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_the_steps_of_a_dispute_come_the_end_is_the_same(
    answer: Told, order: tuple[int, ...]
) -> None:
    records = [COURT, FILED[0], answer[0]]
    bus = a_bus((COURT, COURT_FACTS), FILED, answer, rules=RULES)
    for number in order:
        bus.send(records[number])
    days_pass(bus, 0, last_day(5) + 2)
    summary = bus.summary()
    assert bool(summary.listings) is (answer is REJECTED)
    assert not any(listing.disputed for listing in summary.listings)
    assert (summary.terms, summary.answers, summary.held) == ([], [], [])
    assert "DISPUTE_OVERDUE" not in alarms(bus)


def test_a_dispute_that_is_withdrawn_asks_for_nothing() -> None:
    withdrawn = make_record("Revocation", number="撤回异议", **target_of(FILED[0]))
    bus = a_listed_firm(FILED, (withdrawn, {"reason": "申请人撤回"}))
    bus.send(FILED[0], withdrawn)
    assert terms(bus) == []
    assert not bus.summary().listings[0].disputed


def test_two_disputes_of_one_record_end_with_the_office_s_decision_or_one_by_one() -> None:
    other = dispute("FILED", number="2")
    withdrawn = make_record("Revocation", number="撤回异议", **target_of(FILED[0]))
    bus = a_listed_firm(FILED, other, (withdrawn, {"reason": "申请人撤回"}))
    bus.send(FILED[0], other[0], withdrawn)
    assert terms(bus) == ["DISPUTE"]
    assert bus.summary().listings[0].disputed, "the other one is open"


def test_a_disputed_penalty_is_out_of_the_score_until_the_decision() -> None:
    filed, rejected = dispute("FILED", about=PENALIZED), dispute("DECIDED", "REJECTED", about=PENALIZED)
    bus = a_bus((PENALIZED, PENALTY), filed, rejected, rules=RULES)
    bus.send(PENALIZED)
    counted = bus.summary().score
    bus.send(filed[0])
    assert bus.summary().score == RULES.score.base
    bus.send(rejected[0])
    assert bus.summary().score == counted


def test_an_application_for_repair_is_accepted_and_decided_within_its_terms() -> None:
    applied, accepted, granted = repair("APPLIED"), repair("ACCEPTED"), repair("GRANTED")
    bus = a_listed_firm(applied, accepted, granted)
    bus.send(applied[0])
    assert terms(bus) == ["REPAIR_ACCEPTANCE", "REPAIR_DECISION"]
    bus.send(accepted[0])
    assert terms(bus) == ["REPAIR_DECISION"]
    days_pass(bus, 0, last_day(10) + 1)
    assert alarms(bus) == ["DISHONEST_SUBJECT", "REPAIR_OVERDUE"]
    assert bus.summary().listings, "an office's silence grants nothing"
    bus.send(granted[0])
    assert (bus.summary().listings, terms(bus)) == ([], [])


@pytest.mark.parametrize(
    ("revoked_on", "days_later", "is_late"),
    [
        (date(2026, 11, 16), 3, False),
        (date(2026, 11, 16), 4, True),
        (date(2026, 11, 19), 5, False),
        (date(2026, 11, 19), 6, True),
    ],
)  # a Monday, and a Thursday with a weekend behind it
def test_what_is_revoked_is_withdrawn_within_three_working_days_or_the_office_is_alarmed(
    revoked_on: date, days_later: int, is_late: bool
) -> None:
    """行政处罚法 Art. 48 and 85: from the day of the revocation to the day on which it is reported."""
    reported_at = DAY_MS + (day_of(revoked_on) + days_later - day_of(DAY)) * DAY_LENGTH
    revoked = make_record("Revocation", number="撤1", reported_at=reported_at, **target_of(PENALIZED))
    bus = a_bus((PENALIZED, PENALTY), (revoked, {"reason": "x", "revoked_on": revoked_on}), rules=RULES)
    bus.send(PENALIZED, revoked)
    assert ("REVOCATION_OVERDUE" in bus.alerts()) is is_late
    assert bus.summary().entries == [], "late or not, it is withdrawn"
    assert terms(bus) == []


def test_what_has_ended_already_is_not_withdrawn_too_late() -> None:
    revoked = make_record("Revocation", number="撤1", **target_of(COURT)), {"revoked_on": date(2026, 1, 5)}
    granted = repair("GRANTED")
    bus = a_listed_firm(granted, revoked)
    bus.send(granted[0], revoked[0])
    assert "REVOCATION_OVERDUE" not in bus.alerts()


def test_a_refused_repair_closes_its_terms_and_changes_nothing_else() -> None:
    applied, refused = repair("APPLIED"), repair("REFUSED")
    bus = a_listed_firm(applied, refused)
    bus.send(applied[0], refused[0])
    days_pass(bus, 0, last_day(10) + 1)
    assert bus.summary().listings
    assert alarms(bus) == ["DISHONEST_SUBJECT"]


def lifted_firm(*senders: str) -> Bus:
    """A firm whose measure M01 some departments applied, and whose listing was repaired."""
    granted = repair("GRANTED")
    probe = a_listed_firm()
    applied = [acknowledgement(probe, "ORDER", sender) for sender in senders]
    stopped = [acknowledgement(probe, "LIFT", sender) for sender in senders]
    bus = a_listed_firm(*applied, *stopped, granted)
    bus.send(*(record for record, _ in applied))
    bus.send(granted[0])
    return bus


def test_nothing_stays_downstream_once_everybody_who_applied_a_measure_has_stopped() -> None:
    bus = lifted_firm("150100-ggzy", "150200-zwfw")
    [state] = bus.summary().terms
    assert (state.term, state.waiting) == ("LIFT_ACKNOWLEDGEMENT", ["150100-ggzy", "150200-zwfw"])
    bus.send(acknowledgement(bus, "LIFT", "150100-ggzy")[0])
    assert bus.summary().terms[0].waiting == ["150200-zwfw"]
    bus.send(acknowledgement(bus, "LIFT", "150200-zwfw")[0])
    assert bus.summary().terms == []


def test_a_lift_that_nobody_acknowledges_is_told_again_and_again_by_its_age() -> None:
    bus = lifted_firm("150100-ggzy")
    for reminders, (length, before) in enumerate([(1, 0), (3, 1), (5, 3)], 1):
        days_pass(bus, last_day(before) + (reminders > 1), last_day(length) + 1)
        assert alarms(bus).count("LIFT_UNACKNOWLEDGED") == reminders
    days_pass(bus, last_day(5) + 1, last_day(20))
    assert alarms(bus).count("LIFT_UNACKNOWLEDGED") == 3
    assert terms(bus) == ["LIFT_ACKNOWLEDGEMENT"], "it stays open until they do"


def test_a_measure_that_nobody_said_to_apply_leaves_no_open_lift() -> None:
    assert terms(lifted_firm()) == []


def test_a_department_that_applies_a_measure_after_its_lift_has_to_stop_too() -> None:
    probe, granted = a_listed_firm(), repair("GRANTED")
    late, stopped = acknowledgement(probe, "ORDER"), acknowledgement(probe, "LIFT")
    bus = a_listed_firm(late, stopped, granted)
    bus.send(granted[0], late[0])
    assert [(state.term, state.waiting) for state in bus.summary().terms] == [("LIFT_ACKNOWLEDGEMENT", ["150100-ggzy"])]
    bus.send(stopped[0])
    assert terms(bus) == []


def test_a_county_s_own_term_goes_before_the_region_s() -> None:
    [own] = [replace(row, region="150100", working_days=(2,)) for row in RULES.terms if row.term == "DISPUTE"]
    bus = a_bus((COURT, COURT_FACTS), FILED, rules=replace(RULES, terms=(*RULES.terms, own)))
    bus.send(COURT, FILED[0])
    assert bus.summary().terms[0].until == day_of(DAY) + last_day(2)


def test_a_dispute_that_was_reported_late_does_not_run_out_before_anybody_saw_it() -> None:
    filed = make_record("Dispute", number="异旧", decided_on=day_of(date(2026, 1, 5)), **target_of(COURT))
    bus = a_listed_firm((filed, {"stage": "FILED", "outcome": None}))
    bus.send(filed)
    assert bus.summary().terms[0].until == day_of(DAY)
    assert alarms(bus) == ["DISHONEST_SUBJECT"]


def test_what_a_record_ended_is_told_by_its_id_so_that_nobody_uses_it_any_more() -> None:
    granted = repair("GRANTED")
    bus = a_listed_firm(granted)
    bus.send(granted[0])
    ended = [(one.record_id, one.outcome, one.kind) for one in bus.changes if one.cause == "ENDED"]
    assert ended == [(COURT.record_id, "REPAIRED", "CourtEnforcement")]


def test_an_office_is_reminded_once_before_its_last_day() -> None:
    bus = a_listed_firm(FILED)
    bus.send(FILED[0])
    days_pass(bus, 0, last_day(3))
    assert "DEADLINE_NEAR" not in bus.alerts(), "the last working day but one has not begun"
    days_pass(bus, last_day(3), last_day(5))
    assert bus.alerts().count("DEADLINE_NEAR") == 1
    assert bus.changes[-1].outcome == "NEAR"
    alert = next(one for one in bus.emissions if isinstance(one, Alert) and one.kind == "DEADLINE_NEAR")
    assert (DAY + timedelta(days=last_day(5))).isoformat() in alert.text_zh


def test_a_matter_that_was_decided_is_not_reminded_of() -> None:
    bus = a_listed_firm(FILED, REJECTED)
    bus.send(FILED[0], REJECTED[0])
    days_pass(bus, 0, last_day(20))
    assert "DEADLINE_NEAR" not in bus.alerts()


def test_an_extended_term_is_reminded_of_before_its_new_last_day() -> None:
    bus = a_listed_firm(FILED, EXTENDED)
    bus.send(FILED[0], EXTENDED[0])
    days_pass(bus, 0, last_day(18))
    assert "DEADLINE_NEAR" not in bus.alerts()
    days_pass(bus, last_day(18), last_day(20))
    assert bus.alerts().count("DEADLINE_NEAR") == 1


SHIELDED, UNSHIELDED = repair("SHIELDED"), repair("UNSHIELDED")


def test_while_a_plan_approved_by_a_court_is_carried_out_nothing_is_applied_and_nothing_counts() -> None:
    bus = a_listed_firm(SHIELDED, UNSHIELDED)
    ordered = [family for _, family in bus.orders()]
    bus.send(SHIELDED[0])
    assert bus.orders()[len(ordered) :] == [("SUSPEND", family) for family in ordered]
    assert bus.summary().grade != "D"
    suspended = [one for one in bus.emissions if isinstance(one, MeasureOrder) and one.action == "SUSPEND"]
    assert {one.cause for one in suspended} == {"BANKRUPTCY_PLAN"}
    assert all("重整" in one.text_zh for one in suspended)
    bus.send(UNSHIELDED[0])
    assert bus.orders()[2 * len(ordered) :] == [("RESUME", family) for family in ordered]
    assert bus.summary().grade == "D"


def test_a_shielded_penalty_does_not_count_until_the_plan_fails() -> None:
    about = target_of(PENALIZED)
    shielded, failed = make_record("Repair", number="屏1", **about), make_record("Repair", number="屏2", **about)
    told = ((shielded, {"stage": "SHIELDED"}), (failed, {"stage": "UNSHIELDED"}))
    bus = a_bus((PENALIZED, PENALTY), *told, rules=RULES)
    bus.send(PENALIZED)
    counted = bus.summary().score
    bus.send(shielded)
    assert bus.summary().score == RULES.score.base
    bus.send(failed)
    assert bus.summary().score == counted


def test_an_answer_to_a_dispute_does_not_lift_a_shield_nor_a_failed_plan_an_overdue_dispute() -> None:
    bus = a_listed_firm(FILED, REJECTED, SHIELDED, UNSHIELDED)
    ordered = len(bus.orders())
    bus.send(FILED[0])
    days_pass(bus, 0, last_day(5) + 1)
    bus.send(SHIELDED[0])
    assert len(bus.orders()) == 2 * ordered, "suspended already"
    bus.send(REJECTED[0])
    assert len(bus.orders()) == 2 * ordered, "the plan is still carried out"
    bus.send(UNSHIELDED[0])
    assert [action for action, _ in bus.orders()[2 * ordered :]] == ["RESUME"] * ordered

    other = a_listed_firm(FILED, SHIELDED, UNSHIELDED)
    other.send(SHIELDED[0], FILED[0])
    days_pass(other, 0, last_day(5) + 1)
    other.send(UNSHIELDED[0])
    assert [action for action, _ in other.orders()[ordered:]] == ["SUSPEND"] * ordered, "the dispute is overdue"


ANSWERED: dict[str, tuple[list[Told], Told]] = {
    "dispute": ([FILED], REJECTED),
    "extended dispute": ([FILED, EXTENDED], REJECTED),
    "accepted repair": ([repair("APPLIED")], repair("ACCEPTED")),
    "refused repair": ([repair("APPLIED")], repair("REFUSED")),
    "plan": ([SHIELDED], UNSHIELDED),
    "plan and dispute": ([SHIELDED, FILED], UNSHIELDED),
}
"""Questions, and an answer after which what they are about goes on."""


def taken_back(answer: Told, how: str) -> CreditRecord:
    """A withdrawal by intake, since it was another subject's; or a revocation by whoever had answered."""
    if how == "withdrawn":
        return make_record(answer[0].kind, number=answer[0].document_number, op="WITHDRAW", revision=2)
    return make_record("Revocation", number=f"撤{answer[0].document_number}", **target_of(answer[0]))


def terms_after(asked: list[Told]) -> list[str]:
    bus = a_listed_firm(*asked)
    bus.send(*(record for record, _ in asked))
    return terms(bus)


@pytest.mark.parametrize("days", [0, 3, 8, 40], ids=["at once", "near the end", "too late", "much too late"])
@pytest.mark.parametrize("how", ["withdrawn", "revoked"])
@pytest.mark.parametrize("case", ANSWERED)
def test_an_answer_that_is_taken_back_leaves_what_is_asked_as_if_it_had_never_come(
    case: str, how: str, days: int
) -> None:
    asked, answer = ANSWERED[case]
    told = taken_back(answer, how)
    questions = [record for record, _ in asked]
    bus = a_listed_firm(*asked, answer, (told, {"reason": "误报"}))
    bus.send(*questions, answer[0])
    assert terms(bus) != terms_after(asked), "it closed one"
    days_pass(bus, 0, days)
    bus.send(told)
    days_pass(bus, days, days + 60)
    never = a_listed_firm(*asked)
    never.send(*questions)
    days_pass(never, 0, days + 60)
    was, now = never.summary(), bus.summary()
    assert was.terms, "otherwise nothing is compared"
    assert now.terms == was.terms
    assert now.listings[0].is_suspended == was.listings[0].is_suspended
    assert now.listings[0].is_shielded == was.listings[0].is_shielded
    assert now.listings[0].disputed == was.listings[0].disputed
    assert (now.grade, now.given) == (was.grade, was.given)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_an_answer_and_its_end_come_the_question_is_open(order: tuple[int, ...]) -> None:
    told = taken_back(REJECTED, "revoked")
    records = [COURT, FILED[0], REJECTED[0], told]
    bus = a_bus((COURT, COURT_FACTS), FILED, REJECTED, (told, {"reason": "误报"}), rules=RULES)
    for number in order:
        bus.send(records[number])
    assert terms(bus) == ["DISPUTE"]
    assert bus.summary().listings[0].disputed
    assert bus.summary().given == []


def test_another_answer_keeps_a_term_closed_when_the_first_is_taken_back() -> None:
    again, told = dispute("DECIDED", "REJECTED", number="再"), taken_back(REJECTED, "revoked")
    bus = a_listed_firm(FILED, REJECTED, again, (told, {"reason": "误报"}))
    bus.send(FILED[0], REJECTED[0], again[0], told)
    assert terms(bus) == []
    assert not bus.summary().listings[0].disputed


def test_an_overdue_dispute_suspends_again_when_its_decision_is_taken_back() -> None:
    told = taken_back(REJECTED, "revoked")
    bus = a_listed_firm(FILED, REJECTED, (told, {"reason": "误报"}))
    ordered = len(bus.orders())
    bus.send(FILED[0])
    days_pass(bus, 0, last_day(5) + 1)
    bus.send(REJECTED[0], told)
    actions = [action for action, _ in bus.orders()[ordered:]]
    assert actions == ["SUSPEND"] * ordered + ["RESUME"] * ordered + ["SUSPEND"] * ordered


def test_a_question_that_is_corrected_is_asked_once_and_stays_answered() -> None:
    since = DAY - timedelta(days=3)
    corrected = make_record("Dispute", "异FILED", revision=2, decided_on=day_of(since), **target_of(COURT))
    told = (corrected, {"stage": "FILED", "outcome": None})
    bus = a_listed_firm(FILED, told, REJECTED)
    bus.send(FILED[0], corrected)
    [state] = bus.summary().terms
    assert (state.since, state.until) == (day_of(since), day_of(add_working_days(RULES.calendar, since, 5).day))
    late = a_listed_firm(FILED, told, REJECTED)
    late.send(FILED[0], REJECTED[0], corrected)
    assert terms(late) == []
    assert not late.summary().listings[0].disputed


def test_nothing_is_kept_of_answers_to_what_has_ended() -> None:
    gone = make_record("Revocation", number="撤决定", **target_of(COURT))
    bus = a_listed_firm(FILED, REJECTED, (gone, {"reason": "误报"}))
    bus.send(FILED[0], REJECTED[0])
    assert bus.summary().given
    bus.send(gone)
    assert bus.summary().given == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_answer_is_one_to_all_that_was_asked_before_it_whenever_it_comes(order: tuple[int, ...]) -> None:
    asked = [
        make_record("Dispute", number=f"异{days}", decided_on=day_of(DAY + timedelta(days=days)), **target_of(COURT))
        for days in (-2, -1, 1)
    ]
    facts = {"stage": "FILED", "outcome": None}
    bus = a_listed_firm(*((record, facts) for record in asked), REJECTED)
    for record in ((*asked[:2], REJECTED[0])[number] for number in order):
        bus.send(record)
    assert (terms(bus), bus.summary().listings[0].disputed) == ([], False)
    bus.send(asked[2])
    assert (terms(bus), bus.summary().listings[0].disputed) == (["DISPUTE"], True), "it is asked anew"


def test_conditions_that_an_application_meets_are_known_though_its_answer_came_first() -> None:
    refused = repair("REFUSED")
    told = taken_back(refused, "revoked")
    bus = a_listed_firm(repair("APPLIED"), refused, (told, {"reason": "误报"}))
    bus.send(refused[0], repair("APPLIED")[0], told)
    assert [sorted(state.given) for state in bus.summary().terms] == [["COMMITMENT", "PERFORMANCE"]] * 2
