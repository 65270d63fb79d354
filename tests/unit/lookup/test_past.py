"""Which moment a question about the past is about."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from creditbus.core.problems import Problem
from creditbus.core.records import BEIJING
from creditbus.lookup.past import Moment, moment_of

NOW = datetime(2026, 11, 30, 17, 30, tzinfo=UTC)
"""Already the first of December in Beijing."""
TODAY = date(2026, 12, 1)


def test_neither_day_nor_time_is_now() -> None:
    assert moment_of(None, None, NOW) is None


@pytest.mark.parametrize(
    ("as_of", "known_at", "moment"),
    [
        (date(2026, 11, 1), None, Moment(known_at=NOW, as_of=date(2026, 11, 1))),
        (TODAY, None, Moment(known_at=NOW, as_of=TODAY)),
        (
            None,
            datetime(2026, 11, 1, 16, 30, tzinfo=UTC),
            Moment(known_at=datetime(2026, 11, 1, 16, 30, tzinfo=UTC), as_of=date(2026, 11, 2)),
        ),
        (
            date(2026, 10, 1),
            datetime(2026, 11, 2, 9, tzinfo=BEIJING),
            Moment(known_at=datetime(2026, 11, 2, 1, tzinfo=UTC), as_of=date(2026, 10, 1)),
        ),
    ],
    ids=["a day", "today in Beijing", "a time, of which the day in Beijing follows", "both"],
)
def test_a_day_a_time_or_both(as_of: date | None, known_at: datetime | None, moment: Moment) -> None:
    assert moment_of(as_of, known_at, NOW) == moment


@pytest.mark.parametrize(
    ("as_of", "known_at"),
    [(date(2026, 12, 2), None), (None, datetime(2026, 11, 30, 17, 31, tzinfo=UTC))],
    ids=["tomorrow in Beijing", "in a minute"],
)
def test_what_is_not_past_is_refused(as_of: date | None, known_at: datetime | None) -> None:
    found = moment_of(as_of, known_at, NOW)
    assert isinstance(found, Problem)
    assert (found.status, found.code) == (400, "not-yet")


def test_the_end_of_the_day_belongs_to_it() -> None:
    moment = Moment(known_at=NOW, as_of=date(2026, 11, 1))
    assert moment.parameters == {
        "known": "2026-11-30T17:30:00.000+00:00", "told": "2026-11-01T15:59:59.999+00:00", "on": "2026-11-01",
    }  # fmt: skip
    assert moment.as_json() == {"as_of": "2026-11-01", "known_at": "2026-11-30T17:30:00.000Z"}
