"""Days over the API: what payroll reads, in bounds, page by page."""

import pytest

from dashboard.api.schemas_days import Day
from dashboard.days.day import STATUSES
from tests.dashboard.api_client import ApiClient, add_employee, assert_problem, make_key
from tests.dashboard.days.sheet import at
from tests.dashboard.site import Site
from tests.dashboard.support import dock_in_office_hours

pytest_plugins = ["tests.dashboard.pages"]
WEEK = "/days?first_day=2026-11-23&last_day=2026-11-29"


def test_minutes_states_and_notes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes late on Monday the 23rd of November 2026, and gone without an out."""
    employee_id = add_employee(site, "E-1")
    with site.sessions.begin() as session:
        dock_in_office_hours(session)
    event_id = site.punch(employee_id, at("08:10"), time_uncertain=True)
    monkeypatch.setattr("dashboard.api.days.now_ms", lambda: at("08:00+9"))
    (item,) = ApiClient(site).every(WEEK)
    assert (item["employee_id"], item["employee_code"], len(item["days"])) == (employee_id, "E-1", 7)
    monday = item["days"][0]
    assert Day.model_validate(monday).model_dump() == monday
    assert (monday["day"], monday["time_zone"]) == ("2026-11-23", "Asia/Jakarta")
    assert (monday["shift_starts_at"], monday["minutes"]["late"]) == ("2026-11-23T01:00:00.000Z", 10)
    assert {"late", "missing_out"} <= set(monday["states"])
    assert {"code": "time_uncertain", "value": 0, "about": event_id} in monday["notes"]
    assert item["days"][5]["states"] == ["rest_day"]
    described = Day.model_fields["states"].description or ""
    assert all(status in described for status in STATUSES)


def test_people_come_by_pages_and_by_filters(site: Site) -> None:
    ids = [add_employee(site, f"E-{number}", department="AB"[number % 2]) for number in range(5)]
    client = ApiClient(site)
    assert [item["employee_id"] for item in client.every(WEEK)] == ids
    assert [item["employee_id"] for item in client.every(f"{WEEK}&department=B")] == ids[1::2]
    assert [item["employee_code"] for item in client.every(f"{WEEK}&employee_code=E-3")] == ["E-3"]
    assert client.every(f"{WEEK}&employee_id=nobody") == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first_day=2026-11-23&last_day=2026-11-22", "at most 31 days"),
        ("first_day=2026-11-01&last_day=2026-12-02", "at most 31 days"),
        ("first_day=2026-11-01", "last_day"),
        ("first_day=20261101&last_day=2026-11-02", "write it as 2026-11-23"),
        ("first_day=1999-12-31&last_day=2000-01-01", "of 2000 to 2099"),
        ("first_day=2026-11-01&last_day=2026-11-02&limit=51", "limit"),
    ],
)
def test_what_cannot_be_asked_for(site: Site, query: str, words: str) -> None:
    assert_problem(ApiClient(site).get(f"/days?{query}"), 422, words)


def test_the_scope_is_needed(site: Site) -> None:
    assert_problem(ApiClient(site, make_key(site, "events:read")).get(WEEK), 403, "days:read")
