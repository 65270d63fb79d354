"""The benchmarks run on what is simulated today."""

from __future__ import annotations

import pytest
from bench import inprocess

from creditbus.bus.schemas import SchemaSet


@pytest.mark.timeout(120)
def test_the_in_process_figures_are_made_of_every_kind_that_is_simulated() -> None:
    """Enough events that a subject's key changes, for which records are read from the log again."""
    found = inprocess.measure(6_000)
    prefix = "intake events/s, one core, "
    kinds = {what.removeprefix(prefix) for what in found if what.startswith(prefix)}
    assert (
        {"Registration", "Permit", "Penalty", "CourtEnforcement", "IdentityLink"}
        <= kinds
        <= SchemaSet.load().events.keys()
    )
    assert found["dossier events/s, one core"] > 0
