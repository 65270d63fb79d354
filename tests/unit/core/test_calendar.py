"""Working days: the published years as the library has them, and arithmetic that can be undone."""

from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creditbus.catalogue.generate_calendar import CALENDAR_FILE, FIRST_YEAR, render_calendar
from creditbus.catalogue.working_calendar import read_working_calendar
from creditbus.core.calendar import add_working_days, is_working_day, working_days_between

TEXT = CALENDAR_FILE.read_text(encoding="utf-8")
CALENDAR = read_working_calendar(TEXT)
LAST_YEAR = max(CALENDAR.years)

any_day = st.dates(date(1990, 1, 1), date(2090, 12, 31))
published_day = st.dates(date(2015, 1, 1), date(LAST_YEAR - 1, 12, 31))
lengths = st.integers(-200, 200)


def test_every_published_day_is_as_in_the_library() -> None:
    day = date(FIRST_YEAR, 1, 1)
    while day.year <= LAST_YEAR:
        kind = is_working_day(CALENDAR, day)
        assert (kind.working, kind.provisional) == (chinese_calendar.is_workday(day), False), day
        day += timedelta(days=1)


def test_the_file_is_what_the_generator_writes() -> None:
    assert render_calendar(FIRST_YEAR, LAST_YEAR) == TEXT
    assert list(CALENDAR.years) == list(range(2014, LAST_YEAR + 1))


def test_a_day_in_the_wrong_list_is_refused() -> None:
    assert "2026-10-10]" in TEXT
    with pytest.raises(ValueError, match="years.2026: 2026-10-12"):
        read_working_calendar(TEXT.replace("2026-10-10]", "2026-10-12]"))


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2030, 10, 1), False),  # a Tuesday, National Day
        (date(2030, 10, 4), True),
        (date(2030, 10, 5), False),
        (date(2030, 5, 2), False),
        (date(2013, 12, 31), True),
    ],
)
def test_other_years_have_weekends_and_fixed_holidays_and_are_provisional(day: date, working: bool) -> None:
    kind = is_working_day(CALENDAR, day)
    assert bool(kind) is working
    assert kind.provisional


def test_seven_working_days_step_over_a_long_holiday() -> None:
    # counted: 30 September, then (1 to 8 October are holidays) 9, 10, Saturday 11, 13, 14, 15
    deadline = add_working_days(CALENDAR, date(2025, 9, 29), 7)
    assert (deadline.day, deadline.provisional) == (date(2025, 10, 15), False)


def test_a_period_that_runs_into_an_unpublished_year_is_provisional() -> None:
    deadline = add_working_days(CALENDAR, date(LAST_YEAR, 12, 30), 5)
    assert deadline.provisional
    assert working_days_between(CALENDAR, date(LAST_YEAR, 12, 30), deadline.day).provisional


def test_a_start_in_an_unpublished_year_is_not_counted_and_does_not_matter() -> None:
    assert not add_working_days(CALENDAR, date(FIRST_YEAR - 1, 12, 31), 3).provisional


def test_zero_days_move_a_holiday_to_the_next_working_day() -> None:
    assert add_working_days(CALENDAR, date(2025, 10, 1), 0).day == date(2025, 10, 9)
    assert add_working_days(CALENDAR, date(2025, 10, 9), 0).day == date(2025, 10, 9)


@given(start=any_day, n=lengths)
def test_counting_undoes_adding(start: date, n: int) -> None:
    assume(n != 0)
    deadline = add_working_days(CALENDAR, start, n)
    counted = working_days_between(CALENDAR, start, deadline.day)
    assert (counted.count, counted.provisional) == (n, deadline.provisional)


@given(start=any_day, n=st.integers(1, 200))
def test_from_a_working_day_there_and_back_is_the_start(start: date, n: int) -> None:
    start = add_working_days(CALENDAR, start, 0).day
    assert add_working_days(CALENDAR, add_working_days(CALENDAR, start, n).day, -n).day == start


@given(start=any_day, n=lengths, more=st.integers(1, 50))
def test_more_days_end_later(start: date, n: int, more: int) -> None:
    assume(n != 0 or is_working_day(CALENDAR, start).working)
    assume(not n < 0 <= n + more or is_working_day(CALENDAR, start).working)
    assert add_working_days(CALENDAR, start, n).day < add_working_days(CALENDAR, start, n + more).day


@given(one=any_day, other=any_day, n=st.integers(0, 60))
def test_a_later_start_never_ends_earlier(one: date, other: date, n: int) -> None:
    early, late = sorted((one, other))
    assert add_working_days(CALENDAR, early, n).day <= add_working_days(CALENDAR, late, n).day


@given(start=any_day, n=lengths)
def test_a_period_ends_on_a_working_day(start: date, n: int) -> None:
    assert is_working_day(CALENDAR, add_working_days(CALENDAR, start, n).day)


@given(start=published_day, n=st.integers(1, 60))
def test_a_published_period_ends_where_the_library_says(start: date, n: int) -> None:
    deadline = add_working_days(CALENDAR, start, n)
    assert not deadline.provisional
    assert deadline.day == chinese_calendar.find_workday(n - 1, start + timedelta(days=1))


@given(start=any_day, days=st.integers(0, 400))
def test_spans_add_up(start: date, days: int) -> None:
    middle, end = start + timedelta(days=days // 3), start + timedelta(days=days)
    whole = working_days_between(CALENDAR, start, end).count
    parts = (working_days_between(CALENDAR, start, middle).count, working_days_between(CALENDAR, middle, end).count)
    assert whole == sum(parts)
