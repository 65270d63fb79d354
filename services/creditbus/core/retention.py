"""How long what is on file about a subject is kept (保存期限), and what becomes of it then: it is deleted.

What ends earlier (its publicity, a list) stops counting earlier; this is about the fact itself. When its last day is
over the dossier forgets the event and keeps a bare mark under the natural key, a hash, so that nothing brings the fact
back (design.md 11.6: natural keys never expire); the warehouse deletes its rows by the id of the event. Days come from
ticks. Source: domain.md 5.4; rows of retention.yaml that delete.
"""

from __future__ import annotations

from bisect import insort
from datetime import date

from creditbus.core.calendar import add_months, add_working_days
from creditbus.core.context import Context
from creditbus.core.records import CreditRecord, date_of, day_of
from creditbus.core.rules import RetentionRule
from creditbus.core.state import ListingState, Summary

ADVERSE, LIST, REVOKED = "ADVERSE", "LIST", "REVOKED"
"""What a rule is about: adverse facts, entries of a list, decisions that were taken back."""
TAKEN_BACK = frozenset({"REVOKED", "DISPUTE_UPHELD"})
"""Causes that take a decision back (撤销、变更), other than what ends it in the regular way."""


def keep_fact(summary: Summary, record: CreditRecord, ctx: Context, *, is_over: bool) -> None:
    """A fact is on file: from its decision on, an adverse one about a person is kept for so many years.

    is_over: it was ended for good before this revision came, so the years may run from that end.
    """
    item = ctx.rules.items.get(record.item)
    for rule in _rules(ADVERSE, summary, ctx):
        if item is not None and item.nature == ADVERSE:
            last = _last_day(rule, date_of(record.decided_on), ctx)
            known = [day for day, key, _ in summary.kept if is_over and key == record.natural_key]
            _keep(summary, record.natural_key, max(last, ctx.today, *known))


def keep_listing(summary: Summary, listing: ListingState, ctx: Context) -> None:
    """A listing ended: the years run from now on, or for some lists from the entry, but never less than to today."""
    for rule in _rules(ADVERSE, summary, ctx):
        _keep(summary, listing.natural_key, _last_day(rule, date_of(ctx.today), ctx))
    for rule in _rules(LIST, summary, ctx):
        if listing.list_code in rule.lists:
            last = _last_day(rule, date_of(listing.effective_on), ctx)
            _keep(summary, listing.natural_key, max(last, ctx.today))


def keep_taken_back(summary: Summary, natural_key: str, cause: str, ctx: Context) -> None:
    """A decision was taken back: it is deleted within working days (行政处罚法 Art. 48)."""
    if cause in TAKEN_BACK:
        for rule in _rules(REVOKED, summary, ctx):
            _keep(summary, natural_key, _last_day(rule, date_of(ctx.today), ctx), is_taken_back=True)


def move_kept(summary: Summary, natural_key: str, there: str) -> None:
    """A correction tells the fact under another natural key."""
    if summary.kept:
        summary.kept = sorted((day, there if key == natural_key else key, back) for day, key, back in summary.kept)


def keep_no_more(summary: Summary, natural_key: str) -> None:
    """The fact is about somebody else: nothing of it is kept here."""
    if summary.kept:
        summary.kept = [one for one in summary.kept if one[1] != natural_key]


def due_deletions(summary: Summary, today: int) -> list[tuple[int, str]]:
    """(last day, natural key) of what is kept no longer; what is on a list stays until it leaves it."""
    due = [(day, key) for day, key, _ in summary.kept if day < today]
    summary.kept = summary.kept[len(due) :]
    listed = {listing.natural_key for listing in summary.listings}
    return [one for one in due if one[1] not in listed]


def _rules(deletes: str, summary: Summary, ctx: Context) -> list[RetentionRule]:
    return [
        rule
        for rule in ctx.rules.retention
        if rule.deletes == deletes and (not rule.subject_kinds or summary.kind in rule.subject_kinds)
    ]


def _last_day(rule: RetentionRule, since: date, ctx: Context) -> int:
    if rule.working_days is not None:
        return day_of(add_working_days(ctx.rules.calendar, since, rule.working_days).day)
    return day_of(add_months(since, 12 * rule.years))


def _keep(summary: Summary, natural_key: str, last_day: int, *, is_taken_back: bool = False) -> None:
    """The newest word about a fact holds, but what was taken back stays so."""
    if not is_taken_back and any(key == natural_key and back for _, key, back in summary.kept):
        return
    keep_no_more(summary, natural_key)
    insort(summary.kept, (last_day, natural_key, is_taken_back))
