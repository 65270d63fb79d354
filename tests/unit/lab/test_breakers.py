"""What the log tells of a source that is watched or held."""

from __future__ import annotations

from typing import Any

from creditbus.core.breaker import HOLD, RELEASE, ROLL_BACK
from creditbus.lab.breakers import Standing, note

HELD = {"control_id": "h1", "action": HOLD, "source": "150102-scjg"}


def approval(officer: str, **changes: Any) -> dict[str, Any]:
    return {"source": "150102-scjg", "hold_id": "h1", "officer": officer, "reason": "核实", **changes}


def test_an_approval_of_before_there_were_roll_backs_is_a_release() -> None:
    found: dict[str, Standing] = {}
    note(found, "SourceOrder", HELD)
    note(found, "ReleaseApproval", approval("150000-xxzx"))
    note(found, "ReleaseApproval", approval("150000-fgw", action=ROLL_BACK))
    told = [(one["officer"], one["action"]) for one in found["150102-scjg"].approvals]
    assert told == [("150000-xxzx", RELEASE), ("150000-fgw", ROLL_BACK)]


def test_an_approval_of_another_hold_does_not_count() -> None:
    found: dict[str, Standing] = {}
    note(found, "ReleaseApproval", approval("150000-xxzx"))
    note(found, "SourceOrder", HELD)
    note(found, "ReleaseApproval", approval("150000-fgw", hold_id="h0"))
    assert found["150102-scjg"].approvals == []
