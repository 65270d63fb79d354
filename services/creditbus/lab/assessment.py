"""Counts for the assessment of departments, as the warehouse has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any

from creditbus.clickhouse.client import DATABASE, ClickHouse
from creditbus.clickhouse.standing import ENDED, fallen, passed_over
from creditbus.core.alerts import REPAIR_IRREGULAR, REVOCATION_OVERDUE
from creditbus.core.assessment import Assessment, Duty, Reported, Supervised, assess
from creditbus.core.repair import needs_notice
from creditbus.core.rules import Rules
from creditbus.core.terms import RECTIFICATION

_TOLD_OF = {"Repair": ("regular_repairs", REPAIR_IRREGULAR), "Revocation": ("withdrawals", REVOCATION_OVERDUE)}
"""Metric of a kind, and the alert about a record of it that tells that its duty was not done."""
_DECISIONS = ["Penalty", "ListDecision", *_TOLD_OF]
_OF_DECISIONS = "kind IN {decisions:Array(String)}"
_OF_ORGANS = "kind IN ('DepartmentReview', 'SupervisionTicket')"
_PERIOD = "toDate({column}, 'Asia/Shanghai') >= {{since:Date}} AND toDate({column}, 'Asia/Shanghai') <= {{until:Date}}"


ReadBody = Callable[[str, bytes], Mapping[str, Any]]


def read_assessment(clickhouse: ClickHouse, rules: Rules, since: date, until: date, read_body: ReadBody) -> Assessment:
    """The assessment of what was recorded or refused from since to until, both included. Raises BusError.

    read_body: reads the facts of a record by the name of their schema.
    """
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
        _supervised(clickhouse, period, read_body),
        _duties(clickhouse, period, rules, read_body),
    )


def _supervised(clickhouse: ClickHouse, period: dict[str, object], read_body: ReadBody) -> dict[str, Supervised]:
    """Tickets and spot checks by the organ that they are about; not what came twice or was revoked or corrected."""
    rows = clickhouse.query(
        "SELECT subject_key, kind, record_id, target_key IS NULL AS opens, body, body_schema "  # noqa: S608
        f"FROM {DATABASE}.records FINAL WHERE op = 'RECORD' AND {_OF_ORGANS} "
        f"AND {_PERIOD.format(column='recorded_at')} AND (subject_key, record_id) NOT IN ({fallen(_OF_ORGANS)})",
        {**period, **ENDED},
        binary=("body",),
    )
    missed = clickhouse.query(
        f"SELECT DISTINCT record_id FROM {DATABASE}.changes WHERE kind = {{term:String}} AND outcome = 'OVERDUE'",  # noqa: S608
        {"term": RECTIFICATION},
    )
    overdue = {str(row["record_id"]) for row in missed}
    found: dict[str, Supervised] = {}
    for row in rows:
        key = str(row["subject_key"])
        one = _of_ticket(row, overdue) if row["kind"] == "SupervisionTicket" else _of_review(row, read_body)
        found[key] = found.get(key, Supervised()) + one
    return found


def _of_ticket(row: Mapping[str, Any], overdue: set[str]) -> Supervised:
    if not row["opens"]:
        return Supervised()
    return Supervised(tickets=1, overdue=int(str(row["record_id"]) in overdue))


def _of_review(row: Mapping[str, Any], read_body: ReadBody) -> Supervised:
    facts = read_body(str(row["body_schema"]), bytes(row["body"]))
    return Supervised(sampled=facts["sampled"] or 0, concealed=facts["concealed"] or 0)


def _duties(clickhouse: ClickHouse, period: dict[str, object], rules: Rules, read_body: ReadBody) -> Iterator[Duty]:
    """What departments have to do: send the notice how to repair, repair by the rules, withdraw in time."""
    alerts = clickhouse.query(
        f"SELECT record_id FROM {DATABASE}.alerts FINAL WHERE kind IN {{kinds:Array(String)}}",  # noqa: S608
        {"kinds": [alert for _, alert in _TOLD_OF.values()]},
    )
    failed = {str(row["record_id"]) for row in alerts}
    rows = clickhouse.query(
        "SELECT record_id, sender, region, kind, toString(decided_on) AS decided, body, body_schema "  # noqa: S608
        f"FROM {DATABASE}.records FINAL WHERE op = 'RECORD' AND {_OF_DECISIONS} "
        f"AND {_PERIOD.format(column='recorded_at')} AND body != '' "
        f"AND (subject_key, record_id) NOT IN ({passed_over(_OF_DECISIONS)}) "
        "ORDER BY revision DESC LIMIT 1 BY event_key",
        {**period, "decisions": _DECISIONS},
        binary=("body",),
    )
    for row in rows:
        facts = read_body(str(row["body_schema"]), bytes(row["body"]))
        for metric, is_done in _duties_of(row, facts, failed, rules):
            yield Duty(sender=str(row["sender"]), region=str(row["region"]), metric=metric, is_done=is_done)


def _duties_of(
    row: Mapping[str, Any], facts: Mapping[str, Any], failed: Collection[str], rules: Rules
) -> Iterator[tuple[str, bool]]:
    kind = str(row["kind"])
    if needs_notice(kind, facts, date.fromisoformat(str(row["decided"])), rules):
        yield "noticed", facts.get("repair_notice_on") is not None
    if kind in _TOLD_OF and facts.get("stage", "GRANTED") == "GRANTED":
        yield _TOLD_OF[kind][0], str(row["record_id"]) not in failed


def _reported(clickhouse: ClickHouse, period: dict[str, object]) -> Iterator[Reported]:
    rows = clickhouse.query(
        "SELECT sender, item, region, toString(decided_on) AS decided, "  # noqa: S608
        "toString(toDate(reported_at, 'Asia/Shanghai')) AS reported, "
        "count() AS rows, countIf(revision > 1) AS corrected, countIf(load_id IS NOT NULL) AS loaded "
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
            loaded=int(row["loaded"]),
        )
