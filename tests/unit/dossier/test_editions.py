"""Editions come by in the log: which rules a dossier is told with does not depend on where a batch ends."""

from __future__ import annotations

import pytest

from builders import DAY_MS, make_record, make_rules
from creditbus.bus.store import MemoryStore
from creditbus.core.processing import Effects
from creditbus.dossier.steps import Edition, Entry, Lookups, Tick, decide_or_park
from partition import PENALTY, POSITION

RECORD = make_record()
FIRST, SECOND = make_rules(), make_rules(edition="f" * 64)
LOOKUPS = Lookups({rules.edition: rules for rules in (FIRST, SECOND)}.__getitem__, lambda _: PENALTY, lambda _: RECORD)


def test_a_subject_is_told_with_the_rules_that_it_was_changed_by() -> None:
    log: list[Entry] = [Edition(FIRST.edition, 1), Tick(DAY_MS, DAY_MS), RECORD, Edition(SECOND.edition, 1)]
    assert _told([log]) == _told([log[:3], log[3:]]) == [FIRST.edition]


@pytest.mark.parametrize("cut", range(1, 5))
def test_whatever_comes_later_is_told_with_the_later_rules(cut: int) -> None:
    again = make_record(event_id="another", document_number="another", natural_key="ab" * 16)
    log: list[Entry] = [Edition(FIRST.edition, 1), Tick(DAY_MS, DAY_MS), RECORD, Edition(SECOND.edition, 1), again]
    assert _told([log[:cut], log[cut:]])[-1] == SECOND.edition


def _told(batches: list[list[Entry]]) -> list[str]:
    """Editions of the dossiers that the batches lead to."""
    store, told = MemoryStore(), []
    for batch in batches:
        view, _ = decide_or_park(store, [(entry, b"", -1) for entry in batch], LOOKUPS)
        told += [subject.edition for subject in view.changed_subjects()]
        effects = Effects()
        view.write_to(effects)
        store.write(effects.state, POSITION)
    return told
