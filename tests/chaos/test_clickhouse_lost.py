"""A ClickHouse that is gone with all of its data is filled again from the log."""

from __future__ import annotations

import shutil

import pytest

from creditbus.lab.clickhouse import CLICKHOUSE
from running_lab import RunningLab

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]


def test_a_lost_clickhouse_is_filled_again_from_the_log(running_lab: RunningLab) -> None:
    running_lab.creditbus("scenario", "hohhot")
    running_lab.creditbus("down")
    shutil.rmtree(running_lab.folder / CLICKHOUSE)
    running_lab.creditbus("up", "--detach")
    assert [check["wrong"] for check in running_lab.verify() if check["wrong"]] == []
