"""Working days (工作日) as arithmetic on a value: weekdays, holidays, make-up days, and what is only provisional."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """How a published year departs from Monday to Friday."""

    holidays: frozenset[date]
    """Weekdays on which nobody works."""
    workdays: frozenset[date]
    """Saturdays and Sundays worked instead (调休)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """The working days of one catalogue edition."""

    years: Mapping[int, CalendarYear]
    """The years whose holiday arrangement the State Council has published."""
    fixed_holidays: frozenset[tuple[int, int]]
    """(month, day) of the statutory holidays with a date of their own: all that is known of other years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKind:
    """Whether a day is worked; true as a condition exactly if it is."""

    working: bool
    provisional: bool
    """The year is not published: weekends and fixed holidays only, to be computed again with the next edition."""

    def __bool__(self) -> bool:
        return self.working


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last day of a period."""

    day: date
    provisional: bool
    """A day that was counted, or passed over, lies in a year that is not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """A number of working days, negative when counted backwards."""

    count: int
    provisional: bool


_KINDS = {
    (working, provisional): DayKind(working=working, provisional=provisional)
    for working in (False, True)
    for provisional in (False, True)
}


def is_working_day(calendar: WorkingCalendar, day: date) -> DayKind:
    """Whether `day` is worked, and whether that is published."""
    is_weekday = day.weekday() < _SATURDAY
    year = calendar.years.get(day.year)
    if year is None:
        return _KINDS[is_weekday and (day.month, day.day) not in calendar.fixed_holidays, True]
    return _KINDS[day not in year.holidays if is_weekday else day in year.workdays, False]


def add_working_days(calendar: WorkingCalendar, start: date, n: int) -> Deadline:
    """The n-th working day after `start`, which itself is not counted; before it when n is negative.

    n = 0 is the first working day from `start` on: the end of a period that falls on a holiday moves to the next
    working day. Sources: 民法典 art. 201 (day of the start not counted), art. 203 (end on a holiday).
    Raises OverflowError beyond the year 9999.
    """
    step = -_ONE_DAY if n < 0 else _ONE_DAY
    day, kind = start, is_working_day(calendar, start)
    missing = abs(n) if n else int(not kind)
    # the start decides nothing unless it is the answer
    provisional = kind.provisional and n == 0
    while missing:
        day += step
        kind = is_working_day(calendar, day)
        provisional = provisional or kind.provisional
        missing -= kind.working
    return Deadline(day=day, provisional=provisional)


def working_days_between(calendar: WorkingCalendar, start: date, end: date) -> WorkingDays:
    """Working days after `start` up to and including `end`: the inverse of add_working_days.

    When `end` is earlier: minus the working days before `start` back to and including `end`. Time grows with the span.
    """
    step = -_ONE_DAY if end < start else _ONE_DAY
    count, provisional, day = 0, False, start
    while day != end:
        day += step
        kind = is_working_day(calendar, day)
        provisional = provisional or kind.provisional
        count += kind.working
    return WorkingDays(count=-count if end < start else count, provisional=provisional)


@lru_cache(maxsize=65_536)
def add_months(day: date, months: int) -> date:
    """The same day some months later, or that month's last day where it is shorter (民法典 Art. 203, end of period)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
