"""Reading of calendar.yaml into the value that core/calendar.py computes with."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from creditbus.catalogue.yamltext import parse_yaml
from creditbus.core.calendar import CalendarYear, WorkingCalendar

_MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class _Year(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    holidays: frozenset[date]
    workdays: frozenset[date]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    generated_by: str
    fixed_holidays: frozenset[_MonthDay]
    years: dict[int, _Year]

    @model_validator(mode="after")
    def _days_belong(self) -> Self:
        for number, year in self.years.items():
            wrong = [day for day in year.holidays if day.year != number or day.weekday() >= 5]
            wrong += [day for day in year.workdays if day.year != number or day.weekday() < 5]
            if wrong:
                days = ", ".join(map(str, sorted(wrong)))
                raise ValueError(
                    f"years.{number}: {days} not of that year, or not a weekday (holidays) or weekend day (workdays); "
                    "generate the file again with creditbus.catalogue.generate_calendar"
                )
        return self


def read_working_calendar(text: str) -> WorkingCalendar:
    """The calendar in the text of calendar.yaml.

    Raises pydantic.ValidationError naming the key when a day is in the wrong list, yaml.YAMLError when it is no YAML.
    """
    file = _File.model_validate(parse_yaml(text))
    return WorkingCalendar(
        years={
            number: CalendarYear(holidays=year.holidays, workdays=year.workdays) for number, year in file.years.items()
        },
        fixed_holidays=frozenset((int(day[:2]), int(day[3:])) for day in file.fixed_holidays),
    )
