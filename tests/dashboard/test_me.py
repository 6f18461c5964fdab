"""An employee's own page: their punches of a month, and nobody else's."""

from datetime import date

import pytest

from dashboard.days.policy import Policy, weekly
from dashboard.models import AttendanceEvent, Employee, User
from dashboard.people.employees import create_employee
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

SEVEN_MS = 1_795_478_400_000
"""2026-11-24 07:00 in Jakarta."""
DAY_MS = 86_400_000
IN_TURN = Policy(reading="alternate")


@pytest.fixture
def own(any_site: Site) -> Browser:
    with any_site.sessions.begin() as session:
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        other = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
        add_user(session, "grace", ["employee"], employee_id=grace)
    turn_ms = SEVEN_MS - 23 * DAY_MS - 3 * 3_600_000  # 1 November, 04:00, when October's last day ends
    for who, at_ms in ((grace, SEVEN_MS), (grace, turn_ms), (other, SEVEN_MS + 60_000)):
        any_site.punch(who, at_ms)
    any_site.punch(grace, turn_ms - 1)
    return any_site.browser_of("grace")


def test_the_month_of_the_sites_calendar(own: Browser) -> None:
    page = own.get("/me?month=2026-11").text
    assert "2 records, times of Asia/Jakarta" in page
    assert "Tue 24 Nov 2026" in page
    assert "07:00:00" in page
    assert "Sun 1 Nov 2026" in page
    assert "Grace Hopper (E-1), November 2026" in page
    assert "Eileen" not in page
    assert "07:01:00" not in page
    october = own.get("/me?month=2026-10").text
    assert "1 record, times of Asia/Jakarta" in october
    assert "03:59:59" in october, "of the night of the 31st"
    assert "Nothing was recorded in December 2026" in own.get("/me?month=2026-12").text
    assert own.get("/me").status_code == 200


def test_the_days_by_the_rules(any_site: Site, own: Browser) -> None:
    page = own.get("/me?month=2026-11").text
    assert "Tue 24" in page
    assert "Out missing" in page
    assert 'aria-label="Days"' in page


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "1999-12", "2100-01", "11-2026", "2026", "²026-11", "x" * 500])
def test_a_month_that_is_none(own: Browser, text: str) -> None:
    answer = own.get("/me", query_string={"month": text})
    assert (answer.status_code, "write it as 2026-11" in answer.text) == (400, True)


def test_records_say_in_and_out_as_the_day_does(any_site: Site, own: Browser) -> None:
    """Doors that took a new date for a new day recorded an in at 01:30; at another site's door the clock is another."""
    with any_site.sessions.begin() as session:
        grace = session.query(Employee).filter_by(code="E-1").one().id
    late = any_site.punch(grace, SEVEN_MS + 18 * 3_600_000 + 1_800_000, direction="in")
    page = own.get("/me?month=2026-11").text
    assert "07:00 in" in page
    assert "01:30+1 in again" in page
    with any_site.sessions.begin() as session:
        session.get_one(AttendanceEvent, late).time_zone = "Asia/Jayapura"
        version = save_pattern(session, "In turn", weekly(OFFICE, policy=IN_TURN), date(2026, 1, 1), by="hr", now_ms=1)
        assign(session, date(2026, 1, 1), employee_id=grace, pattern_id=version.pattern_id, by="hr", now_ms=1)
    page = own.get("/me?month=2026-11").text
    assert "01:30+1 out" in page
    records = page.split('aria-label="Records"')[1]
    assert records.count('class="tag accent"') == 1, "one out"
    assert "03:30:00" in records
    assert "3 records, each at its door’s clock" in records


def test_many_records_are_paged(any_site: Site, own: Browser) -> None:
    with any_site.sessions() as session:
        grace = session.query(Employee).filter_by(code="E-1").one().id
    for number in range(5):
        any_site.punch(grace, SEVEN_MS + number * 1000)
    assert "7 records, times of Asia/Jakarta, page 1 of 2" in own.get("/me?month=2026-11").text
    records = own.get("/me?month=2026-11&page=2").text.split('aria-label="Records"')[1]
    assert records.count('scope="row"') == 2
    assert "Back to the first page" in own.get("/me?month=2026-11&page=3").text


def test_an_account_whose_person_was_erased(site: Site) -> None:
    with site.sessions.begin() as session:
        add_user(session, "gone", ["employee"], employee_id="erased")
    assert "No person belongs to this account" in site.browser_of("gone").get("/me").text
    with site.sessions() as session:
        assert session.query(User).filter_by(name="gone").one().employee_id == "erased"
