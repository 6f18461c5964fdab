"""What the API takes and gives of days."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from dashboard.api.schemas import MAX_ID, Page, Query
from dashboard.days.notes import CODES
from dashboard.months.asked_days import FIRST_DAY, LAST_DAY
from dashboard.people.employees import MAX_CODE, MAX_NAME

MOST_DAYS, MOST_EMPLOYEES = 31, 50
"""Of one answer."""


def _is_a_day(text: str) -> str:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"write it as 2026-11-23, of {FIRST_DAY.year} to {LAST_DAY.year}")
    return text


Calendar = Annotated[
    str,
    AfterValidator(_is_a_day),
    Field(max_length=10, json_schema_extra={"format": "date"}),
]


class DayQuery(Query):
    limit: int = Field(default=20, ge=1, le=MOST_EMPLOYEES, description="employees on a page")
    first_day: Calendar = Field(description="a day of the site's calendar, such as 2026-11-23")
    last_day: Calendar = Field(description=f"included; at most {MOST_DAYS} days with the first")
    employee_id: str | None = Field(default=None, min_length=1, max_length=MAX_ID)
    employee_code: str | None = Field(default=None, min_length=1, max_length=MAX_CODE)
    department: str | None = Field(default=None, max_length=MAX_NAME, description="that they are in now")

    def days(self) -> tuple[date, date]:
        return date.fromisoformat(self.first_day), date.fromisoformat(self.last_day)


class Overtime(BaseModel):
    percent: int = Field(description="of the hourly wage, such as 150")
    minutes: int


class Minutes(BaseModel):
    """worked = regular + overtime + uncounted; once the day is over, required = regular + leave + holiday + missing."""

    required: int
    attended: int = Field(description="in the building, by counted times")
    worked: int
    regular: int
    overtime: list[Overtime]
    uncounted: int = Field(description="beyond what was required, but less than counts as overtime")
    break_paid: int
    break_automatic: int = Field(description="deducted for a break that wasn't punched")
    over_maximum: int
    late: int
    early: int = Field(description="left before the shift's end")
    leave: int
    holiday: int
    missing: int


class Note(BaseModel):
    code: str = Field(description="; ".join(f"{code}: {words}" for code, words in CODES.items()))
    value: int = Field(description="minutes, or the number of a correction")
    about: str = Field(description="id of a punch; empty for none")


class Day(BaseModel):
    day: str = Field(json_schema_extra={"format": "date"})
    time_zone: str = Field(description="whose calendar it is a day of")
    shift_starts_at: str | None = Field(json_schema_extra={"format": "date-time"})
    shift_ends_at: str | None = Field(json_schema_extra={"format": "date-time"})
    states: list[str] = Field(
        description="of upcoming, incomplete, holiday, rest_day, unplanned, on_leave, present, absent, late, early_leave, "
        "missing_in, missing_out, auto_out, too_short"
    )
    minutes: Minutes
    notes: list[Note]


class DaysOfEmployee(BaseModel):
    employee_id: str
    employee_code: str
    days: list[Day]


class DaysPage(Page):
    items: list[DaysOfEmployee]
