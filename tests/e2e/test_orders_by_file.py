"""A department without Kafka: its orders come as a file, and the file filled in is its answers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from running_lab import RunningLab
from waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
DEPARTMENT = "150100-zwfw"
_STOP = ("中止", "解除")


def exported(lab: RunningLab, path: Path) -> list[dict[str, str]]:
    lab.creditbus("export", "MeasureOrder", str(path), "--department", DEPARTMENT)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_orders_are_exported_until_the_file_that_answers_them_is_imported(
    running_lab: RunningLab, tmp_path: Path
) -> None:
    running_lab.creditbus("simulate", "--events", "4000", "--seed", "11")
    path = tmp_path / "orders.csv"
    wait_until("orders in the warehouse", lambda: exported(running_lab, path) != [])
    orders = exported(running_lab, path)
    assert {one["措施类别"] for one in orders} <= {"M01", "M09", "I01"}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(orders[0]))
        writer.writeheader()
        for one in orders:
            done = "已解除" if one["指令动作"] in _STOP else "已落实"
            writer.writerow(one | {"落实情况": done, "落实日期": one["措施开始日期"]})
    running_lab.creditbus("import", str(path), "--department", DEPARTMENT, "--wait")
    answered = {one["反馈编号"] for one in orders}
    again = tmp_path / "again.csv"
    wait_until("they are answered", lambda: not answered & {one["反馈编号"] for one in exported(running_lab, again)})
    running_lab.verify()
