"""Terms within which somebody has to act (期限), and what happens when nobody does.

A term begins with a fact and ends with the answer to it; it runs on when the answer is taken back. Its length is a
number of working days of the catalogue's row for the region (terms.yaml; domain.md 5.2 and 5.3): the day of the fact
is not counted (民法典 Art. 201). When it is over the office is alarmed; a term with several lengths reminds again at
each.
"""

from __future__ import annotations

from creditbus.core.alerts import About, subject_alert
from creditbus.core.calendar import add_working_days
from creditbus.core.context import Context
from creditbus.core.identifiers import wholes_of
from creditbus.core.records import Alert, CreditRecord, date_of, day_of
from creditbus.core.rules import Rules, TermRule, Text
from creditbus.core.state import Answer, Summary, TermState

DISPUTE = "DISPUTE"
REPAIR_ACCEPTANCE = "REPAIR_ACCEPTANCE"
REPAIR_DECISION = "REPAIR_DECISION"
ORDER_ACKNOWLEDGEMENT = "ORDER_ACKNOWLEDGEMENT"
LIFT_ACKNOWLEDGEMENT = "LIFT_ACKNOWLEDGEMENT"
REVOCATION = "REVOCATION"
"""What was revoked is withdrawn from publication (行政处罚法 Art. 48): told by the act itself, so it never runs."""
RECTIFICATION = "RECTIFICATION"
"""An organ has to mend what a ticket tells of (整改)."""
RECHECK = "RECHECK"
"""Whoever opened a ticket has to check what was mended (复核)."""
SHIELD = "SHIELD"
"""A plan approved by a court is carried out: nobody has to act, so it has no last day."""
NEAR = "DEADLINE_NEAR"
TERMS = (
    DISPUTE,
    REPAIR_ACCEPTANCE,
    REPAIR_DECISION,
    ORDER_ACKNOWLEDGEMENT,
    LIFT_ACKNOWLEDGEMENT,
    RECTIFICATION,
    RECHECK,
    REVOCATION,
)


def release_term(summary: Summary, state: TermState, ctx: Context) -> None:
    """The load that it came with is released or rolled back: it runs, and whoever has to act has that day at least."""
    state.hold_id = ""
    if state.until is not None and state.until < ctx.today:
        state.until = ctx.today
    if state.near_on is not None and state.near_on < ctx.today:
        state.near_on = None
    _sort(summary)


def term_about(term: str, key: str, record: CreditRecord) -> TermState:
    """A term that a record opens about another fact; it does not run yet. key: natural key of that fact."""
    return TermState(
        term=term,
        key=key,
        opened_by=record.natural_key,
        record_id=record.record_id,
        region=record.region,
        document_number=record.document_number,
        fictitious=record.fictitious,
        since=record.decided_on,
    )


def begin(summary: Summary, state: TermState, ctx: Context) -> None:
    """Let a term run; without a row in the catalogue it is open without a last day."""
    _run_until(state, _rule(state, ctx), 0, ctx)
    _add(summary, state)


def begin_until(summary: Summary, state: TermState, until: int) -> None:
    """Let a term run to a day that no row of working days makes."""
    state.until = until
    _add(summary, state)


def merge_terms(summary: Summary, states: list[TermState]) -> None:
    """Terms that run here too."""
    summary.terms = [*summary.terms, *states]
    _sort(summary)


def move_terms(summary: Summary, key: str, there: str) -> None:
    """A fact is told under another natural key: what is asked about it is asked there, and it asks from there."""
    for state in (*summary.terms, *closed_terms(summary)):
        state.key = there if state.key == key else state.key
        state.opened_by = there if state.opened_by == key else state.opened_by
    for ticket in summary.tickets:
        if ticket.key == key:
            ticket.key = there
    for answer in summary.given:
        if answer.key == key:
            answer.key = there
    _sort(summary)


def _add(summary: Summary, state: TermState) -> None:
    summary.terms.append(state)
    _sort(summary)


def _sort(summary: Summary) -> None:
    summary.terms.sort(key=lambda one: (one.term, one.key, one.opened_by))
    summary.given.sort(key=lambda one: (one.term, one.key, one.decided_on, one.given_by))


def extend(summary: Summary, term: str, key: str, ctx: Context) -> None:
    """The office takes the longer time that the law allows (延长办理期限)."""
    closed = [state for one in summary.given if (one.term, one.key) == (term, key) for state in one.closed]
    for state in [*open_terms(summary, key, term), *closed]:
        rule = _rule(state, ctx)
        if rule is not None and rule.extended_working_days is not None and not state.reminders:
            _end_on(state, _last_day(state, rule.extended_working_days, ctx), rule, ctx)


def open_terms(summary: Summary, key: str, *terms: str) -> list[TermState]:
    """Terms about a fact that nobody has answered."""
    return [state for state in summary.terms if state.key == key and state.term in terms]


def closed_terms(summary: Summary) -> list[TermState]:
    """Terms that an answer closed, which may be taken back."""
    return [state for one in summary.given for state in one.closed]


def is_disputed(summary: Summary, key: str) -> bool:
    """Whether a dispute of a fact is open."""
    return bool(open_terms(summary, key, DISPUTE))


def disputed_facts(summary: Summary) -> list[str]:
    """Natural keys of the facts of which a dispute is open, whether they have any effect or none."""
    return list(dict.fromkeys(state.key for state in summary.terms if state.term == DISPUTE))


def is_shielded(summary: Summary, key: str) -> bool:
    """Whether a plan approved by a court keeps a fact from counting."""
    return bool(open_terms(summary, key, SHIELD))


def is_overdue(summary: Summary, key: str) -> bool:
    """Whether a dispute of a fact was not decided in time."""
    return any(state.reminders for state in open_terms(summary, key, DISPUTE))


def close(summary: Summary, key: str, *terms: str) -> bool:
    """Somebody acted; False when no such term was open."""
    closed = open_terms(summary, key, *terms)
    summary.terms = [state for state in summary.terms if state not in closed]
    return bool(closed)


def answer(summary: Summary, key: str, term: str, record: CreditRecord) -> None:
    """A record answers about a fact in effect: it closes what was asked up to its day, whenever that comes.

    Of several questions of the very day of the answer, those that come after it are new ones: in doubt one is open.
    """
    closed = [state for state in open_terms(summary, key, term) if state.since <= record.decided_on]
    summary.terms = [state for state in summary.terms if state not in closed]
    summary.given.append(Answer(term, key, record.decided_on, record.natural_key, closed))
    _sort(summary)


def begin_unless_answered(summary: Summary, state: TermState, ctx: Context) -> bool:
    """Let a term run, unless an answer of its day or later came before it; a question told anew is asked once."""
    asked = (state.term, state.key, state.opened_by)
    closed = closed_terms(summary)
    for one in (*summary.terms, *closed):
        if (one.term, one.key, one.opened_by) == asked:
            _tell_anew(one, state, ctx)
            return one not in closed
    _run_until(state, _rule(state, ctx), 0, ctx)
    return _add_unless_answered(summary, state)


def _tell_anew(state: TermState, told: TermState, ctx: Context) -> None:
    """The question was corrected: its term runs on, from another day when that was wrong."""
    state.record_id, state.region, state.document_number = told.record_id, told.region, told.document_number
    if state.since != told.since:
        state.since = told.since
        _run_until(state, _rule(state, ctx), state.reminders, ctx)


def take_back_answer(summary: Summary, natural_key: str, ctx: Context) -> list[TermState]:
    """A record is taken back: the terms that it closed run on from where they stood, unless another answers them."""
    gone = [one for one in summary.given if one.given_by == natural_key]
    summary.given = [one for one in summary.given if one.given_by != natural_key]
    open_again = []
    for state in (state for one in gone for state in one.closed):
        if state.until is not None and state.until < ctx.today:
            state.near_on = None  # what is over is not near
        if _add_unless_answered(summary, state):
            open_again.append(state)
    return open_again


def forget_answers(summary: Summary, natural_key: str) -> None:
    """A fact ended: answers about it are not needed any more, answers to what it asked are left without a question."""
    summary.given = [one for one in summary.given if one.key != natural_key]
    for one in summary.given:
        one.closed = [state for state in one.closed if state.opened_by != natural_key]


def _add_unless_answered(summary: Summary, state: TermState) -> bool:
    about = (state.term, state.key)
    for one in summary.given:
        is_first = one.decided_on == state.since and not one.closed
        if (one.term, one.key) == about and (one.decided_on > state.since or is_first):
            one.closed = sorted([*one.closed, state], key=lambda closed: closed.opened_by)
            return False
    _add(summary, state)
    return True


def remind(summary: Summary, state: TermState, cause_id: str, ctx: Context) -> TermRule | None:
    """The last day is over and nobody acted: alarm the office, and let the next length run."""
    rule = _rule(state, ctx)
    state.reminders += 1
    _run_until(state, rule, state.reminders, ctx)
    if rule is not None:
        ctx.emissions.append(_alert(summary, state, rule.alert, cause_id, ctx))
    return rule


def tell_late(summary: Summary, state: TermState, acted_on: int, cause_id: str, ctx: Context) -> None:
    """An act is told that had to come within a term: the office is alarmed when it came after the last day."""
    rule = _rule(state, ctx)
    if rule is None:
        return
    state.until = day_of(add_working_days(ctx.rules.calendar, date_of(state.since), rule.working_days[0]).day)
    if acted_on > state.until:
        ctx.emissions.append(_alert(summary, state, rule.alert, cause_id, ctx))


def tell_near(summary: Summary, state: TermState, cause_id: str, ctx: Context) -> None:
    """The last day is near: the office is reminded, once."""
    rule = _rule(state, ctx)
    state.near_on = None
    if rule is not None and state.until is not None:
        ctx.emissions.append(_alert(summary, state, NEAR, cause_id, ctx))


def _run_until(state: TermState, rule: TermRule | None, number: int, ctx: Context) -> None:
    lengths = rule.working_days if rule is not None else ()
    _end_on(state, _last_day(state, lengths[number], ctx) if number < len(lengths) else None, rule, ctx)


def _end_on(state: TermState, until: int | None, rule: TermRule | None, ctx: Context) -> None:
    """Let a term run to a day, with a reminder before it where there is time for one."""
    state.until, state.near_on = until, None
    if until is not None and rule is not None and rule.near_working_days is not None:
        near = day_of(add_working_days(ctx.rules.calendar, date_of(until), -rule.near_working_days).day)
        state.near_on = near if near > ctx.today else None


def _last_day(state: TermState, working_days: int, ctx: Context) -> int:
    """The n-th working day after the fact; not before today, since nobody can act on what comes late."""
    day = add_working_days(ctx.rules.calendar, date_of(state.since), working_days).day
    return max(day_of(day), ctx.today)


def _rule(state: TermState, ctx: Context) -> TermRule | None:
    """The row of the county, else of the league or city, else of the region."""
    rows = {row.region: row for row in ctx.rules.terms if row.term == state.term}
    return next((rows[region] for region in wholes_of(state.region) if region in rows), None)


def _named(waiting: str, rules: Rules) -> Text:
    """Who is waited for, with the family of the measure where several are asked about."""
    family, _, code = waiting.rpartition(" ")
    known = rules.departments.get(code)
    name = known.name if known is not None else Text(zh=code, en=code)
    return Text(zh=f"{family} {name.zh}".strip(), en=f"{family} {name.en}".strip())


def _alert(summary: Summary, state: TermState, kind: str, cause_id: str, ctx: Context) -> Alert:
    text = ctx.rules.reasons[f"EMIT_{kind}"].text
    named = ctx.rules.lists.get(state.list_code)
    until = date_of(state.until).isoformat() if state.until is not None else ""
    facts = {"name": summary.name, "document": state.document_number, "until": until}
    waiting = [_named(one, ctx.rules) for one in state.waiting]
    words = (
        text.zh.format(list=named.name.zh if named else "", waiting="、".join(one.zh for one in waiting), **facts),
        text.en.format(list=named.name.en if named else "", waiting=", ".join(one.en for one in waiting), **facts),
    )
    lists = [state.list_code] if state.list_code else []
    about = About(state.record_id, state.region, lists, state.fictitious)
    return subject_alert(summary, kind, about, words, cause_id, ctx.now_ms)
