"""Whoever stays too long on one list is proposed for another: to the authority, which alone decides (提请认定).

The three years of abnormal operation (企业信息公示暂行条例 Art. 17; domain.md 3.3). The program lists nobody: it tells
the authority once, and whatever follows is a decision of its own with its own procedure.
"""

from __future__ import annotations

from creditbus.core.alerts import About, subject_alert
from creditbus.core.calendar import add_months
from creditbus.core.context import Context
from creditbus.core.records import date_of, day_of
from creditbus.core.state import ListingState, Summary, TermState
from creditbus.core.terms import begin_until

ESCALATION = "ESCALATION"
ALERT = "ESCALATION_PROPOSED"


def watch_escalation(summary: Summary, listing: ListingState, ctx: Context) -> None:
    """A listing took effect: from when on it is long enough for a proposal."""
    rule = ctx.rules.lists[listing.list_code]
    if not rule.proposes:
        return
    last = day_of(add_months(date_of(listing.effective_on), rule.proposes_after_months))
    state = TermState(
        term=ESCALATION,
        key=listing.natural_key,
        opened_by=listing.natural_key,
        record_id=listing.record_id,
        region=listing.region,
        document_number=listing.document_number,
        fictitious=listing.fictitious,
        since=ctx.today,
        list_code=listing.list_code,
    )
    begin_until(summary, state, max(last, ctx.today))


def propose(summary: Summary, state: TermState, cause_id: str, ctx: Context) -> None:
    """Ask the authority, once."""
    summary.terms.remove(state)
    rule = ctx.rules.lists[state.list_code]
    other = ctx.rules.lists[rule.proposes].name
    text = ctx.rules.reasons[f"EMIT_{ALERT}"].text
    facts = {"name": summary.name, "document": state.document_number}
    words = (
        text.zh.format(list=rule.name.zh, other=other.zh, **facts),
        text.en.format(list=rule.name.en, other=other.en, **facts),
    )
    about = About(state.record_id, state.region, [state.list_code], state.fictitious)
    ctx.emissions.append(subject_alert(summary, ALERT, about, words, cause_id, ctx.now_ms))
