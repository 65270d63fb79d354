"""Generator of data/calendar.yaml from the chinesecalendar library; run by developers once a year, never by a service.

Run: python -m creditbus.catalogue.generate_calendar
The State Council publishes a year in the November before; then the library follows, this is run, and the result is
reviewed and committed as a new catalogue edition.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import chinese_calendar

FIRST_YEAR = 2014
"""The plan's first year: no record is older."""

CALENDAR_FILE = Path(__file__).parent / "data" / "calendar.yaml"

_HEAD = """\
# Working-day calendar: where the published years depart from Monday to Friday.
# Generated; do not edit. Years that are not listed are provisional: weekends and fixed_holidays only.
source: 国务院办公厅关于部分节假日安排的通知 (one a year), as collected by the chinesecalendar library
generated_by: creditbus.catalogue.generate_calendar, chinesecalendar {version}
# Statutory holidays with a date of their own (month-day). Basis: 全国年节及纪念日放假办法, amended from 2025-01-01
# (国务院令第795号). Festivals by the lunar calendar or a solar term are not known before they are published.
fixed_holidays: ["01-01", "05-01", "05-02", "10-01", "10-02", "10-03"]
years:
"""


def render_calendar(first_year: int, last_year: int) -> str:
    """Text of calendar.yaml for these years, inclusive. Raises NotImplementedError for a year the library lacks."""
    years = "".join(_render_year(year) for year in range(first_year, last_year + 1))
    return _HEAD.format(version=version("chinesecalendar")) + years


def write_calendar() -> None:
    """Write calendar.yaml for every year from 2014 that the library has."""
    last_year = max(day.year for day in chinese_calendar.holidays)
    CALENDAR_FILE.write_text(render_calendar(FIRST_YEAR, last_year), encoding="utf-8")


def _render_year(year: int) -> str:
    days = list(_days_of(year))
    holidays = [day for day in days if day.weekday() < 5 and not chinese_calendar.is_workday(day)]
    workdays = [day for day in days if day.weekday() >= 5 and chinese_calendar.is_workday(day)]
    return f"  {year}:\n{_render_days('holidays', holidays)}{_render_days('workdays', workdays)}"


def _render_days(key: str, days: list[date]) -> str:
    """One line a month, so that a review can compare it with the notice."""
    months = sorted({day.month for day in days})
    lines = [", ".join(str(day) for day in days if day.month == month) for month in months]
    return f"    {key}: [\n      " + ",\n      ".join(lines) + "]\n"


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


if __name__ == "__main__":
    write_calendar()
