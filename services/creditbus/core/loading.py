"""Initial loads (初始导入): what a department already has on file comes in without any noise (design.md 11.18).

A load is opened by two officers of other departments, closed by the department itself, and released or rolled back by
two officers who have read its report. Until then its records build dossiers and nothing else: listings, offers and
terms that follow from them are held, alerts are not told. A load is a source of its own (core/breaker.py), so that its
hold and its release are control records of the log, and every replay obeys them.
"""

from __future__ import annotations

from creditbus.core.breaker import HOLD, Turn, Turns
from creditbus.core.records import CreditRecord
from creditbus.core.state import IncentiveState, ListingState, TermState

OPEN = "OPEN"
"""Officers approve that a load begins; what stands on the log of it is a HOLD."""
COMPLETE = "COMPLETE"
"""The department has sent everything (LoadComplete): nothing more is taken under the load's id."""
LOAD_ID = "[a-z0-9][a-z0-9-]{0,39}"
"""Pattern of an id. An id is for one load of one department, and for ever."""
_SEPARATOR = ":"


def load_source(department: str, load_id: str) -> str:
    """The source that a load is; no department has such a code."""
    return f"{department}{_SEPARATOR}{load_id}"


def is_load(source: str) -> bool:
    """Whether a source is an initial load, and no department."""
    return _SEPARATOR in source


def department_of(source: str) -> str:
    """Whose load it is; of a department itself its own code."""
    return source.partition(_SEPARATOR)[0]


def load_id_of(source: str) -> str:
    """The id that the department gave it; "" of a department."""
    return source.partition(_SEPARATOR)[2]


def hold_on(record: CreditRecord, turns: Turns) -> Turn | None:
    """The hold of the load that a record belongs to; None when it belongs to none.

    Also when the load is over: a record that comes late (parked until now, mirrored from a region) waits under it for a
    moment, and has the end of all the others.
    """
    if record.load_id is None:
        return None
    known = turns.get(load_source(record.sender, record.load_id), ())
    return next((turn for turn in reversed(known) if turn.action == HOLD), None)


def wait_for_load(state: ListingState | IncentiveState | TermState, record: CreditRecord, turns: Turns) -> bool:
    """Let what follows from a record wait where it came with a load; says whether it does."""
    hold = hold_on(record, turns)
    if hold is None or record.load_id is None:
        return False
    state.hold_id, state.load = hold.control_id, load_source(record.sender, record.load_id)
    return True
