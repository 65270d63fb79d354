"""A rule set is tried on the log before it takes effect."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from creditbus.catalogue.loader import DATA
from running_lab import RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def test_harsher_points_are_told_before_they_hurt_and_the_same_rules_change_nothing(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    running_lab.creditbus("simulate", "--events", "400", "--seed", "5")
    running_lab.verify()
    same = running_lab.told("rules", "backtest", str(DATA), str(DATA))
    assert same["subjects"] > 0
    assert (same["better"], same["worse"], same["samples"]) == (0, 0, [])

    harsher = tmp_path / "proposal"
    shutil.copytree(DATA, harsher)
    score = (harsher / "score.yaml").read_text(encoding="utf-8")
    (harsher / "score.yaml").write_text(score.replace("points: -120", "points: -300"), encoding="utf-8")
    tried = running_lab.told("rules", "backtest", str(DATA), str(harsher))
    assert tried["worse"] > 0
    assert tried["better"] == 0
    assert tried["samples"][0]["after"]["score"] < tried["samples"][0]["before"]["score"]
    for dimension in ("region", "trade", "size"):
        assert sum(group["worse"] for group in tried["groups"][dimension].values()) == tried["worse"]
    assert {"C", "F"} <= tried["groups"]["trade"].keys()
    assert any(group["worse"] for group in tried["groups"]["department"].values())
    told = running_lab.creditbus("rules", "backtest", str(DATA), str(harsher))
    assert "disparity" in told
