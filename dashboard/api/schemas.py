"""What the API takes and gives, as pydantic models: they check requests and are the description at once."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dashboard.api.cursors import MAX_CURSOR
from dashboard.people.employees import MAX_CODE, MAX_NAME

MAX_LIMIT = 200
MAX_ID = 64
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def moment(ms: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and Z."""
    if ms is None:
        return None
    when = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_our_time(when: datetime) -> datetime:
    if not EARLIEST <= when < LATEST:
        raise ValueError(f"outside {EARLIEST.year} to {LATEST.year}")
    return when


def _is_rfc3339(text: str) -> str:
    """Pydantic reads numbers and dates alone as times too; the description promises RFC 3339."""
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    except (ValueError, OverflowError):
        when = None
    if when is None or when.tzinfo is None or len(text) < 20:
        raise ValueError("write it as 2026-11-23T07:00:00Z")
    try:
        _of_our_time(when)
    except OverflowError:
        raise ValueError("write it as 2026-11-23T07:00:00Z") from None
    return text


When = Annotated[
    str,
    AfterValidator(_is_rfc3339),
    Field(max_length=40, json_schema_extra={"format": "date-time", "examples": ["2026-11-23T07:00:00Z"]}),
]
"""A time that a client sends; read it with `to_ms`."""


def to_ms(when: str | None) -> int | None:
    if when is None:
        return None
    parsed = datetime.fromisoformat(when.replace("Z", "+00:00").replace("z", "+00:00"))
    return round(parsed.timestamp() * 1000)


class Strict(BaseModel):
    """What is sent: nothing that isn't known, and no number where a text belongs."""

    model_config = ConfigDict(extra="forbid")


class Query(Strict):
    """Every list's own."""

    limit: int = Field(default=50, ge=1, le=MAX_LIMIT, description="rows on a page")
    cursor: str | None = Field(
        default=None, min_length=1, max_length=MAX_CURSOR, description="`next_cursor` of the page before"
    )

    def filter(self) -> dict[str, Any]:
        """What must stay the same from page to page."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)


class Page(BaseModel):
    next_cursor: str | None = Field(description="send it as `cursor` for the next page; null on the last one")


class EmployeeQuery(Query):
    code: str | None = Field(default=None, min_length=1, max_length=MAX_CODE, description="exactly this code")
    department: str | None = Field(default=None, max_length=MAX_NAME, description="exactly this department")
    active: Literal["true", "false"] | None = Field(
        default=None, description="only those who are let in, or only those who are deactivated"
    )


class EmployeePath(Strict):
    employee_id: str = Field(min_length=1, max_length=MAX_ID, description="`id` of the employee")


class Employee(BaseModel):
    """A person. Face pictures and templates never leave the site through the API."""

    id: str = Field(description="ours; it never changes")
    code: str = Field(description="the number that payroll knows the person by; it never changes")
    name: str
    department: str = Field(description="empty: none")
    active: bool = Field(description="whether kiosks accept the person")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    consent_at: str | None = Field(
        json_schema_extra={"format": "date-time"},
        description="when consent to store face data was given; null: it wasn't",
    )
    deactivated_at: str | None = Field(json_schema_extra={"format": "date-time"})


class EmployeePage(Page):
    items: list[Employee]


class NewEmployee(Strict):
    code: str = Field(min_length=1, max_length=MAX_CODE)
    name: str = Field(min_length=1, max_length=MAX_NAME)
    department: str = Field(default="", max_length=MAX_NAME)


class EmployeeChange(Strict):
    """What is left out stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=MAX_NAME)
    department: str | None = Field(default=None, max_length=MAX_NAME)


class Department(BaseModel):
    name: str
    employees: int = Field(description="active ones")


class DepartmentPage(Page):
    items: list[Department]


class Kiosk(BaseModel):
    name: str
    label: str
    direction: Literal["in", "out", "alternate"]
    state: Literal["running", "not_running", "unknown"] = Field(description="unknown: the live Redis doesn't answer")
    last_seen_at: str | None = Field(json_schema_extra={"format": "date-time"})
    clock_offset_ms: int | None = Field(description="its clock minus the site's, while it runs")


class KioskPage(Page):
    items: list[Kiosk]


class EventQuery(Query):
    employee_id: str | None = Field(default=None, min_length=1, max_length=MAX_ID)
    employee_code: str | None = Field(default=None, min_length=1, max_length=MAX_CODE)
    kiosk: str | None = Field(default=None, min_length=1, max_length=32)
    captured_from: When | None = Field(default=None, description="captured at this time or later")
    captured_before: When | None = Field(default=None, description="captured earlier than this")
    received_after: When | None = Field(
        default=None,
        description="received later than this; the list is then in the order of `received_at`, for syncing",
    )


class EventPath(Strict):
    event_id: str = Field(min_length=1, max_length=MAX_ID)


class Event(BaseModel):
    """A punch. It never changes."""

    id: str
    employee_id: str
    employee_code: str
    kiosk: str
    direction: Literal["in", "out"]
    captured_at: str = Field(json_schema_extra={"format": "date-time"}, description="UTC: when the person stood there")
    local_time: str = Field(description="the same on the site's clock, such as 2026-11-23T14:00:00.000")
    time_zone: str = Field(description="the site's, such as Asia/Jakarta, when it was recorded")
    received_at: str = Field(
        json_schema_extra={"format": "date-time"}, description="UTC: when the site's ledger took it"
    )
    late: bool = Field(description="it was kept at the kiosk during an outage")
    time_uncertain: bool = Field(description="the kiosk's clock couldn't be trusted; have somebody look")
    liveness: str = Field(description="not_checked, live or not_live")


class EventPage(Page):
    items: list[Event]
