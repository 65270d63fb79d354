"""Commands ask the bus that the environment names, where there is no lab of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from running_lab import RunningLab

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture
def elsewhere(running_lab: RunningLab, tmp_path: Path) -> RunningLab:
    """The same bus, without anything that tells of the lab."""
    url = "http://127.0.0.1:{}".format
    kept = {name: one for name, one in running_lab.environment.items() if not name.startswith("CREDITBUS_LAB_")}
    named = {
        "CREDITBUS_LAB_DATA": str(tmp_path / "no-lab"),
        "CREDITBUS_BROKERS": f"127.0.0.1:1, 127.0.0.1:{running_lab.port('kafka')}",
        "CREDITBUS_REGISTRY_URL": url(running_lab.port("registry")) + "/apis/ccompat/v7",
        "CREDITBUS_SECRETS": str(running_lab.folder / "secrets"),
        **{
            f"CREDITBUS_{part.upper()}_URL": url(running_lab.port(part))
            for part in ("clickhouse", "gateway", "lookup", "console", "notifier")
        },
    }
    return RunningLab(tmp_path / "no-lab", {**kept, **named})


def test_a_story_is_played_explained_and_listed_from_elsewhere(elsewhere: RunningLab, tmp_path: Path) -> None:
    firm = elsewhere.cleared_firm()
    assert elsewhere.told("explain", firm)["score"] > 0
    assert "✓" in elsewhere.creditbus("breaker", "list")
    assert elsewhere.told("load", "list") is not None
    assert elsewhere.creditbus("export", "Penalty", str(tmp_path / "penalties.csv"))
    assert elsewhere.told("webhooks", "list") is not None
    told = elsewhere.creditbus("reconcile", "--department", "150100-scjg")
    assert "arrived" in told


def test_who_may_not_reach_it_is_told_which_variables_name_it(elsewhere: RunningLab) -> None:
    away = RunningLab(elsewhere.folder, {**elsewhere.environment, "CREDITBUS_BROKERS": "127.0.0.1:1"})
    told = away.creditbus("breaker", "list", expect=2)
    assert "127.0.0.1:1" in told
    assert "CREDITBUS_BROKERS" in told
