"""What each kind of record does to its subject beyond being on file, and how all of it is taken back.

Each kind with an effect has one function in ``EFFECTS``; of every other kind the record counts in the score where a
point rule says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from creditbus.core.acknowledgement import ANSWER, acknowledge, take_back
from creditbus.core.conditions import proposal_of
from creditbus.core.context import Context
from creditbus.core.identifiers import normalise_identifier
from creditbus.core.incentives import end_incentives, grant
from creditbus.core.links import forget_link, note_link
from creditbus.core.listing import list_rule_of, put_on_list, take_off_list
from creditbus.core.procedure import (
    effective_from,
    forget_step,
    missing_steps,
    note_step,
    procedure_of,
    waiting_key,
)
from creditbus.core.records import CreditRecord, business_day, date_of, day_of
from creditbus.core.repair import answer_application, lacks_notice, watch_grant
from creditbus.core.retention import keep_listing, keep_taken_back
from creditbus.core.rules import ListRule
from creditbus.core.score import entry_of
from creditbus.core.state import ACTIVE, FINAL, REPAIRED, REVOKED, STOPPED, WAITING, Row, Summary
from creditbus.core.subject import Facts, SubjectView
from creditbus.core.terms import REVOCATION, is_disputed, is_shielded, tell_late, term_about
from creditbus.core.tickets import forget_stage, note_stage
from creditbus.core.way_back import (
    answer_dispute,
    answer_repair,
    apply_for_repair,
    extend_dispute,
    file_dispute,
    forget_terms,
    go_on_unanswered,
    shield,
    unshield,
)


def take_effect(view: SubjectView, record: CreditRecord, ctx: Context) -> None:
    effect = EFFECTS.get(record.kind)
    if record.kind == "ListStep":
        _go_on_with_procedure(view, record, ctx.facts_of(record), ctx)
    elif effect is not None:
        effect(view, record, ctx.facts_of(record), ctx)
    elif record.kind in ctx.rules.score.points_of or record.kind in _DESERVING:
        facts = ctx.facts_of(record)
        _count_in_score(view, record, facts, ctx)
        if record.kind in _DESERVING and ctx.rules.incentives:
            grant(view.summary, record, facts, ctx)


_DESERVING = frozenset({"Honor", "Rating"})


def _count_in_score(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """Penalty, Rating, Honor and all other facts with a point rule: they count while their window runs."""
    entry = entry_of(record, facts, ctx.rules)
    if entry is None or view.summary.kind not in ctx.rules.score.scored_kinds:
        return
    if entry.until is None or entry.until >= ctx.today:
        entry.disputed = is_disputed(view.summary, record.natural_key)
        entry.is_shielded = is_shielded(view.summary, record.natural_key)
        entry.lacks_notice = lacks_notice(record, facts, ctx.rules)
        view.summary.entries.append(entry)
        view.summary.scored_on = -1


def _list_or_delist(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """CourtEnforcement and ListDecision: onto a list, or off the list that the target put the subject on."""
    if record.target_key is not None:
        finish(view, record.target_key, (REVOKED, "DELISTED", record.record_id), ctx)
        return
    rule = list_rule_of(record, facts, ctx.rules)
    if rule is not None and view.summary.kind in rule.subject_kinds:
        if rule.steps:
            _list_when_complete(view, record, facts, rule, ctx)
        else:
            _list_now(view, record, facts, rule, ctx)
    _count_in_score(view, record, facts, ctx)


def _restrict(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """限制消费令: in force until the court lifts it; an exemption (第八条) is on file and lifts nothing."""
    if facts["stage"] == "LIFTED" and record.target_key is not None:
        finish(view, record.target_key, (REVOKED, "LIFTED", record.record_id), ctx)
    rule = list_rule_of(record, facts, ctx.rules) if facts["stage"] == "ISSUED" else None
    if rule is not None and view.summary.kind in rule.subject_kinds:
        _list_now(view, record, facts, rule, ctx)


def _list_when_complete(view: SubjectView, record: CreditRecord, facts: Facts, rule: ListRule, ctx: Context) -> None:
    """A decision takes effect when notice, hearing and service are complete; until then it waits on file."""
    procedure = procedure_of(view.summary, rule.code, str(facts.get("notice_number") or ""))
    if missing_steps(rule, record, facts, procedure):
        key = waiting_key(procedure.list_code, procedure.notice_number)
        view.set_held(key, [*view.held(key), record])
        procedure.is_waiting = True
        return
    served_on = effective_from(rule, facts, procedure)
    begins = facts.get("effective_on")
    if served_on is not None and (not isinstance(begins, date) or day_of(begins) < served_on):
        facts = {**facts, "effective_on": date_of(served_on)}
    _list_now(view, record, facts, rule, ctx, frozenset(procedure.noticed))


def _list_now(
    view: SubjectView,
    record: CreditRecord,
    facts: Facts,
    rule: ListRule,
    ctx: Context,
    noticed: frozenset[str] = frozenset(),
) -> None:
    proposal = proposal_of(record, facts, rule, view.summary.kind, noticed)
    put_on_list(view.summary, record, facts, proposal, ctx)
    view.summary.scored_on = -1


def _go_on_with_procedure(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """告知、陈述申辩、送达: note the step; decisions that waited for it may take effect now."""
    procedure = procedure_of(view.summary, str(facts["list"]), str(facts["notice_number"]))
    note_step(procedure, record, facts)
    if not procedure.is_waiting:
        return
    key = waiting_key(procedure.list_code, procedure.notice_number)
    waiting = view.held(key)
    view.set_held(key, [])
    procedure.is_waiting = False
    for decision in waiting:
        told = ctx.facts_of(decision)
        rule = list_rule_of(decision, told, ctx.rules)
        if rule is not None:
            _list_when_complete(view, decision, told, rule, ctx)


def _repair(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """信用修复: a granted repair ends publication, sharing and use at once."""
    key, stage = record.target_key, str(facts["stage"])
    if key is None:
        return
    if stage == "APPLIED":
        apply_for_repair(view, record, key, ctx)
        answer_application(view, record, key, facts, ctx)
    elif stage == "SHIELDED":
        shield(view, record, key, ctx)
    elif stage == "UNSHIELDED":
        unshield(view, record, key, ctx)
    elif stage == "GRANTED":
        watch_grant(view, record, key, facts, ctx)
        answer_repair(view, record, key, stage)
        finish(view, key, (REPAIRED, "REPAIRED", record.record_id), ctx)
    else:
        answer_repair(view, record, key, stage)


def _revoke(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The authority withdrew its decision: within three working days it is published no more (行政处罚法 Art. 48)."""
    if record.target_key is not None:
        row, revoked_on = view.row(record.target_key), facts.get("revoked_on")
        if row is not None and row.state == ACTIVE and isinstance(revoked_on, date):
            term = term_about(REVOCATION, record.target_key, record)
            term.since = day_of(revoked_on)
            tell_late(view.summary, term, business_day(record.reported_at), record.record_id, ctx)
        finish(view, record.target_key, (REVOKED, "REVOKED", record.record_id), ctx)


_GRANTED = {  # outcomes of a dispute that end what was disputed: state of its row, cause
    "UPHELD": (REVOKED, "DISPUTE_UPHELD"),
    "DELETED": (REVOKED, "DISPUTE_UPHELD"),
    "STOPPED": (STOPPED, "DISPUTE_UPHELD"),
    "DELISTED": (REVOKED, "DELISTED"),
}


def _dispute(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """异议: annotated at once and out of the score while open; granted it ends the record, otherwise it goes on."""
    key = record.target_key
    if key is None:
        return
    if facts["stage"] == "FILED":
        file_dispute(view, record, key, ctx)
        return
    if facts["stage"] == "EXTENDED":
        extend_dispute(view, key, ctx)
        return
    answer_dispute(view, record, key, ctx)
    ends = _GRANTED.get(str(facts["outcome"]))
    if ends is not None:
        finish(view, key, (*ends, record.record_id), ctx)


def _acknowledge(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """A subscriber says that it applies an order, or that it stopped."""
    acknowledge(view.summary, record, facts, ctx)


def _register(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """Former numbers of the registration resolve to the subject."""
    former = facts["former_identifiers"]
    assert isinstance(former, list)
    for one in former:
        alias = (str(one["scheme"]), normalise_identifier(str(one["value"])))
        if alias not in view.summary.aliases:
            view.summary.aliases.append(alias)


def _link(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The subject has another key, or another key leads here; what follows is decided when the record is on file."""
    note_link(view.summary, record)


def _split(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """The registration authority took a link back."""
    if record.target_key is not None:
        finish(view, record.target_key, (REVOKED, "SPLIT", record.record_id), ctx)


Effect = Callable[[SubjectView, CreditRecord, Facts, Context], None]


def _supervise(view: SubjectView, record: CreditRecord, facts: Facts, ctx: Context) -> None:
    """督办: an organ is told what to mend, answers, and is checked again."""
    note_stage(view, record, facts, ctx)


EFFECTS: Mapping[str, Effect] = {  # of every other kind: _count_in_score
    "Registration": _register,
    "CourtEnforcement": _list_or_delist,
    "ListDecision": _list_or_delist,
    "RestrictionOrder": _restrict,
    "Repair": _repair,
    "Revocation": _revoke,
    "Dispute": _dispute,
    "MeasureAcknowledgement": _acknowledge,
    "SupervisionTicket": _supervise,
    "IdentityLink": _link,
    "IdentitySplit": _split,
}


def finish(view: SubjectView, natural_key: str, why: tuple[str, str, str], ctx: Context) -> None:
    """End a fact for good. why: (state of its row, cause, id of the record behind it)."""
    state, cause, cause_id = why
    row = view.row(natural_key)
    if row is None:
        return
    if row.state == ACTIVE:
        end_effects(view, natural_key, (cause, cause_id), ctx)
        view.summary.uncount(row.kind)
        ctx.ended.append((row.record_id, row.kind, state))
    if row.state in (ACTIVE, WAITING):
        row = Row(row.record_id, row.revision, row.event_key, row.kind, state)
        view.set_row(natural_key, row)
    if row.state in FINAL:
        keep_taken_back(view.summary, natural_key, cause, ctx)


def end_effects(
    view: SubjectView, natural_key: str, why: tuple[str, str], ctx: Context, *, goes_on: bool = False
) -> None:
    """Take back whatever a fact caused. why: (cause, id of what is behind it).

    goes_on: another revision tells the same fact, so that what is asked about it is asked still.
    """
    summary = view.summary
    _ask_again(view, natural_key, ctx)
    forget_link(summary, natural_key)
    forget_step(summary, natural_key)
    if not goes_on:
        forget_terms(summary, natural_key, why[1], ctx)
    if summary.given:
        go_on_unanswered(summary, natural_key, why[1], ctx)
    if summary.tickets:
        forget_stage(summary, natural_key, ctx, goes_on=goes_on)
    _stop_waiting(view, natural_key)
    kept = [entry for entry in summary.entries if entry.natural_key != natural_key]
    ended = [listing for listing in summary.listings if listing.natural_key == natural_key]
    if len(kept) != len(summary.entries) or ended:
        summary.scored_on = -1
    summary.entries = kept
    for listing in ended:
        take_off_list(summary, listing, why[0], why[1], ctx)
        if not goes_on:
            keep_listing(summary, listing, ctx)
    end_incentives(summary, natural_key, why, ctx)


def _ask_again(view: SubjectView, natural_key: str, ctx: Context) -> None:
    """Where the fact is an answer to an order or a lift, whoever gave it is asked again."""
    row = view.row(natural_key)
    if row is None or row.kind != ANSWER or row.state != ACTIVE:
        return
    event = view.event(row.event_key)
    if event is not None and event.record_id == row.record_id:
        for _, record in ctx.records_at([event.place]):
            take_back(view.summary, record, ctx.facts_of(record), ctx)


def end_all_effects(summary: Summary, why: tuple[str, str], ctx: Context) -> None:
    """Withdraw whatever subscribers were told. why: (cause, id of what is behind it)."""
    for natural_key in [one.natural_key for one in summary.incentives]:
        end_incentives(summary, natural_key, why, ctx)
    for listing in list(summary.listings):
        take_off_list(summary, listing, why[0], why[1], ctx)


def _stop_waiting(view: SubjectView, natural_key: str) -> None:
    """A decision that ends while it waits for its procedure waits no more."""
    for procedure in view.summary.procedures:
        if procedure.is_waiting:
            key = waiting_key(procedure.list_code, procedure.notice_number)
            left = [record for record in view.held(key) if record.natural_key != natural_key]
            view.set_held(key, left)
            procedure.is_waiting = bool(left)
