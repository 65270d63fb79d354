"""Which keys lead to which (主体关联): links of a subject to the key that it has now, and of other keys to it."""

from __future__ import annotations

from creditbus.core.records import CreditRecord
from creditbus.core.state import Link, Summary


def note_link(summary: Summary, record: CreditRecord) -> None:
    """A link is on file: of this subject to another key, or of another key to this one (a copy)."""
    if record.rekeyed_from:
        come = Link(record.decided_on, record.record_id, record.natural_key, record.rekeyed_from[0])
        summary.linked = sorted([*(one for one in summary.linked if one.key != come.key), come])
    elif record.linked_key is not None and record.linked_key != summary.subject_key:
        link = Link(record.decided_on, record.record_id, record.natural_key, record.linked_key)
        summary.links = sorted([*summary.links, link])


def forget_link(summary: Summary, natural_key: str) -> None:
    """A link of this subject ended."""
    if summary.links:
        summary.links = [one for one in summary.links if one.natural_key != natural_key]


def effective_link(summary: Summary) -> Link | None:
    """The latest decision, but for one that leads to a key which leads here by a later one (a circle)."""
    leading = {one.key: one for one in summary.linked}
    fit = [one for one in summary.links if one.key not in leading or _rank(leading[one.key]) < _rank(one)]
    return max(fit, key=_rank, default=None)


def _rank(link: Link) -> tuple[int, str]:
    return link.decided_on, link.record_id
