"""对账: one digest of a day on both sides, and which ids differ."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from creditbus.core.reconciliation import compared, digest_of

IDS = st.lists(st.text("0123456789abcdef-", min_size=1, max_size=8), max_size=12)
YESTERDAY = date(2026, 11, 29)


@given(IDS, IDS, st.sets(st.sampled_from("abcdef")))
def test_every_id_of_either_side_is_accounted_for_once(sent: list[str], arrived: list[str], other: set[str]) -> None:
    found = compared(sent, arrived, dict.fromkeys(other, YESTERDAY))
    named = [*found.missing, *found.surplus, *found.other_days]
    assert len(named) == len(set(named))
    assert set(named) == set(sent) ^ set(arrived)
    assert found.is_none == (set(sent) - other <= set(arrived) <= set(sent))
    if set(sent) == set(arrived):
        assert found.is_none
        assert digest_of(sent) == digest_of(arrived)
    else:
        assert digest_of(sent) != digest_of(arrived)


def test_the_digest_is_what_the_tools_of_any_system_say(tmp_path: Path) -> None:
    ids = ["b-2", "a-1", "B-3", "b-2", "号"]
    (tmp_path / "ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    said = subprocess.run(
        ["sh", "-c", "LC_ALL=C sort -u ids.txt | sha256sum"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert said.stdout.split()[0] == digest_of(ids)


def test_nothing_agrees_with_nothing() -> None:
    assert compared([], [], {}).is_none
    assert digest_of([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
