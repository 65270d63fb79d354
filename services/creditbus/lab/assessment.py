"""Counts for the assessment of departments, as the warehouse has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.core.assessment import Assessment, Reported, assess
from creditbus.core.rules import Rules

_PERIOD = "toDate({column}, 'Asia/Shanghai') >= {{since:Date}} AND toDate({column}, 'Asia/Shanghai') <= {{until:Date}}"


def read_assessment(clickhouse: ClickHouse, rules: Rules, since: date, until: date) -> Assessment:
    """The assessment of what was recorded or refused from since to until, both included. Raises BusError."""
    period: dict[str, object] = {"since": since.isoformat(), "until": until.isoformat()}
    rejected = clickhouse.query(
        f"SELECT sender, count() AS rows FROM {DATABASE}.rejections FINAL "  # noqa: S608 - no value stands in the text
        f"WHERE {_PERIOD.format(column='rejected_at')} GROUP BY sender",
        period,
    )
    ever = clickhouse.query(
        f"SELECT sender, groupUniqArray(item) AS items FROM {DATABASE}.records FINAL "  # noqa: S608
        "WHERE op = 'RECORD' GROUP BY sender"
    )
    return assess(
        _reported(clickhouse, period),
        {str(row["sender"]): int(row["rows"]) for row in rejected},
        {str(row["sender"]): [str(one) for one in row["items"]] for row in ever},
        rules,
    )


def _reported(clickhouse: ClickHouse, period: dict[str, object]) -> Iterator[Reported]:
    rows = clickhouse.query(
        "SELECT sender, item, region, toString(decided_on) AS decided, "  # noqa: S608
        "toString(toDate(reported_at, 'Asia/Shanghai')) AS reported, "
        "count() AS rows, countIf(revision > 1) AS corrected "
        f"FROM {DATABASE}.records FINAL WHERE op = 'RECORD' AND {_PERIOD.format(column='recorded_at')} "
        "GROUP BY sender, item, region, decided, reported",
        period,
    )
    for row in rows:
        yield Reported(
            sender=str(row["sender"]),
            item=str(row["item"]),
            region=str(row["region"]),
            decided_on=date.fromisoformat(str(row["decided"])),
            reported_on=date.fromisoformat(str(row["reported"])),
            records=int(row["rows"]),
            corrected=int(row["corrected"]),
        )
