"""Which records are in force: what the dossier said of each stands in the table of changes.

A record is in force when the last that was said of it is that the dossier took it (RECORDED) and not that it ended.
What came twice, too late or waits for another fact has a row among the records too, and is not; nor is a fact in force
that was repaired or withdrawn, whoever sends it once more under another id. When a key leads to a subject no more, its
records are not in force there, and what they had ended or told instead is again.
"""

from __future__ import annotations

from creditbus.clickhouse.client import DATABASE
from creditbus.core.state import ENDED_AS

_PAIRS = f"SELECT subject_key, assumeNotNull(record_id) AS record FROM {DATABASE}.changes"  # noqa: S608
_OF_RECORDS = "record_id IS NOT NULL GROUP BY subject_key, record"
_SAYS = "outcome = 'RECORDED' OR outcome IN {ended:Array(String)} OR outcome = 'HELD' AND cause != 'TIMER'"
_IN_FORCE = f"argMaxIf(outcome, koff, {_SAYS}) = 'RECORDED'"
ENDED: dict[str, object] = {"ended": list(ENDED_AS)}
"""Parameters of the statements below."""


def standing(of: str) -> str:
    """Keys of subject and record of what is in force. of: condition that finds the changes of few subjects."""
    return f"{_PAIRS} WHERE {of} AND {_OF_RECORDS} HAVING {_IN_FORCE}"


def fallen(of: str = "1") -> str:
    """Keys of subject and record of what dossiers told of and is not in force: far less than what is.

    of: condition on the changes that are looked at, by default all.
    """
    return f"{_PAIRS} WHERE {of} AND {_OF_RECORDS} HAVING NOT {_IN_FORCE}"


def passed_over(of: str) -> str:
    """Keys of subject and record of what dossiers never took: it came twice or too late, or still waits.

    of: condition on the changes that are looked at.
    """
    return f"{_PAIRS} WHERE {of} AND {_OF_RECORDS} HAVING countIf(outcome = 'RECORDED') = 0"
