"""A person's page: the month's calendar, its punches with their pictures, and how good the enrolled pictures are."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from dashboard.database import now_ms, reading
from dashboard.enrolling import picture_quality
from dashboard.enrolling.picture_quality import advice
from dashboard.models import EnrolmentPicture, EventPicture, Template
from dashboard.months import asked_month
from dashboard.months.person_month import read, weeks_of
from dashboard.people.employees import create_employee
from tests.dashboard.site import MODEL, Browser, Site

pytest_plugins = ["tests.dashboard.pages"]

HOUR = 3_600_000
SEVEN = round(datetime(2026, 11, 24, 0, 0, tzinfo=UTC).timestamp() * 1000)
"""2026-11-24 07:00 in Jakarta."""


def add(site: Site, code: str = "E-1") -> str:
    with site.sessions.begin() as session:
        return create_employee(session, code, "Grace Hopper", consent_by="hr", now_ms=now_ms()).id


def test_weeks_begin_on_monday_and_hold_first_in_and_last_out() -> None:
    punches = [
        (datetime(2026, 10, 31, 23, 59), "in"),
        (datetime(2026, 11, 2, 7, 1), "in"),
        (datetime(2026, 11, 2, 12, 0), "out"),
        (datetime(2026, 11, 2, 13, 0), "in"),
        (datetime(2026, 11, 2, 16, 30), "out"),
        (datetime(2026, 11, 30, 6, 5), "out"),
    ]
    weeks = weeks_of(date(2026, 11, 1), punches)
    assert [len(week) for week in weeks] == [7] * 6
    assert [day and day.date.day for day in weeks[0]] == [None] * 6 + [1]
    monday = weeks[1][0]
    assert monday is not None
    assert (monday.first_in, monday.last_out, monday.punches) == ("07:01", "16:30", 4)
    end = weeks[5][0]
    assert end is not None
    assert (end.date.day, end.first_in, end.last_out) == (30, "", "06:05")


def test_a_punch_counts_in_the_zone_that_it_was_recorded_in(any_site: Site) -> None:
    """The last minute of October in Jakarta, and the first of November."""
    person, other = add(any_site), add(any_site, "E-2")
    end_of_october = round(datetime(2026, 10, 31, 16, 59, 59, tzinfo=UTC).timestamp() * 1000)
    any_site.punch(person, end_of_october)
    any_site.punch(person, end_of_october + 1_000)
    any_site.punch(other, SEVEN)
    any_site.punch(person, SEVEN, status="duplicate")
    with reading(any_site.sessions) as session:
        november = read(session, person, asked_month.of(date(2026, 11, 1)), any_site.settings.zone)
        october = read(session, person, asked_month.of(date(2026, 10, 1)), any_site.settings.zone)
    assert (november.punches, october.punches) == (1, 1)


def test_the_page_shows_month_punches_and_pictures(any_site: Site) -> None:
    browser, person = any_site.browser(), add(any_site)
    assert "Never seen yet" in browser.get(f"/people/{person}").text
    event_id = any_site.punch(person, SEVEN, kiosk="lab")
    any_site.punch(person, SEVEN + 5 * HOUR)
    site = any_site.keeping_pictures(30)
    with site.sessions.begin() as session:
        session.add(EventPicture(event_id=event_id, jpeg=b"\xff\xd8x", expires_ms=now_ms() + HOUR))
    page = browser.get(f"/people/{person}?month=2026-11").text
    for words in (
        "November 2026",
        "1 day present, 2 punches",
        "07:00",
        "no out",
        "Last seen Tue 24 Nov 2026, 12:00:00",
        "lab",
    ):
        assert words in page, words
    assert f"/attendance/{event_id}.jpg" in page
    assert "month=2026-10#month" in page
    assert "0 days present" in browser.get(f"/people/{person}?month=2026-10").text
    for month in ("2026-13", "x"):
        answer = browser.get(f"/people/{person}?month={month}")
        assert answer.status_code == 400
        assert "write it as 2026-11" in answer.text


def test_many_punches_are_shown_in_part(site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.months.person_month.EVENTS_SHOWN", 3)
    person = add(site)
    for n in range(5):
        site.punch(person, SEVEN + n * HOUR)
    page = browser.get(f"/people/{person}?month=2026-11").text
    assert "The newest 3 of 5 are shown" in page
    assert page.count("/attendance?person=E-1&amp;from=2026-11-01&amp;to=2026-11-30") == 1


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        ({"face_px": 200, "sharpness": 300, "brightness": 120, "yaw": 0.1}, []),
        ({"face_px": 90, "sharpness": 20}, ["hold still", "come closer"]),
        ({"brightness": 50}, ["more light"]),
        ({"brightness": 230}, ["less light"]),
        ({"yaw": 0.4}, ["look at the camera"]),
        ({}, []),
    ],
)
def test_what_could_be_better_worst_first(quality: dict[str, float], words: list[str]) -> None:
    assert [one.split(",")[0].split(":")[0].split(" on ")[0] for one in advice(quality)] == words


def test_pictures_that_could_be_better_come_first(any_site: Site, add_person: Callable[..., str]) -> None:
    with any_site.sessions.begin() as session:
        person = add_person(session, "E-1", templates=0)
        for n, quality in enumerate(
            (json.dumps({"face_px": 200}), json.dumps({"face_px": 85, "yaw": 0.4}), "[]", "{", None)
        ):
            made = (
                [] if quality is None else [Template(model_id=MODEL, vector=b"x", quality_json=quality, created_ms=n)]
            )
            picture = EnrolmentPicture(
                id=str(n), employee_id=person, sha256=str(n), jpeg=b"x", created_ms=n, templates=made
            )
            session.add(picture)
    with reading(any_site.sessions) as session:
        found = picture_quality.pictures(session, person)
    assert [one.id for one in found] == ["4", "1", "0", "2", "3"]
    assert [one.measured for one in found] == [False, True, True, False, False]
    assert picture_quality.summary(found) == "1 of 5 is good; the first ones are worth replacing."
    measured, unknown = found[2], found[3]
    assert picture_quality.summary([unknown]) == "How good they are wasn’t measured."
    assert picture_quality.summary([measured, unknown]) == "All that were measured are good."
    assert picture_quality.summary([measured]) == "All of them are good."
    assert picture_quality.summary([]) == ""
    page = any_site.browser().get(f"/people/{person}").text
    for words in ("No template", "Could be better", "come closer", "Not measured"):
        assert words in page
