"""Who carries measures out (措施实施单位): the register of subscribers of an edition."""

from __future__ import annotations

from datetime import date

from creditbus.core.rules import Rules


def families_of(department: str, day: date | None, rules: Rules) -> dict[str, bool]:
    """Families that a department carries out on a day, and whether against persons too.

    day: None for those that it ever carried out: who was told of an order has to hear of its lift.
    """
    rows = [row for row in rules.subscribers if row.department == department and (not day or row.span.covers(day))]
    return {
        family: any(row.persons for row in rows if family in row.families) for row in rows for family in row.families
    }
