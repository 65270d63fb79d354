"""A firm of its own that the court lists, for tests on a lab that they share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from creditbus.lab.scenarios.hohhot import COURT, Story


def a_court_listing(number: int) -> tuple[Story, dict[str, Any]]:
    """The story of the firm, and the event. number: tells firms of the same second apart."""
    now = datetime.now(UTC)
    story = Story(now=now, run=int(now.timestamp()) + number)
    facts = {
        "case_number": story.court_number, "court": "法院", "basis_number": "1", "basis_body": "法院",
        "filed_on": f"{now.year}-01-15", "obligation": "支付货款（虚构）", "performance": "NONE", "ground": "G2",
        "published_on": (now - timedelta(days=2)).date().isoformat(),
    }  # fmt: skip
    return story, story.event(COURT, "CourtEnforcement", "C02-ENFORCEMENT", story.court_number, facts)
